/**
 * What is started for a command line: the program itself where nothing needs a shell, else the shell. It starts nothing.
 */
import type { SpawnOptions } from "node:child_process";
import { closeSync, openSync, statSync } from "node:fs";
import path from "node:path";
import { parsePlain } from "./plain-command.ts";

interface Launch {
  readonly program: string;
  readonly words: readonly string[];
  /** A file that was opened for standard output; the caller closes it once the program has started. */
  readonly output?: number;
}

/** The program for a command line as it is given to `child_process.spawn`, with or without its option `shell`. */
export function launchOf(command: string, args: readonly string[], options: SpawnOptions): Launch {
  const { shell } = options;
  if (typeof shell !== "string") return { program: command, words: args };
  const line = [command, ...args].join(" ");
  return withoutShell(line, options) ?? withShell(shell, line);
}

/** Only so, and not by spawn's own option, can the shell be put into another command. */
function withShell(shell: string, line: string): Launch {
  // With a socket as standard input bash takes itself for a remote shell, and reads the user's ~/.bashrc.
  const plain = path.basename(shell) === "bash" ? ["--norc", "--noprofile"] : [];
  return { program: shell, words: [...plain, "-c", line] };
}

/** What cannot be found or opened is left to the shell, which says so in the way that users know. */
function withoutShell(line: string, options: SpawnOptions): Launch | undefined {
  const plain = parsePlain(line);
  if (plain === undefined) return undefined;
  const [program, ...words] = plain.words;
  const cwd = String(options.cwd ?? process.cwd());
  const folders = program.includes("/") ? [""] : ((options.env ?? process.env).PATH ?? "").split(":");
  if (!folders.some((folder) => isProgram(path.resolve(cwd, folder, program)))) return undefined;
  if (plain.output === undefined) return { program, words };
  try {
    const { file, append } = plain.output;
    return { program, words, output: openSync(path.resolve(cwd, file), append ? "a" : "w") };
  } catch {
    return undefined;
  }
}

/** A folder of PATH that may not be entered, such as root's own for another user, is passed over as a shell does. */
function isProgram(file: string): boolean {
  try {
    const status = statSync(file);
    return status.isFile() && (status.mode & 0o111) !== 0;
  } catch {
    return false;
  }
}

/** The options with which it is started. */
export function launchOptions(launch: Launch, options: SpawnOptions): SpawnOptions {
  if (launch.output === undefined) return { ...options, shell: false };
  const [input, , error] = Array.isArray(options.stdio)
    ? options.stdio
    : [options.stdio, undefined, options.stdio];
  return { ...options, shell: false, stdio: [input, launch.output, error] };
}

export function closeOutput({ output }: Launch): void {
  if (output !== undefined) closeSync(output);
}
