/**
 * Files made of others, one behind the other: written, counted and hashed in one pass, and known by their parts, so
 * that the store need not hold them a second time. It knows nothing of what the parts are.
 *
 * A digest of much that seldom changes and little that often does need not start anew each time: the hash is kept as
 * it was behind each large part, for as long as the process lives.
 */
import { createHash, type Hash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { UserError } from "../errors/index.ts";
import { digestOfBytes, digestOfParts } from "./digest.ts";
import { DigestThread } from "./digest-thread.ts";
import { type FileTable, settleTime } from "./file-table.ts";
import type { AbsolutePath, Digest } from "./names.ts";

/** A whole file (absolute path), or bytes, which may still be on their way. */
export type Piece = { readonly file: string } | { readonly bytes: Uint8Array | Promise<Uint8Array> };

/** What was written: size in bytes, sha256 in hex. */
export interface Joined {
  readonly size: number;
  readonly sha256: string;
}

/** A part of a joined file: where its bytes are now, and their digest. */
export type JoinedPart = { readonly digest: Digest } & (
  | { readonly file: string; readonly size: number }
  | { readonly bytes: Uint8Array }
);

const chunkSize = 1024 * 1024;
/** From this size (bytes) on it is worth to keep the hash behind a part, or to use another thread. */
const large = 1024 * 1024;

interface Midpoint {
  /** Digest of the digests of all parts up to here. */
  readonly key: Digest;
  readonly hash: Hash;
}

export class Joiner {
  readonly #files: FileTable;
  readonly #thread = new DigestThread();
  readonly #written = new Map<string, { readonly digest: Digest; readonly parts: readonly JoinedPart[] }>();
  /** By purpose: the path that is written to. */
  readonly #midpoints = new Map<string, readonly Midpoint[]>();

  constructor(files: FileTable) {
    this.#files = files;
  }

  /** The parts of a file that was written here, provided that it is still meant by this digest. */
  partsOf(file: string, digest: Digest): readonly JoinedPart[] | undefined {
    const written = this.#written.get(file);
    return written?.digest === digest ? written.parts : undefined;
  }

  /** Whether the file was written here. */
  wrote(file: string): boolean {
    return this.#written.has(file);
  }

  forgetBelow(folder: string): void {
    for (const file of this.#written.keys()) if (file.startsWith(`${folder}/`)) this.#written.delete(file);
  }

  /**
   * Writes the pieces to `target` (absolute; replaced, mode 0644). @throws UserError `piece-changed` when a file is
   * written to meanwhile.
   */
  async join(target: string, pieces: readonly Piece[], signal: AbortSignal): Promise<Joined> {
    const out = await open(target, "w");
    const progress = new Progress(this.#midpoints.get(target) ?? []);
    const parts: JoinedPart[] = [];
    try {
      await out.chmod(0o644);
      for (const piece of pieces) {
        signal.throwIfAborted();
        const part = await this.#partOf(piece);
        parts.push(part);
        await progress.add(part, (chunk) => writeAll(out, chunk));
        this.#refuseChanged(part);
      }
    } finally {
      await out.close();
    }
    const { size, digest, midpoints } = progress.end();
    this.#midpoints.set(target, midpoints);
    settleTime(target);
    this.#files.vouch(target as AbsolutePath, digest);
    this.#written.set(target, { digest, parts });
    return { size, sha256: digest };
  }

  /** The sha256 of the pieces, one behind the other, computed on a thread of its own. */
  async digest(pieces: readonly Piece[]): Promise<string> {
    const parts = await Promise.all(pieces.map((piece) => this.#partOf(piece)));
    const digest = await this.#thread.digest(parts);
    for (const part of parts) this.#refuseChanged(part);
    return digest;
  }

  async #partOf(piece: Piece): Promise<JoinedPart> {
    if ("bytes" in piece) {
      const bytes = await piece.bytes;
      return { bytes, digest: digestOfBytes(bytes) };
    }
    const file = piece.file as AbsolutePath;
    // What this run saw before may have been written anew since: intermediate files have the same name each time.
    if (!this.#files.isUnchanged(file)) this.#files.forget(file);
    const entry = await this.#files.at(file);
    if (entry?.type === "file") return { file, digest: entry.digest, size: entry.size };
    throw new Error(`${file} is to be joined, and is no file`);
  }

  #refuseChanged(part: JoinedPart): void {
    if (!("file" in part) || this.#files.isUnchanged(part.file as AbsolutePath)) return;
    throw new UserError("the file changed while it was being read", {
      code: "piece-changed",
      where: part.file,
      hint: "build again when nothing writes to it any more",
    });
  }
}

/** The hash of what has been added so far, begun at the furthest midpoint that still holds. */
class Progress {
  readonly #known: readonly Midpoint[];
  readonly #keys: string[] = [];
  readonly #midpoints: Midpoint[] = [];
  #hash: Hash = createHash("sha256");
  /** Parts that the hash does not have yet: a midpoint further on may hold them all. */
  #pending: JoinedPart[] = [];
  #size = 0;

  constructor(known: readonly Midpoint[]) {
    this.#known = known;
  }

  async add(part: JoinedPart, write: (chunk: Uint8Array) => Promise<void>): Promise<void> {
    this.#keys.push(part.digest);
    const key = digestOfParts(this.#keys);
    const known = this.#known.find((midpoint) => midpoint.key === key);
    const mayFollow = this.#known.length > 0 && this.#midpoints.length < this.#known.length;
    let size = 0;
    if (known !== undefined) {
      this.#pending = [];
      this.#hash = known.hash.copy();
      for await (const chunk of bytesOf(part)) {
        size += chunk.length;
        await write(chunk);
      }
    } else if (mayFollow && "bytes" in part) {
      this.#pending.push(part);
      size = part.bytes.length;
      await write(part.bytes);
    } else {
      await this.#catchUp();
      for await (const chunk of bytesOf(part)) {
        size += chunk.length;
        // The hash is busy while the bytes are on their way to the disk.
        const written = write(chunk);
        this.#hash.update(chunk);
        await written;
      }
    }
    this.#size += size;
    if (size >= large) this.#midpoints.push({ key, hash: this.#hash.copy() });
  }

  async #catchUp(): Promise<void> {
    for (const part of this.#pending) for await (const chunk of bytesOf(part)) this.#hash.update(chunk);
    this.#pending = [];
  }

  end(): { readonly size: number; readonly digest: Digest; readonly midpoints: readonly Midpoint[] } {
    for (const part of this.#pending) if ("bytes" in part) this.#hash.update(part.bytes);
    return { size: this.#size, digest: this.#hash.digest("hex") as Digest, midpoints: this.#midpoints };
  }
}

/** The bytes, piece by piece; a piece is only valid until the next one is asked for. */
async function* bytesOf(part: JoinedPart): AsyncGenerator<Uint8Array> {
  if ("bytes" in part) {
    yield part.bytes;
    return;
  }
  const handle = await open(part.file, "r");
  try {
    const buffer = Buffer.allocUnsafe(chunkSize);
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, chunkSize);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

async function writeAll(out: FileHandle, chunk: Uint8Array): Promise<void> {
  let done = 0;
  while (done < chunk.length) done += (await out.write(chunk, done)).bytesWritten;
}
