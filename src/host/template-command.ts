/**
 * The argument vector of a command template (`$`program ${argument}``), where no shell is needed to know it: starting a shell
 * costs more than most programs take.
 */

/** A program's name, and its arguments. */
export type Argv = readonly [string, ...string[]];

/** Words and blanks that mean the same to every shell: nothing to expand, no quotes, no operator. */
const plainText = /^[\w./:=@%+, \t-]*$/;

/** Commands that bash runs itself (bash(1), `compgen -b` and `-k`), even if there are programs with these names. */
const builtins = new Set(
  (
    ". : [ alias bg bind break builtin caller cd command compgen complete compopt continue coproc declare dirs disown " +
    "echo enable eval exec exit export false fc fg getopts hash help history jobs kill let local logout mapfile popd " +
    "printf pushd pwd read readarray readonly return set shift shopt source suspend test times trap true type typeset " +
    "ulimit umask unalias unset wait if then else elif fi case esac for select while until do done in function time"
  ).split(" "),
);

/**
 * The argument vector of a template's text `pieces` and the values between them, which are settled: no promises. Undefined if
 * the command needs a shell. The values become text by zx's rules: an array is one word for each element, the output of a
 * command is what it printed without the last line feed.
 */
export function argvOf(pieces: readonly string[], values: readonly unknown[]): Argv | undefined {
  if (!pieces.every((piece) => plainText.test(piece))) return undefined;
  const words = new Words();
  pieces.forEach((piece, index) => {
    piece.split(/[ \t]+/).forEach((text, at) => {
      if (at > 0) words.end();
      if (text !== "") words.add(text);
    });
    if (index >= values.length) return;
    const value = values[index];
    for (const [at, one] of (Array.isArray(value) ? value : [value]).entries()) {
      if (at > 0) words.end();
      words.add(textOf(one));
    }
  });
  const [program, ...args] = words.all();
  if (program === undefined || program === "") return undefined;
  // An assignment before the command, an option, a command of the shell, or a text that cannot be an argument.
  if (program.includes("=") || program.startsWith("-") || builtins.has(program)) return undefined;
  return [program, ...args].some((word) => word.includes("\0")) ? undefined : [program, ...args];
}

/** The words so far, and the one that text is added to. */
class Words {
  readonly #ended: string[] = [];
  #open: string | undefined;

  add(text: string): void {
    this.#open = (this.#open ?? "") + text;
  }

  end(): void {
    if (this.#open !== undefined) this.#ended.push(this.#open);
    this.#open = undefined;
  }

  all(): readonly string[] {
    this.end();
    return this.#ended;
  }
}

function textOf(value: unknown): string {
  const printed = typeof value === "object" && value !== null && "stdout" in value ? value.stdout : undefined;
  return typeof printed === "string" ? printed.replace(/\n$/, "") : `${value}`;
}
