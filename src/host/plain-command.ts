/**
 * Command lines that need no shell: a program, its arguments, perhaps a file for what it prints. Starting a shell for these
 * costs more than most programs take. Of all other command lines it only knows that they are others.
 */

interface PlainCommand {
  /** The program's name, and its arguments. */
  readonly words: readonly [string, ...string[]];
  /** Where its standard output goes: a path, relative to where the command runs. */
  readonly output?: { readonly file: string; readonly append: boolean };
}

/** What zx puts before each command line: of one program, with nothing to expand, it says nothing. */
const prefix = "set -euo pipefail;";

/** A bare piece of a word, one in quotes (of zx, of a shell), blanks, or a redirection of standard output. */
const token =
  /(?<bare>[\w./:=@%+,-]+)|\$'(?<escaped>(?:[^'\\]|\\['\\fnrtv])*)'|'(?<quoted>[^']*)'|(?<blank>[ \t]+)|(?<to>>>?(?![&|(>]))/y;

/** What bash does itself (bash(1), `compgen -b` and `-k`), programs of the same name or not. */
const ofTheShell = new Set(
  (
    ". : [ alias bg bind break builtin caller cd command compgen complete compopt continue coproc declare dirs disown " +
    "echo enable eval exec exit export false fc fg getopts hash help history jobs kill let local logout mapfile popd " +
    "printf pushd pwd read readarray readonly return set shift shopt source suspend test times trap true type typeset " +
    "ulimit umask unalias unset wait if then else elif fi case esac for select while until do done in function time"
  ).split(" "),
);

const escapes: Readonly<Record<string, string>> = { f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" };

/** The command in a line as zx hands it over; undefined for one that a shell has to read. */
export function parsePlain(line: string): PlainCommand | undefined {
  if (!line.startsWith(prefix)) return undefined;
  const words: string[] = [];
  let word: string | undefined;
  let redirected: ">" | ">>" | undefined;
  let output: PlainCommand["output"];
  const end = (): void => {
    if (word === undefined) return;
    if (redirected === undefined) words.push(word);
    else output = { file: word, append: redirected === ">>" };
    redirected = undefined;
    word = undefined;
  };
  for (let at = prefix.length; at < line.length; at = token.lastIndex) {
    token.lastIndex = at;
    const groups = token.exec(line)?.groups;
    if (groups === undefined) return undefined;
    const { bare, escaped, quoted, to } = groups;
    if (bare !== undefined || escaped !== undefined || quoted !== undefined) {
      word = (word ?? "") + (bare ?? quoted ?? decode(escaped ?? ""));
      continue;
    }
    // In `2>file` the digit is no argument; and of several files the shell knows which is meant.
    if (to !== undefined && (word !== undefined || output !== undefined || redirected !== undefined))
      return undefined;
    end();
    if (to !== undefined) redirected = to as ">" | ">>";
  }
  end();
  const [program, ...args] = words;
  if (redirected !== undefined || program === undefined || program === "") return undefined;
  // An assignment before the command, an option, or what only the shell can do.
  if (program.includes("=") || program.startsWith("-") || ofTheShell.has(program)) return undefined;
  return { words: [program, ...args], ...(output === undefined ? {} : { output }) };
}

function decode(text: string): string {
  return text.includes("\\") ? text.replace(/\\(.)/g, (_, one: string) => escapes[one] ?? one) : text;
}
