/** Files of a new project: writing and copying them. What they hold it does not know. */
import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { systemErrorCode } from "../../errors/index.ts";

/** Paths relative to `file` of the files and links below it, in byte order; of a file just "". */
export function filesBelow(file: string): readonly string[] {
  if (!lstatSync(file).isDirectory()) return [""];
  return readdirSync(file)
    .sort()
    .flatMap((entry) => filesBelow(path.join(file, entry)).map((below) => path.join(entry, below)));
}

export function isThere(file: string): boolean {
  try {
    lstatSync(file);
    return true;
  } catch (error) {
    // A file where a directory would have to be is in the way as well.
    return systemErrorCode(error) === "ENOTDIR";
  }
}

/** With those above it. Node's own way to do so never ends where a directory refuses what is new as if it were not there: /proc. */
export function makeDirectory(directory: string): void {
  if (existsSync(directory)) return;
  makeDirectory(path.dirname(directory));
  mkdirSync(directory);
}

/** Writes a file that is new, or, with `replace`, one that the project has. */
export function write(file: string, text: string, replace: boolean): void {
  makeDirectory(path.dirname(file));
  writeFileSync(file, text, { flag: replace ? "w" : "wx" });
}

export function copy(from: string, to: string): void {
  makeDirectory(path.dirname(to));
  const status = lstatSync(from);
  if (status.isSymbolicLink()) {
    symlinkSync(readlinkSync(from), to);
    return;
  }
  copyFileSync(from, to, constants.COPYFILE_EXCL);
  // The package may be installed read-only; what is copied is the user's to edit.
  chmodSync(to, (status.mode & 0o111) === 0 ? 0o644 : 0o755);
}
