/** Names of sources, as `--source` has them, and of places. */
import path from "node:path";
import { publicUrl } from "../../../src/fetch/index.ts";

/** The name under which a source's pins stand: as it was given, but never with a password. */
export function sourceKey(name: string): string {
  return isLocation(name) ? publicUrl(name) : name;
}

/** Whether a source is a mirror's URL or directory, rather than a name of the sources file. */
export function isLocation(name: string): boolean {
  return /^[a-z]+:\/\//i.test(name) || name.includes("/");
}

/** A URL as it is; a path, which may be relative to `base` (default: where the command was given), made absolute. */
export function absoluteLocation(text: string, base: string = process.cwd()): string {
  return /^[a-z][a-z0-9+.-]*:/i.test(text) ? text : path.resolve(base, text);
}
