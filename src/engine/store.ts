/**
 * The content store: blobs named by their sha256 under `store/ab/cdef…`, mode 0444, written beside and renamed.
 * It knows nothing of tasks; what may be removed is decided by whoever knows what is still needed.
 */
import { constants, existsSync, readFileSync } from "node:fs";
import { access, chmod, copyFile, mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { systemErrorCode } from "../errors/index.ts";
import { digestOfBytes, digestOfFile } from "./digest.ts";
import type { AbsolutePath, Digest } from "./names.ts";

export class Store {
  readonly root: AbsolutePath;
  #counter = 0;

  constructor(root: AbsolutePath) {
    this.root = root;
  }

  pathOf(digest: Digest): AbsolutePath {
    return path.join(this.root, digest.slice(0, 2), digest.slice(2)) as AbsolutePath;
  }

  has(digest: Digest): boolean {
    return existsSync(this.pathOf(digest));
  }

  /** Stores a small text and returns its digest. */
  async putText(text: string): Promise<Digest> {
    const digest = digestOfBytes(text);
    if (!this.has(digest)) await this.#place(digest, (beside) => writeFile(beside, text));
    return digest;
  }

  /** The text of a blob, or undefined when it is not there or is damaged. */
  readText(digest: Digest): string | undefined {
    try {
      const text = readFileSync(this.pathOf(digest), "utf8");
      return digestOfBytes(text) === digest ? text : undefined;
    } catch {
      return undefined;
    }
  }

  /** Copies a file in (sharing its blocks where the file system can). The digest must be the file's. */
  async putFile(file: string, digest: Digest): Promise<void> {
    if (this.has(digest)) return;
    await this.#place(digest, (beside) => copyFile(file, beside, constants.COPYFILE_FICLONE));
  }

  /** Moves a file in; on another file system it is copied and removed. */
  async adopt(file: string, digest: Digest): Promise<void> {
    if (this.has(digest)) return rm(file, { force: true });
    await this.#place(digest, async (beside) => {
      try {
        await rename(file, beside);
      } catch (error) {
        if (systemErrorCode(error) !== "EXDEV") throw error;
        await copyFile(file, beside);
        await rm(file);
      }
    });
  }

  /**
   * Copies a blob to a path that does not exist, and says whether its content is what its name says. A blob that
   * is not is removed from the store, so that it is made anew.
   */
  async copyOut(digest: Digest, target: string, executable: boolean): Promise<boolean> {
    const blob = this.pathOf(digest);
    if (await isReadableFile(blob)) {
      await copyFile(blob, target, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
      await chmod(target, executable ? 0o755 : 0o644);
      if ((await digestOfFile(target, (await stat(target)).size)) === digest) return true;
    }
    await rm(blob, { recursive: true, force: true });
    return false;
  }

  async #place(digest: Digest, write: (beside: string) => Promise<void>): Promise<void> {
    const target = this.pathOf(digest);
    await mkdir(path.dirname(target), { recursive: true });
    this.#counter += 1;
    const beside = `${target}.${process.pid}-${this.#counter}.new`;
    try {
      await write(beside);
      await chmod(beside, 0o444);
      await rename(beside, target);
    } catch (error) {
      await rm(beside, { force: true });
      throw error;
    }
  }
}

async function isReadableFile(file: string): Promise<boolean> {
  try {
    await access(file, constants.R_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}
