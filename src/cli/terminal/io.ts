/** The outside world of the program: streams, environment, signals. Passed in, so that tests can bring their own. */
import { isatty, type ReadStream, type WriteStream } from "node:tty";
import { writeBytes } from "./byte-stream.ts";
import { readKeys } from "./keys.ts";
import { askSecret } from "./secret-prompt.ts";
import { type ShutdownListener, ShutdownSignals } from "./shutdown.ts";

export interface Output {
  write(text: string): unknown;
  /** Writes text with cursor movements unchanged, for live displays. Where it is missing, `write` is used. */
  draw?(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Both ends of a terminal that somebody sits at. */
export interface Terminal {
  readonly input: ReadStream;
  readonly output: WriteStream;
}

export interface Io {
  /** Results: what a script would read. */
  readonly stdout: Output;
  /** Writes a result of bytes that no terminal's rules apply to; rejects when the signal fires. */
  readonly writeBytes: (bytes: AsyncIterable<Uint8Array>, signal: AbortSignal) => Promise<void>;
  /** Everything said to people. */
  readonly stderr: Output;
  readonly env: NodeJS.ProcessEnv;
  /** Names of the variables of the environment that begin with `prefix`, and are not empty. */
  readonly variables: (prefix: string) => readonly string[];
  /** Absolute path of the directory in which the command was given. */
  readonly cwd: string;
  /** Calls back for each key pressed until the returned function is called; undefined where there is no keyboard. */
  readonly onKey?: ((listener: (key: string) => void) => () => void) | undefined;
  /** Asks on the terminal, without showing the answer; on standard input that is no terminal, reads its first line. */
  readonly askSecret: (what: string) => Promise<string>;
  /** What the list of processes shows instead of the command line as it was given. */
  readonly setTitle: (title: string) => void;
  /** Removes variables from the environment of child processes; `env` keeps them. */
  readonly hideFromChildren: (names: readonly string[]) => void;
  /** The terminal, when standard input and output are one. */
  readonly terminal: () => Terminal | undefined;
  /** Calls back when the program is to end, until the returned function is called. */
  readonly onShutdown: (listener: ShutdownListener) => () => void;
}

export function processIo(): Io {
  const shutdownSignals = new ShutdownSignals(process.stdout, process.stderr);
  const env: NodeJS.ProcessEnv = { ...process.env };
  return {
    stdout: process.stdout,
    writeBytes: (bytes, signal) => writeBytes(process.stdout, bytes, signal),
    stderr: process.stderr,
    env,
    variables: (prefix) => Object.keys(env).filter((name) => name.startsWith(prefix) && env[name] !== ""),
    hideFromChildren: (names) => {
      for (const name of names) delete process.env[name];
    },
    cwd: process.cwd(),
    setTitle: (title) => {
      process.title = title;
    },
    askSecret: (what) => askSecret(what, process.stdin, process.stderr),
    // Asked for by number: to touch process.stdin is to open it.
    onKey: isatty(0) && isatty(2) ? (listener) => readKeys(process.stdin, listener) : undefined,
    terminal: () => (isatty(0) && isatty(1) ? { input: process.stdin, output: process.stdout } : undefined),
    onShutdown: (listener) => shutdownSignals.listen(listener),
  };
}
