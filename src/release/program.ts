/** Runs one program to its end, with text for its standard input. */
import { spawn } from "node:child_process";
import { systemErrorCode, UserError } from "../errors/index.ts";
import { installHint } from "../host/index.ts";

/** What a publication runs programs with. */
export interface ReleaseContext {
  /** Variables of the caller: agents of keys and of ssh are found by them. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly note: (message: string) => void;
}

interface ProgramResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface ProgramOptions {
  /** Absolute path. */
  readonly cwd?: string;
  /** Text for standard input; without it the input is empty. */
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a program of the tool table; throws a `UserError` where it is not installed. */
export function runProgram(
  { env, signal }: ReleaseContext,
  name: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(name, args, {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...env, ...options.env, LC_ALL: "C" },
      signal,
      stdio: ["pipe", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.once("error", (cause) => reject(systemErrorCode(cause) === "ENOENT" ? notInstalled(name) : cause));
    child.once("close", (status) => resolve({ status, stdout, stderr }));
    // A program may end without reading its input.
    child.stdin.on("error", () => {});
    child.stdin.end(options.input ?? "");
  });
}

export function notInstalled(name: string): UserError {
  return new UserError(`${name} is not installed`, {
    code: "tool-missing",
    hint: installHint(name) ?? "install it",
  });
}

/** The last line that is not empty, without its line break. */
export function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1)?.trim() ?? "";
}
