/** Where releases are published: a directory of this machine, or one that ssh reaches, and a shell that works in it. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { systemErrorCode, UsageError, UserError } from "../errors/index.ts";
import { lastLine, notInstalled, type ReleaseContext } from "./program.ts";

export interface Destination {
  /** As `ssh` takes it: `host`, `user@host`; without it the directory is of this machine. */
  readonly host?: string;
  /** Absolute, or on a host relative to the user's home. */
  readonly directory: string;
}

/**
 * The destination that a text names. As for rsync(1), a colon before any slash ends the name of a host. `resolve` makes a
 * local path absolute. Throws a `UsageError` for the forms of rsync's daemon.
 */
export function parseDestination(text: string, resolve: (directory: string) => string): Destination {
  const match = /^([^/:]+):(?!:)(.*)$/s.exec(text);
  const [, host = "", directory = ""] = match ?? [];
  if (text === "" || /^[^/]*::|^\w+:\/\//.test(text) || host.startsWith("-") || /[\n\0]/.test(text)) {
    throw new UsageError(`"${text}" is not a destination`, {
      code: "store-destination",
      hint: "name a directory, or host:path for a directory that ssh reaches",
    });
  }
  if (match === null) return { directory: resolve(text) };
  return { host, directory: directory === "" ? "." : directory };
}

export function describeDestination({ host, directory }: Destination): string {
  return host === undefined ? directory : `${host}:${directory}`;
}

interface ShellAnswer {
  readonly status: number;
  /** Standard output and standard error. */
  readonly text: string;
}

/**
 * One shell, whose working directory is the destination's. It ends with its standard input, so what it locks is free as soon
 * as the program ends, even by SIGKILL, or the connection breaks.
 */
export class DestinationShell {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #destination: Destination;
  #text = "";
  #stderr = "";
  #failure: Error | undefined;
  #changed = (): void => {};

  constructor(destination: Destination, { env, signal }: ReleaseContext) {
    this.#destination = destination;
    const [program, args] =
      destination.host === undefined ? ["sh", ["-s"]] : ["ssh", ["-T", "--", destination.host, "sh -s"]];
    this.#child = spawn(program, args, { env: { ...env, LC_ALL: "C" }, signal, stdio: "pipe" });
    this.#child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.#text += text;
      this.#changed();
    });
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    this.#child.stdin.on("error", () => {});
    this.#child.once("error", (cause) => {
      this.#failure = systemErrorCode(cause) === "ENOENT" ? notInstalled(program) : cause;
      this.#changed();
    });
    this.#child.once("close", () => {
      this.#failure ??= this.#closed();
      this.#changed();
    });
  }

  /** Runs a script in the shell itself. Throws a `UserError` when the shell has ended, as when a connection breaks. */
  async run(script: string): Promise<ShellAnswer> {
    const mark = randomUUID();
    this.#child.stdin.write(`{ ${script}\n} </dev/null 2>&1\nprintf '\\n%s %s\\n' ${mark} "$?"\n`);
    const end = new RegExp(`\\n${mark} (\\d+)\\n`);
    for (;;) {
      const match = end.exec(this.#text);
      if (match !== null) {
        const text = this.#text.slice(0, match.index);
        this.#text = this.#text.slice(match.index + match[0].length);
        return { status: Number(match[1]), text };
      }
      if (this.#failure !== undefined) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }

  /** As `run`; throws a `UserError` that says what was not possible when the script fails. */
  async do(purpose: string, script: string): Promise<string> {
    const { status, text } = await this.run(script);
    if (status === 0) return text;
    const where = describeDestination(this.#destination);
    throw /No space left|Disk quota exceeded/.test(text)
      ? destinationFull(where)
      : new UserError(`${purpose} is not possible: ${lastLine(text)}`, {
          code: "store-failed",
          where,
          hint: "check that the destination exists and that you may write there; the published release is unchanged",
        });
  }

  /** Ends the shell, and with it the locks that it holds. */
  close(): void {
    this.#child.stdin.end();
  }

  #closed(): UserError {
    const said = lastLine(this.#stderr);
    return new UserError(`the connection to the destination broke${said === "" ? "" : `: ${said}`}`, {
      code: "store-failed",
      where: describeDestination(this.#destination),
      hint: "run the same command again; the published release is whole, and what was copied is kept",
    });
  }
}

export function destinationFull(where: string): UserError {
  return new UserError("the destination is full", {
    code: "store-full",
    where,
    hint: "free space there, for example by deleting old releases, and run the same command again; the published release is unchanged",
  });
}
