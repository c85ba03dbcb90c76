/**
 * What ends the program from outside: signals, a terminal that is closed, a reader of its output that leaves. Who works then is
 * told, so that nothing goes on running; it does not know what that is.
 */
import { constants } from "node:os";
import { isatty } from "node:tty";
import { systemErrorCode } from "../../errors/index.ts";

/** SIGPIPE stands for output that nobody takes any more. */
export type Shutdown = "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGPIPE";

export type ShutdownListener = (shutdown: Shutdown) => void;

/** The exit status of a program that was ended so, as shells count: 130, 143, 129, 141. */
export function statusOf(shutdown: Shutdown): number {
  return 128 + constants.signals[shutdown];
}

const outputFailures: Readonly<Record<string, string>> = {
  ENOSPC: "no space left on the device",
  EDQUOT: "the disk quota is exceeded",
  EFBIG: "the file would exceed the size limit",
};

/** Hears the endings of this process; the first stream is for results, the second one for people. */
export class ShutdownSignals {
  readonly #listeners = new Set<ShutdownListener>();
  /** Those who know that nobody is there any more. */
  readonly #left = new WeakSet<ShutdownListener>();
  #lost = false;

  constructor(results: NodeJS.WriteStream, people: NodeJS.WriteStream) {
    results.on("error", (error) => this.#lose(error, people));
    people.on("error", (error) => this.#lose(error, undefined));
    const terminals = [0, 1, 2].filter((stream) => isatty(stream));
    process.once("exit", () => {
      // Node gives terminals back as it found them, and aborts where one is not there any more.
      if (terminals.every((stream) => isatty(stream))) return;
      process.removeAllListeners("SIGHUP");
      process.kill(process.pid, "SIGHUP");
    });
  }

  /** Calls back until the returned function is called. While nobody listens, signals do what they always do. */
  listen(listener: ShutdownListener): () => void {
    const leave = (): void => this.#leave(listener, "SIGHUP");
    this.#listeners.add(listener);
    process.on("SIGINT", listener);
    process.on("SIGTERM", listener);
    process.on("SIGHUP", leave);
    return () => {
      this.#listeners.delete(listener);
      process.off("SIGINT", listener);
      process.off("SIGTERM", listener);
      process.off("SIGHUP", leave);
    };
  }

  /** A terminal that is closed says so up to three times: itself, through the shell, and at the next line that is written. */
  #leave(listener: ShutdownListener, shutdown: Shutdown): void {
    if (this.#left.has(listener)) return;
    this.#left.add(listener);
    listener(shutdown);
  }

  /** The reader of our output may leave when it has seen enough (`task list | head`): then there is no more to do. */
  #lose(error: unknown, people: NodeJS.WriteStream | undefined): void {
    // Each line that is written from here on fails like the first one.
    if (this.#lost) return;
    this.#lost = true;
    const code = systemErrorCode(error) ?? "";
    const why = outputFailures[code];
    if (why !== undefined)
      people?.write(
        `error: standard output cannot be written: ${why} [output-unwritable]\n  hint: redirect it elsewhere\n`,
      );
    if (this.#listeners.size > 0)
      for (const listener of [...this.#listeners]) this.#leave(listener, "SIGPIPE");
    else process.exit(code === "EPIPE" ? 0 : 1);
  }
}
