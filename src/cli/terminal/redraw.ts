/**
 * Keeps a prompt of @clack/core whole when its terminal changes its size, and when the program is stopped (Ctrl-Z) and
 * goes on (`fg`): what was drawn is removed, because the terminal has broken its lines differently, and drawn again.
 */
import { stripVTControlCharacters } from "node:util";
import type { Terminal } from "./io.ts";

const hideCursor = "\u001b[?25l";
const showCursor = "\u001b[?25h";
/** Name of the field in which a prompt of @clack/core remembers what it drew; an empty text makes it draw all of it. */
const frameField = "_prevFrame";

/** Watches until the returned function is called. To be called after the prompt has begun. */
export function keepWhole(prompt: object, { input, output }: Terminal): () => void {
  const forget = (): unknown => Reflect.set(prompt, frameField, "");
  const onResize = (): void => {
    const frame: unknown = Reflect.get(prompt, frameField);
    const up = typeof frame === "string" ? rowsOf(frame, output.columns || 80) - 1 : 0;
    // Row by row: a terminal may keep what is cleared as a whole, above the screen.
    output.write(`\r\u001b[2K${"\u001b[1A\u001b[2K".repeat(up)}`);
    forget();
  };
  const onKey = (_: string | undefined, key: { readonly ctrl?: boolean; readonly name?: string }): void => {
    if (key.ctrl === true && key.name === "z") output.write(showCursor);
  };
  const onContinue = (): void => {
    // After readline's own listener, which leaves the input paused.
    setImmediate(() => {
      if (input.isTTY) input.setRawMode(true);
      input.resume();
      output.write(hideCursor);
      forget();
      // The prompt's own listener draws; ours would remove what the shell wrote.
      output.off("resize", onResize);
      output.emit("resize");
      output.prependListener("resize", onResize);
    });
  };
  output.prependListener("resize", onResize);
  input.prependListener("keypress", onKey);
  process.on("SIGCONT", onContinue);
  return () => {
    output.off("resize", onResize);
    input.off("keypress", onKey);
    process.off("SIGCONT", onContinue);
  };
}

/** Rows that a drawn text takes on a terminal of so many columns. */
function rowsOf(text: string, columns: number): number {
  const lines = stripVTControlCharacters(text).split("\n");
  return lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / columns)), 0);
}
