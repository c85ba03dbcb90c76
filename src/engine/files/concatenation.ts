/**
 * Files made of others, one behind the other: written, counted and hashed in one pass, and known by their parts, so
 * that the store need not hold them a second time. A process that made a file before writes only what differs into a
 * copy of it.
 */

import { open } from "node:fs/promises";
import { UserError } from "../../errors/index.ts";
import type { Digest } from "../define/names.ts";
import { absolutePath } from "../define/names.ts";
import type { Chunk, Concatenation } from "../define/task-context-types.ts";
import { ConcatenationHash, type ConcatenationPart, type Midpoint, sizeOf } from "./concatenation-hash.ts";
import { digestOfBytes } from "./digest.ts";
import { DigestThread } from "./hash-worker.ts";
import { markMtime, type StatCache } from "./stat-cache.ts";

export class Concatenator {
  readonly #files: StatCache;
  readonly #thread = new DigestThread();
  readonly #written = new Map<
    string,
    { readonly digest: Digest; readonly parts: readonly ConcatenationPart[] }
  >();
  /** By purpose: the path that is written to. */
  readonly #midpoints = new Map<string, readonly Midpoint[]>();

  constructor(files: StatCache) {
    this.#files = files;
  }

  /** The parts of a file that was written here, provided that it is still meant by this digest. */
  partsOf(file: string, digest: Digest): readonly ConcatenationPart[] | undefined {
    const written = this.#written.get(file);
    return written?.digest === digest ? written.parts : undefined;
  }

  /** Whether the file was written here. */
  wrote(file: string): boolean {
    return this.#written.has(file);
  }

  forgetBelow(directory: string): void {
    for (const file of this.#written.keys()) if (file.startsWith(`${directory}/`)) this.#written.delete(file);
  }

  /**
   * Writes the pieces to `target` (absolute; replaced, mode 0644). @throws UserError `content-changed` when a file is
   * written to meanwhile.
   */
  async join(target: string, chunks: readonly Chunk[], signal: AbortSignal): Promise<Concatenation> {
    const out = await open(target, "w");
    const hash = new ConcatenationHash(this.#midpoints.get(target) ?? []);
    const parts: ConcatenationPart[] = [];
    let size = 0;
    try {
      await out.chmod(0o644);
      for (const chunk of chunks) {
        signal.throwIfAborted();
        const part = await this.#partOf(chunk);
        parts.push(part);
        await hash.add(part, (chunk) => out.writeFile(chunk));
        this.#refuseChanged(part);
        size += sizeOf(part);
      }
    } finally {
      await out.close();
    }
    const { digest, midpoints } = hash.end();
    this.#midpoints.set(target, midpoints);
    markMtime(target);
    this.#files.recordWritten(absolutePath(target), digest);
    this.#written.set(target, { digest, parts });
    return { size, sha256: digest };
  }

  /** The sha256 of the pieces, one behind the other, computed on a thread of its own. */
  async digest(chunks: readonly Chunk[]): Promise<string> {
    const parts = await Promise.all(chunks.map((chunk) => this.#partOf(chunk)));
    const digest = await this.#thread.digest(parts);
    for (const part of parts) this.#refuseChanged(part);
    return digest;
  }

  async #partOf(chunk: Chunk): Promise<ConcatenationPart> {
    if ("bytes" in chunk) {
      const bytes = await chunk.bytes;
      return { bytes, digest: digestOfBytes(bytes) };
    }
    const file = absolutePath(chunk.file);
    // What this run saw before may have been written again since: intermediate files have the same name each time.
    if (!this.#files.isUnchanged(file)) this.#files.forget(file);
    const entry = await this.#files.at(file);
    if (entry?.type === "file") return { file, digest: entry.digest, size: entry.size };
    throw new Error(`${file} cannot be concatenated: it is not a regular file`);
  }

  #refuseChanged(part: ConcatenationPart): void {
    if (!("file" in part) || this.#files.isUnchanged(absolutePath(part.file))) return;
    throw new UserError("the file changed while it was being read", {
      code: "content-changed",
      where: part.file,
      hint: "run the build again when no program writes to the file any more",
    });
  }
}
