/** Files that are named on the command line and read whole: settings and secrets, which are small. */
import { closeSync, openSync, readSync } from "node:fs";
import { UsageError } from "../../errors/index.ts";

/** More than any settings have; a device such as /dev/zero never ends. */
const mostBytes = 1024 * 1024;

/**
 * The bytes of a file (a path that the system can open; a pipe is read to its end). `option` and `file` are how it was
 * named. Throws a `UsageError` for one that is too large, and the system's error for one that cannot be read.
 */
export function readSmallFile(place: string, option: string, file: string): Buffer {
  const descriptor = openSync(place, "r");
  const bytes = Buffer.alloc(mostBytes + 1);
  let size = 0;
  try {
    for (let got = -1; got !== 0 && size < bytes.length; size += got) {
      got = readSync(descriptor, bytes, size, bytes.length - size, null);
    }
  } finally {
    closeSync(descriptor);
  }
  if (size <= mostBytes) return bytes.subarray(0, size);
  throw new UsageError(`${option} ${file} is larger than 1 MiB`, {
    code: "file-too-large",
    hint: "check the file name",
  });
}
