/** The plainest store that downloads can go to: a directory of files named by their digest. */
import { existsSync } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import path from "node:path";
import type { BlobStore } from "../../src/fetch/index.ts";

/** A store at the absolute path `root`, which is made at the first adoption. */
export function openDirectoryStore(root: string): BlobStore {
  const pathOf = (sha256: string): string => path.join(root, sha256);
  return {
    pathOf,
    has: async (sha256) => existsSync(pathOf(sha256)),
    async adopt(file, sha256) {
      await mkdir(root, { recursive: true });
      await rename(file, pathOf(sha256));
    },
  };
}
