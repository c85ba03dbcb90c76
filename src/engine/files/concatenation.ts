/**
 * Files made of others, one behind the other: written, counted and hashed in one pass, and known by their parts, so
 * that the store need not hold them a second time. A process that made a file before writes only what differs into a
 * copy of it.
 */

import { type FileHandle, open } from "node:fs/promises";
import { UserError } from "../../errors/index.ts";
import type { AbsolutePath, Digest } from "../define/names.ts";
import { absolutePath } from "../define/names.ts";
import type { Chunk, Concatenation } from "../define/task-context-types.ts";
import { ConcatenationHash, type ConcatenationPart, type Midpoint, sizeOf } from "./concatenation-hash.ts";
import { digestOfBytes } from "./digest.ts";
import { DigestThread } from "./hash-worker.ts";
import { type PlacedPart, PreviousOutputs } from "./previous-output.ts";
import { markMtime, type StatCache } from "./stat-cache.ts";

export class Concatenator {
  readonly #files: StatCache;
  readonly #thread = new DigestThread();
  readonly #written = new Map<
    string,
    { readonly digest: Digest; readonly parts: readonly ConcatenationPart[] }
  >();
  readonly #previousOutputs = new PreviousOutputs();
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

  /** What was written at `from` was renamed to `to`, and the stat cache knows. */
  moved(from: AbsolutePath, to: AbsolutePath): void {
    const written = this.#written.get(from);
    const signature = this.#files.signatureSeen(to);
    if (written === undefined || signature === undefined) return;
    const parts = written.parts.map((part) => ({ digest: part.digest, size: sizeOf(part) }));
    this.#previousOutputs.remember(from, to, signature, parts);
  }

  /** Files will soon be joined below this directory, where some were before: what can be done ahead begins. */
  anticipate(directory: string): void {
    this.#previousOutputs.anticipate(directory);
  }

  /** What was done ahead and not used is removed. */
  giveUp(): Promise<void> {
    return this.#previousOutputs.giveUp();
  }

  forgetBelow(directory: string): void {
    for (const file of this.#written.keys()) if (file.startsWith(`${directory}/`)) this.#written.delete(file);
  }

  /**
   * Writes the pieces to `target` (absolute; replaced, mode 0644). @throws UserError `content-changed` when a file is
   * written to meanwhile.
   */
  async join(target: string, chunks: readonly Chunk[], signal: AbortSignal): Promise<Concatenation> {
    const there = await this.#previousOutputs.bring(target);
    const out = await open(target, there === undefined ? "w" : "r+");
    const writer = new PartWriter(out, there ?? []);
    const hash = new ConcatenationHash(this.#midpoints.get(target) ?? []);
    const parts: ConcatenationPart[] = [];
    let size: number;
    try {
      await out.chmod(0o644);
      for (const chunk of chunks) {
        signal.throwIfAborted();
        const part = await this.#partOf(chunk);
        parts.push(part);
        await hash.add(part, writer.next(part));
        this.#refuseChanged(part);
      }
      size = await writer.end();
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

/** Writes the parts into a file that may hold some of them already, each at its place. */
class PartWriter {
  readonly #out: FileHandle;
  /** What stands at an offset. */
  readonly #there = new Map<number, PlacedPart>();
  #offset = 0;

  constructor(out: FileHandle, there: readonly PlacedPart[]) {
    this.#out = out;
    let offset = 0;
    for (const part of there) {
      if (part.size > 0) this.#there.set(offset, part);
      offset += part.size;
    }
  }

  /** What writes the bytes of the next part; undefined where they stand there already. */
  next(part: ConcatenationPart): ((chunk: Uint8Array) => Promise<void>) | undefined {
    let at = this.#offset;
    this.#offset += sizeOf(part);
    if (this.#there.get(at)?.digest === part.digest) return undefined;
    return async (chunk) => {
      let done = 0;
      while (done < chunk.length) {
        const { bytesWritten } = await this.#out.write(chunk, done, chunk.length - done, at);
        done += bytesWritten;
        at += bytesWritten;
      }
    };
  }

  /** Cuts off what is left behind the last part, and tells the size of all (bytes). */
  async end(): Promise<number> {
    await this.#out.truncate(this.#offset);
    return this.#offset;
  }
}
