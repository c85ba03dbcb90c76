/** Removing trees that may not let themselves be removed. */
import { chmod, readdir, rm } from "node:fs/promises";
import path from "node:path";
import { systemErrorCode } from "../../errors/index.ts";

/** Removes a tree whatever the modes in it: a directory that may not be written keeps what it holds from going. */
export async function removeTree(root: string): Promise<void> {
  try {
    await rm(root, { recursive: true, force: true });
  } catch (error) {
    const code = systemErrorCode(error);
    if (code !== "EACCES" && code !== "EPERM" && code !== "ENOTEMPTY") throw error;
    // What the first attempt began goes on meanwhile, so that entries may vanish, or not be gone yet.
    await openDirectories(root);
    await rm(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
  }
}

async function openDirectories(directory: string): Promise<void> {
  try {
    await chmod(directory, 0o700);
    for (const child of await readdir(directory, { withFileTypes: true })) {
      if (child.isDirectory()) await openDirectories(path.join(directory, child.name));
    }
  } catch (error) {
    if (systemErrorCode(error) !== "ENOENT") throw error;
  }
}
