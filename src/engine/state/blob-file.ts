/** A blob as a file: whether it is as it was, and copying it. */
import { constants, lstatSync } from "node:fs";
import { access, copyFile, stat } from "node:fs/promises";
import type { Digest } from "../define/names.ts";

/** A content: its sha256, and its size in bytes. */
export interface BlobReference {
  readonly digest: Digest;
  readonly size: number;
}

/** All that changes when a file does; undefined where there is none. */
export function statusOf(file: string): string | undefined {
  const status = lstatSync(file, { bigint: true, throwIfNoEntry: false });
  return status && `${status.size}:${status.mtimeNs}:${status.ctimeNs}:${status.ino}`;
}

/** Copies a blob to a path that does not exist; false if the blob is not there, or is no readable file. */
export async function copyWhole(blob: string, target: string): Promise<boolean> {
  if (!(await isReadableFile(blob))) return false;
  await copyFile(blob, target, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
  return true;
}

async function isReadableFile(file: string): Promise<boolean> {
  try {
    await access(file, constants.R_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}
