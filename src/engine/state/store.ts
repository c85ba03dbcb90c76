/**
 * The content store: blobs named by their sha256 under `store/ab/cdef…`, mode 0444, written beside and renamed. What is
 * made of other contents, one behind the other, may be kept as `cdef….parts`, the list of their digests.
 * The caller, which knows what is still needed, decides what may be removed.
 */

import { createHash } from "node:crypto";
import {
  chmodSync,
  constants,
  copyFileSync,
  createReadStream,
  createWriteStream,
  existsSync,
  lstatSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { chmod, copyFile, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { systemErrorCode } from "../../errors/index.ts";
import { type AbsolutePath, absolutePath, type Digest, isDigest } from "../define/names.ts";
import type { ConcatenationPart } from "../files/concatenation-hash.ts";
import { digestOfBytes, digestOfFile } from "../files/digest.ts";
import { type BlobReference, copyWhole, statusOf } from "./blob-file.ts";
import { BlobParts, partsSuffix } from "./blob-parts.ts";
import { type BlobAccess, BlobPlacement } from "./blob-placement.ts";

/** From this many bytes on copying on a thread, which costs several switches between threads, is worth it. */
const threadPays = 256 * 1024;

/** Mode of a file while it is written: it may hold a secret. */
const fileMode = { mode: 0o600 } as const;

export class Store {
  readonly root: AbsolutePath;
  readonly #placement: BlobPlacement;
  readonly #parts: BlobParts;
  /** The status of each blob that was taken over while this process ran, with bytes that had just been checked. */
  readonly #adopted = new Map<Digest, string>();

  /** `temporaryRoot` is on the same file system, and emptied now and then: what a crash left half-written goes there. */
  constructor(root: AbsolutePath, temporaryRoot: AbsolutePath) {
    this.root = root;
    this.#parts = new BlobParts((digest) => this.pathOf(digest));
    this.#placement = new BlobPlacement((digest) => this.pathOf(digest), temporaryRoot);
  }

  /** Bytes that it held when it was last looked through, and what came since; undefined before that. */
  get expectedSize(): number | undefined {
    return this.#placement.expectedSize;
  }

  set expectedSize(bytes: number | undefined) {
    this.#placement.expectedSize = bytes;
  }

  /** Absolute path of a blob. @throws Error for a text that is no digest, which could name any file. */
  pathOf(digest: Digest): AbsolutePath {
    if (!isDigest(digest)) throw new Error("a blob is named by a sha256 in lower-case hex digits");
    return absolutePath(path.join(this.root, digest.slice(0, 2), digest.slice(2)));
  }

  /** Whether the content is there, whole or in parts. */
  has(digest: Digest): boolean {
    return existsSync(this.pathOf(digest)) || this.#parts.whole(digest) !== undefined;
  }

  /** The digests of the parts that a content is kept as; undefined for what is kept whole, or not at all. */
  partsOf(digest: Digest): readonly Digest[] | undefined {
    return this.#parts.of(digest);
  }

  /** The blobs that a content is kept as, in order; undefined for what is kept whole, or not at all. */
  blobsOf(digest: Digest): readonly BlobReference[] | undefined {
    if (existsSync(this.pathOf(digest))) return undefined;
    const blobs = this.#parts.whole(digest)?.map((blob) => ({
      digest: blob,
      size: statSync(this.pathOf(blob), { throwIfNoEntry: false })?.size ?? -1,
    }));
    return blobs?.some(({ size }) => size < 0) ? undefined : blobs;
  }

  /** Notes that a content is its parts, one behind the other, which are all there. It is checked when it is used. */
  putParts(digest: Digest, parts: readonly Digest[]): void {
    if (!this.has(digest)) this.#placeList(digest, parts);
  }

  #placeList(digest: Digest, parts: readonly Digest[]): void {
    const list = parts.map((part) => `${part}\n`).join("");
    this.#placement.placeAtOnce(digest, (beside) => writeFileSync(beside, list), "public", partsSuffix);
  }

  /** Stores a content as the list of its parts, and those of them that are not there. */
  async putConcatenation(
    parts: readonly ConcatenationPart[],
    digest: Digest,
    access: BlobAccess = "public",
  ): Promise<void> {
    for (const part of parts) {
      if ("file" in part) await this.putFile(part.file, part.digest, part.size, access);
      else if (this.has(part.digest)) this.#restrict(part.digest, access);
      else
        this.#placement.placeAtOnce(
          part.digest,
          (beside) => writeFileSync(beside, part.bytes, fileMode),
          access,
        );
    }
    if (existsSync(this.pathOf(digest))) return;
    this.#placeList(
      digest,
      parts.map((part) => part.digest),
    );
  }

  /** Makes existing blobs private: content that is private in one output is private everywhere. */
  #restrict(digest: Digest, access: BlobAccess): void {
    if (access === "public") return;
    for (const blob of this.#parts.whole(digest) ?? []) chmodSync(this.pathOf(blob), 0o400);
  }

  /** Removes a content, or the list of its parts. */
  async remove(digest: Digest): Promise<void> {
    const directory = path.dirname(this.pathOf(digest));
    if (lstatSync(directory, { throwIfNoEntry: false })?.isSymbolicLink()) return rm(directory);
    await rm(this.pathOf(digest), { recursive: true, force: true });
    await rm(`${this.pathOf(digest)}${partsSuffix}`, { recursive: true, force: true });
  }

  /** Stores a small text and returns its digest, which must be the text's where it is known. */
  putText(text: string, digest = digestOfBytes(text), access: BlobAccess = "public"): Digest {
    if (this.has(digest)) this.#restrict(digest, access);
    else this.#placement.placeAtOnce(digest, (beside) => writeFileSync(beside, text, fileMode), access);
    return digest;
  }

  /** The text of a blob, or undefined when it is not there or is damaged. */
  readText(digest: Digest): string | undefined {
    if (!isDigest(digest)) return undefined;
    try {
      const text = readFileSync(this.pathOf(digest), "utf8");
      return digestOfBytes(text) === digest ? text : undefined;
    } catch {
      return undefined;
    }
  }

  /** Copies a file of `size` bytes in (sharing its blocks where the file system can). The digest must be the file's. */
  async putFile(file: string, digest: Digest, size: number, access: BlobAccess = "public"): Promise<void> {
    if (this.has(digest)) return this.#restrict(digest, access);
    // The copy has the mode of the file, so it is never more open than that.
    if (size < threadPays)
      this.#placement.placeAtOnce(
        digest,
        (beside) => copyFileSync(file, beside, constants.COPYFILE_FICLONE),
        access,
      );
    else
      await this.#placement.place(
        digest,
        (beside) => copyFile(file, beside, constants.COPYFILE_FICLONE),
        access,
      );
  }

  /** Moves a file in, whose bytes were just found to have this digest; on another file system it is copied and removed. */
  async adopt(file: string, digest: Digest): Promise<void> {
    if (this.has(digest)) return rm(file, { force: true });
    await this.#placement.place(
      digest,
      async (beside) => {
        try {
          await rename(file, beside);
        } catch (error) {
          if (systemErrorCode(error) !== "EXDEV") throw error;
          await copyFile(file, beside);
          await rm(file);
        }
      },
      "public",
    );
    const status = statusOf(this.pathOf(digest));
    if (status !== undefined) this.#adopted.set(digest, status);
  }

  /** Whether the blob was checked when it came, and nobody touched it since. */
  #isAsAdopted(digest: Digest): boolean {
    const status = this.#adopted.get(digest);
    return status !== undefined && status === statusOf(this.pathOf(digest));
  }

  /**
   * Copies a blob to a path that does not exist, with this mode, and says whether its content is what its name says; it is
   * read for that unless it was taken over by this process. A blob that is not is removed from the store, so that it is made
   * anew.
   */
  async copyOut(
    digest: Digest,
    target: string,
    mode: number,
    read: (path: string, size: number) => Digest | Promise<Digest> = digestOfFile,
  ): Promise<boolean> {
    const blob = this.pathOf(digest);
    const parts = existsSync(blob) ? undefined : this.#parts.whole(digest);
    const copied =
      parts === undefined
        ? await copyWhole(blob, target)
        : await this.#copyParts(parts, target, mode).catch((error: unknown) => {
            if (systemErrorCode(error) === "ENOENT") return false;
            throw error;
          });
    if (copied) {
      await chmod(target, mode);
      if (this.#isAsAdopted(digest)) return true;
      if ((await read(target, (await stat(target)).size)) === digest) return true;
    }
    await this.#removeDamaged(digest, parts);
    return false;
  }

  /**
   * Stores what arrives when it has this digest and this size in bytes. False, and nothing is kept, when it does not: it is
   * given up as soon as it is too long. Rejects with what `chunks` throws.
   */
  async receive(digest: Digest, size: number, chunks: AsyncIterable<Uint8Array>): Promise<boolean> {
    if (this.has(digest)) return true;
    const beside = this.#placement.beside(digest);
    try {
      const sum = createHash("sha256");
      let received = 0;
      const measured = async function* (): AsyncGenerator<Uint8Array> {
        for await (const chunk of chunks) {
          received += chunk.length;
          if (received > size) return;
          sum.update(chunk);
          yield chunk;
        }
      };
      await pipeline(measured(), createWriteStream(beside, { flags: "wx", ...fileMode }));
      if (received !== size || sum.digest("hex") !== digest) return false;
      this.#placement.finish(beside, digest, "public");
      return true;
    } finally {
      await rm(beside, { force: true });
    }
  }

  /** The content as it is stored, unchecked, with its size in bytes; undefined where it is not there. */
  read(digest: Digest): { readonly size: number; readonly chunks: AsyncIterable<Uint8Array> } | undefined {
    const blobs = this.#parts.whole(digest);
    if (blobs === undefined) return undefined;
    const sizes = blobs.map((blob) => statSync(this.pathOf(blob), { throwIfNoEntry: false })?.size);
    let size = 0;
    for (const one of sizes) {
      if (one === undefined) return undefined;
      size += one;
    }
    return { size, chunks: this.#streamOf(blobs) };
  }

  async #copyParts(blobs: readonly Digest[], target: string, mode: number): Promise<boolean> {
    const out = createWriteStream(target, { flags: "wx", mode });
    await pipeline(this.#streamOf(blobs), out);
    return true;
  }

  async *#streamOf(blobs: readonly Digest[]): AsyncGenerator<Uint8Array> {
    for (const blob of blobs)
      yield* createReadStream(this.pathOf(blob), { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>;
  }

  /** Of what is kept in parts, those go that are not what their names say. */
  async #removeDamaged(digest: Digest, parts: readonly Digest[] | undefined): Promise<void> {
    await this.remove(digest);
    for (const part of parts ?? []) if (!(await this.isWhole(part))) await this.remove(part);
  }

  /** Whether the content, or that of all its parts, is what the digest says. */
  async isWhole(digest: Digest): Promise<boolean> {
    const blobs = this.#parts.whole(digest);
    if (blobs === undefined) return false;
    try {
      const hash = createHash("sha256");
      for await (const chunk of this.#streamOf(blobs)) hash.update(chunk);
      return hash.digest("hex") === digest;
    } catch (error) {
      if (systemErrorCode(error) === undefined) throw error;
      return false;
    }
  }
}
