/** What is started for a command: the program itself if its argument vector is known, otherwise the shell. It starts nothing. */
import type { SpawnOptions } from "node:child_process";
import { statSync } from "node:fs";
import path from "node:path";
import type { Argv } from "./template-command.ts";

interface Launch {
  readonly program: string;
  readonly words: readonly string[];
}

/**
 * The program for a command as it is given to `child_process.spawn`, with or without its option `shell`. A program that is not
 * found is left to the shell, which reports it in its usual words.
 *
 * @param argv the same command's argument vector, if no shell is needed.
 */
export function launchOf(
  command: string,
  args: readonly string[],
  options: SpawnOptions,
  argv: Argv | undefined,
): Launch {
  const { shell } = options;
  if (typeof shell !== "string") return { program: command, words: args };
  if (argv === undefined || !isFound(argv[0], options)) return withShell(shell, [command, ...args].join(" "));
  const [program, ...words] = argv;
  return { program, words };
}

/** Only so, and not by spawn's own option, can the shell be put into another command. */
function withShell(shell: string, line: string): Launch {
  // With a socket as standard input bash takes itself for a remote shell, and reads the user's ~/.bashrc.
  const plain = path.basename(shell) === "bash" ? ["--norc", "--noprofile"] : [];
  return { program: shell, words: [...plain, "-c", line] };
}

function isFound(program: string, options: SpawnOptions): boolean {
  const cwd = String(options.cwd ?? process.cwd());
  const directories = program.includes("/") ? [""] : ((options.env ?? process.env).PATH ?? "").split(":");
  return directories.some((directory) => isProgram(path.resolve(cwd, directory, program)));
}

/** A directory of PATH that may not be entered, such as root's own for another user, is passed over as a shell does. */
function isProgram(file: string): boolean {
  try {
    const status = statSync(file);
    return status.isFile() && (status.mode & 0o111) !== 0;
  } catch {
    return false;
  }
}
