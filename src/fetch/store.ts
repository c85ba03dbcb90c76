/**
 * What downloads need of a content store, and the plainest one that gives it: a directory of files named by
 * digest. It does not know what the bytes are, and never deletes any.
 */
import { chmod, mkdir, rename, stat } from "node:fs/promises";
import path from "node:path";
import { systemErrorCode } from "../errors/index.ts";

export interface BlobStore {
  /** Whether these bytes (lower-case hexadecimal sha256) are there. */
  has(sha256: string): Promise<boolean>;
  /** The absolute path of bytes that are there. */
  pathOf(sha256: string): string;
  /** Takes over a file whose bytes were verified to have this digest; it is gone afterwards. */
  adopt(file: string, sha256: string): Promise<void>;
}

/** A store at the absolute path `root`, which is made at the first adoption. */
export function openDirectoryStore(root: string): BlobStore {
  const pathOf = (sha256: string): string => path.join(root, sha256.slice(0, 2), sha256.slice(2));
  return {
    pathOf,
    async has(sha256) {
      try {
        return (await stat(pathOf(sha256))).isFile();
      } catch (error) {
        if (systemErrorCode(error) === "ENOENT") return false;
        throw error;
      }
    },
    async adopt(file, sha256) {
      const target = pathOf(sha256);
      await mkdir(path.dirname(target), { recursive: true });
      await chmod(file, 0o444);
      await rename(file, target);
    },
  };
}
