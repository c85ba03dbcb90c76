/** How a blob gets its place in the store: written beside, closed to changes and renamed, so that none is ever half there. */
import { chmodSync, existsSync, lstatSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import { systemErrorCode } from "../../errors/index.ts";
import type { AbsolutePath, Digest } from "../define/names.ts";

/** Who may read a blob: everybody (0444), or its owner only (0400). */
export type BlobAccess = "public" | "private";

export class BlobPlacement {
  /** Bytes in the store when it was last looked through, and what came since; undefined before that. */
  expectedSize: number | undefined;
  readonly #pathOf: (digest: Digest) => AbsolutePath;
  readonly #temporaryRoot: AbsolutePath;
  /** Directories that are known to be real directories. */
  readonly #directories = new Set<string>();
  #counter = 0;

  /** `temporaryRoot` is on the same file system as the places that `pathOf` returns. */
  constructor(pathOf: (digest: Digest) => AbsolutePath, temporaryRoot: AbsolutePath) {
    this.#pathOf = pathOf;
    this.#temporaryRoot = temporaryRoot;
  }

  /** Places what `write` writes to the path that it gets. */
  async place(digest: Digest, write: (beside: string) => Promise<void>, access: BlobAccess): Promise<void> {
    const beside = this.beside(digest);
    try {
      await write(beside);
      this.finish(beside, digest, access);
    } catch (error) {
      await rm(beside, { force: true });
      throw error;
    }
  }

  /** The same at once, with `suffix` at the end of the name. */
  placeAtOnce(
    digest: Digest,
    write: (beside: string) => void,
    access: BlobAccess = "public",
    suffix = "",
  ): void {
    const beside = this.beside(digest);
    try {
      write(beside);
      this.finish(beside, digest, access, suffix);
    } catch (error) {
      rmSync(beside, { force: true });
      throw error;
    }
  }

  /** Where a blob is written before it has its name; the directory is made. */
  beside(digest: Digest): string {
    if (!existsSync(this.#temporaryRoot)) mkdirSync(this.#temporaryRoot, { recursive: true, mode: 0o755 });
    this.#counter += 1;
    return path.join(this.#temporaryRoot, `${digest}.${process.pid}-${this.#counter}`);
  }

  /** Gives a complete file its place and access. */
  finish(beside: string, digest: Digest, access: BlobAccess, suffix = ""): void {
    const place = `${this.#pathOf(digest)}${suffix}`;
    chmodSync(beside, access === "private" ? 0o400 : 0o444);
    if (this.expectedSize !== undefined) this.expectedSize += statSync(beside).size;
    this.#makeDirectory(path.dirname(place));
    try {
      renameSync(beside, place);
    } catch (error) {
      // The directory was removed by somebody who emptied the cache meanwhile.
      if (systemErrorCode(error) !== "ENOENT") throw error;
      mkdirSync(path.dirname(place), { recursive: true, mode: 0o755 });
      renameSync(beside, place);
    }
  }

  /** Makes one of the 256 directories; a symlink in its place is replaced, since blobs would be written elsewhere through it. */
  #makeDirectory(directory: string): void {
    if (this.#directories.has(directory)) return;
    const status = lstatSync(directory, { throwIfNoEntry: false });
    if (status !== undefined && !status.isDirectory()) rmSync(directory);
    if (!status?.isDirectory()) mkdirSync(directory, { recursive: true, mode: 0o755 });
    this.#directories.add(directory);
  }
}
