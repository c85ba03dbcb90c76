/**
 * Single keys of a terminal, read as they are pressed; the terminal is given back as it was, whatever ends the program.
 * What keys mean is the caller's decision, except for those that a terminal itself would act on.
 */
import type { ReadStream } from "node:tty";

const interrupt = "\u0003";
const suspend = "\u001a";
const quit = "\u001c";

/** Calls back for each key until the returned function is called. */
export function readKeys(terminal: ReadStream, onKey: (key: string) => void): () => void {
  const restore = (): void => void terminal.setRawMode(false);
  const take = (): void => void terminal.setRawMode(true);
  const onData = (data: Buffer): void => {
    for (const key of data.toString("utf8")) {
      // What the terminal would do by itself, were it not for us.
      if (key === interrupt) process.kill(process.pid, "SIGINT");
      else if (key === suspend) stop();
      else if (key === quit) {
        restore();
        process.kill(process.pid, "SIGQUIT");
      } else onKey(key);
    }
  };
  const stop = (): void => {
    restore();
    process.once("SIGCONT", take);
    process.kill(process.pid, "SIGSTOP");
  };
  take();
  process.once("exit", restore);
  terminal.on("data", onData);
  terminal.resume();
  return () => {
    terminal.off("data", onData);
    terminal.pause();
    process.off("exit", restore);
    process.off("SIGCONT", take);
    restore();
  };
}
