/**
 * The content store: blobs named by their sha256 under `store/ab/cdef…`, mode 0444, written beside and renamed.
 * It knows nothing of tasks; what may be removed is decided by whoever knows what is still needed.
 */
import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { access, chmod, copyFile, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { systemErrorCode } from "../errors/index.ts";
import { digestOfBytes, digestOfFile } from "./digest.ts";
import type { AbsolutePath, Digest } from "./names.ts";

/** From this many bytes on copying on a thread, which costs several switches between threads, is worth it. */
const threadPays = 256 * 1024;

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
  putText(text: string): Digest {
    const digest = digestOfBytes(text);
    if (!this.has(digest)) this.#placeAtOnce(digest, (beside) => writeFileSync(beside, text));
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

  /** Copies a file of `size` bytes in (sharing its blocks where the file system can). The digest must be the file's. */
  async putFile(file: string, digest: Digest, size: number): Promise<void> {
    if (this.has(digest)) return;
    if (size < threadPays)
      this.#placeAtOnce(digest, (beside) => copyFileSync(file, beside, constants.COPYFILE_FICLONE));
    else await this.#place(digest, (beside) => copyFile(file, beside, constants.COPYFILE_FICLONE));
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
    const beside = this.#beside(digest);
    try {
      await write(beside);
      this.#finish(beside, digest);
    } catch (error) {
      await rm(beside, { force: true });
      throw error;
    }
  }

  #placeAtOnce(digest: Digest, write: (beside: string) => void): void {
    const beside = this.#beside(digest);
    try {
      write(beside);
      this.#finish(beside, digest);
    } catch (error) {
      rmSync(beside, { force: true });
      throw error;
    }
  }

  /** Where a blob is written before it has its name; the folder is made. */
  #beside(digest: Digest): string {
    const target = this.pathOf(digest);
    mkdirSync(path.dirname(target), { recursive: true });
    this.#counter += 1;
    return `${target}.${process.pid}-${this.#counter}.new`;
  }

  #finish(beside: string, digest: Digest): void {
    chmodSync(beside, 0o444);
    renameSync(beside, this.pathOf(digest));
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
