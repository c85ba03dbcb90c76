/** The outside world of the program: streams, environment, signals. Passed in, so that tests can bring their own. */
import { readKeys } from "./keys.ts";
import { askSecret } from "./secret-prompt.ts";

export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface Io {
  /** Results: what a script would read. */
  readonly stdout: Output;
  /** Everything said to people. */
  readonly stderr: Output;
  readonly env: NodeJS.ProcessEnv;
  /** Absolute path of the folder in which the command was given. */
  readonly cwd: string;
  /** Calls back for each key pressed until the returned function is called; undefined where there is no keyboard. */
  readonly onKey?: ((listener: (key: string) => void) => () => void) | undefined;
  /** Asks on the terminal, without showing the answer; on standard input that is no terminal, reads its first line. */
  readonly askSecret: (what: string) => Promise<string>;
  /** What the list of processes shows instead of the command line as it was given. */
  readonly setTitle: (title: string) => void;
  /** Calls back on SIGINT and SIGTERM until the returned function is called. */
  readonly onSignal: (listener: (signal: "SIGINT" | "SIGTERM") => void) => () => void;
}

export function processIo(): Io {
  // Whoever reads our output may leave when it has seen enough (`task list | head`): then there is no more to do.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit();
  });
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    onKey:
      process.stdin.isTTY === true && process.stderr.isTTY === true
        ? (listener) => readKeys(process.stdin, listener)
        : undefined,
    setTitle: (title) => {
      process.title = title;
    },
    askSecret: (what) => askSecret(what, process.stdin, process.stderr),
    onSignal: (listener) => {
      process.on("SIGINT", listener);
      process.on("SIGTERM", listener);
      return () => {
        process.off("SIGINT", listener);
        process.off("SIGTERM", listener);
      };
    },
  };
}
