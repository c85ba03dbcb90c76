/**
 * The hash of parts that lie one behind the other. That of much that seldom changes and little that often does need not
 * start from the beginning each time: it is kept as it was behind each large part. It does not know what the parts are for.
 */

import { createHash, type Hash } from "node:crypto";
import { open } from "node:fs/promises";
import type { Digest } from "../define/names.ts";
import { digestFrom } from "../define/names.ts";
import { digestOfParts } from "./digest.ts";

/** A part of a joined file: where its bytes are now, and their digest. */
export type ConcatenationPart = { readonly digest: Digest } & (
  | { readonly file: string; readonly size: number }
  | { readonly bytes: Uint8Array }
);

export interface Midpoint {
  /** Digest of the digests of all parts up to here. */
  readonly key: Digest;
  readonly hash: Hash;
}

const chunkSize = 1024 * 1024;
/** From this size (bytes) on it is worth to keep the hash behind a part. */
const large = 1024 * 1024;

export function sizeOf(part: ConcatenationPart): number {
  return "file" in part ? part.size : part.bytes.length;
}

/** The hash of what has been added so far, begun at the furthest midpoint that still holds. */
export class ConcatenationHash {
  readonly #known: readonly Midpoint[];
  readonly #keys: string[] = [];
  readonly #midpoints: Midpoint[] = [];
  #hash: Hash = createHash("sha256");
  /** Parts that the hash does not have yet: a midpoint further on may hold them all. */
  #pending: ConcatenationPart[] = [];

  constructor(known: readonly Midpoint[]) {
    this.#known = known;
  }

  /** Adds a part, and passes its bytes on to `write` where that is given. */
  async add(part: ConcatenationPart, write?: (chunk: Uint8Array) => Promise<void>): Promise<void> {
    this.#keys.push(part.digest);
    const key = digestOfParts(this.#keys);
    const known = this.#known.find((midpoint) => midpoint.key === key);
    const mayFollow = this.#known.length > 0 && this.#midpoints.length < this.#known.length;
    if (known !== undefined) {
      this.#pending = [];
      this.#hash = known.hash.copy();
      if (write !== undefined) for await (const chunk of bytesOf(part)) await write(chunk);
    } else if (mayFollow && "bytes" in part) {
      this.#pending.push(part);
      await write?.(part.bytes);
    } else {
      await this.#catchUp();
      for await (const chunk of bytesOf(part)) {
        // The hash is busy while the bytes are on their way to the disk.
        const written = write?.(chunk);
        this.#hash.update(chunk);
        await written;
      }
    }
    if (sizeOf(part) >= large) this.#midpoints.push({ key, hash: this.#hash.copy() });
  }

  async #catchUp(): Promise<void> {
    for (const part of this.#pending) for await (const chunk of bytesOf(part)) this.#hash.update(chunk);
    this.#pending = [];
  }

  end(): { readonly digest: Digest; readonly midpoints: readonly Midpoint[] } {
    for (const part of this.#pending) if ("bytes" in part) this.#hash.update(part.bytes);
    return { digest: digestFrom(this.#hash.digest("hex")), midpoints: this.#midpoints };
  }
}

/** The bytes, piece by piece; a piece is only valid until the next one is asked for. */
async function* bytesOf(part: ConcatenationPart): AsyncGenerator<Uint8Array> {
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
