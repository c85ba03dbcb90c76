/**
 * Completion for bash, zsh and fish: `completion SHELL` prints the script, `completion install` puts it where the shell
 * finds it, and `completion answer` is what the script asks at each press of the key.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import type { Taskfile } from "../../engine/index.ts";
import { UsageError } from "../../errors/index.ts";
import type { Io } from "../terminal/io.ts";
import { answer } from "./answer.ts";
import { installCompletion, isShell, type Shell, shells } from "./installation.ts";

/**
 * The answer to a shell's question, or undefined when `argv` is none: `completion answer SHELL -- WORD... CURRENT`.
 * One line says what may follow (`words`, `files`, `directories`), then come the words, each with a tab and a description.
 * `root` is the project's directory (absolute). The question is a command line that is not finished, and so is not parsed as one.
 */
export function answerQuestion(
  argv: readonly string[],
  taskfile: Taskfile | undefined,
  root: string,
): string | undefined {
  const [first, second, shell, dashes, ...words] = argv;
  if (first !== "completion" || second !== "answer" || dashes !== "--") return undefined;
  const asked = shell === "bash" ? joinBroken(words) : words;
  const current = asked.at(-1) ?? "";
  const found = answer({ before: asked.slice(0, -1), current, taskfile, root });
  if (found.kind !== "words") return `${found.kind}\n`;
  const dropped = droppedFrom(current, shell);
  const lines = found.candidates.map(({ word, description }) => `${word.slice(dropped)}\t${description}\n`);
  return `words\n${lines.join("")}`;
}

/**
 * How many characters to drop from a candidate: bash splits `--flag=value` and `a:b` into three words each, and completes the
 * last of them; zsh is configured to ignore the flag.
 */
function droppedFrom(current: string, shell: string | undefined): number {
  const flag = shell === "fish" ? 0 : (/^--[^=]+=/.exec(current)?.[0].length ?? 0);
  return shell === "bash" ? Math.max(flag, current.lastIndexOf(":") + 1) : flag;
}

/** Joins words that bash split at `=` and `:` (bash(1), COMP_WORDBREAKS). */
function joinBroken(words: readonly string[]): readonly string[] {
  const joined: string[] = [];
  for (const [index, word] of words.entries()) {
    const last = joined.at(-1);
    const breaks = [word, words[index - 1]];
    const belongs = breaks.includes(":") || (last?.startsWith("--") === true && breaks.includes("="));
    if (last !== undefined && belongs) joined[joined.length - 1] = `${last}${word}`;
    else joined.push(word);
  }
  return joined;
}

/** `completion bash|zsh|fish|install [SHELL]`. */
export function completionCommand(io: Io, words: readonly string[], packageRoot: string): number {
  const [action = "", named, ...more] = words;
  const installs = action === "install";
  if (more.length > 0 || (!installs && (named !== undefined || !isShell(action)))) {
    throw new UsageError(`\`completion\` does not accept "${words.join(" ")}"`, {
      code: "completion-usage",
      hint: `use \`task completion install\` or name a shell: ${shells.join(", ")}`,
    });
  }
  const script = (shell: Shell): string =>
    readFileSync(path.join(packageRoot, "src/cli/completion", `razor-mk.${shell}`), "utf8");
  if (!installs) {
    io.stdout.write(script(action as Shell));
    return 0;
  }
  const shell = named ?? path.basename(io.env.SHELL ?? "");
  if (!isShell(shell)) {
    throw new UsageError(`the shell "${shell}" is not supported`, {
      code: "completion-shell",
      hint: `name one: task completion install ${shells.join("|")}`,
    });
  }
  for (const line of installCompletion(shell, script(shell), io.env)) io.stdout.write(`${line}\n`);
  return 0;
}
