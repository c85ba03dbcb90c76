/** Paths in messages. */
import { displayPath } from "../../src/engine/index.ts";

/** An absolute path as a user would write it: relative to the current directory where it lies inside. */
export function shownPath(absolute: string): string {
  return displayPath(process.cwd(), absolute);
}
