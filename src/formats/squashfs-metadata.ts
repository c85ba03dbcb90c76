/**
 * The metadata of a squashfs file system: blocks of at most 8 KiB, each compressed for itself, read as one stream of bytes. What
 * the bytes mean is not known here.
 *
 * Format: Linux `Documentation/filesystems/squashfs.rst` and `fs/squashfs/squashfs_fs.h`.
 */
import type { FileHandle } from "node:fs/promises";
import { inflateSync } from "node:zlib";
import { UserError } from "../errors/index.ts";
import { printName } from "./names.ts";

const metadataSize = 8192;
const isUncompressed = 0x8000;

/** Unpacked blocks that are kept: inodes that belong together lie together. */
const mostBlocks = 256;

interface MetadataBlock {
  readonly bytes: Buffer;
  /** Position of the next block. */
  readonly next: number;
}

/** An open squashfs file system: a stretch of a file. Positions are bytes from its start. */
export class SquashfsSource {
  /** How errors name it. */
  readonly label: string;
  readonly #handle: FileHandle;
  readonly #offset: number;
  readonly #size: number;
  readonly #blocks = new Map<number, MetadataBlock>();

  constructor(
    handle: FileHandle,
    { offset, size }: { readonly offset: number; readonly size: number },
    label: string,
  ) {
    this.#handle = handle;
    this.#offset = offset;
    this.#size = size;
    this.label = label;
  }

  /** Exactly these bytes. @throws UserError `bad-squashfs` where they are not all there */
  async read(position: number, length: number): Promise<Buffer> {
    if (!Number.isSafeInteger(position) || position < 0 || position + length > this.#size) {
      throw this.bad("a table or a block lies outside it");
    }
    const { buffer, bytesRead } = await this.#handle.read(
      Buffer.allocUnsafe(length),
      0,
      length,
      this.#offset + position,
    );
    if (bytesRead < length) throw this.bad("it is truncated");
    return buffer;
  }

  /** @throws UserError `bad-squashfs` */
  inflate(packed: Buffer, most: number): Buffer {
    try {
      return inflateSync(packed, { maxOutputLength: most });
    } catch (cause) {
      throw this.bad("a block cannot be unpacked", cause);
    }
  }

  /** The metadata block at `position`, unpacked. */
  async block(position: number): Promise<MetadataBlock> {
    const held = this.#blocks.get(position);
    if (held !== undefined) return held;
    const header = (await this.read(position, 2)).readUInt16LE(0);
    const size = header & ~isUncompressed;
    if (size === 0 || size > metadataSize) throw this.bad("a metadata block has an invalid size");
    const packed = await this.read(position + 2, size);
    const bytes = (header & isUncompressed) === 0 ? this.inflate(packed, metadataSize) : packed;
    const block = { bytes, next: position + 2 + size };
    if (this.#blocks.size >= mostBlocks) this.#blocks.clear();
    this.#blocks.set(position, block);
    return block;
  }

  bad(why: string, cause?: unknown): UserError {
    return new UserError(`the squashfs file is damaged: ${why}`, {
      code: "bad-squashfs",
      where: printName(this.label),
      hint: "download or build the file again",
      cause,
    });
  }
}

/** `position` is that of a block, `offset` counts bytes in it, unpacked. */
export interface MetadataPlace {
  readonly position: number;
  readonly offset: number;
}

/** Reads metadata from a place on, across blocks. */
export class MetadataCursor {
  readonly #source: SquashfsSource;
  #position: number;
  #offset: number;

  constructor(source: SquashfsSource, { position, offset }: MetadataPlace) {
    this.#source = source;
    this.#position = position;
    this.#offset = offset;
  }

  /** Where the next byte is. */
  get place(): MetadataPlace {
    return { position: this.#position, offset: this.#offset };
  }

  /** The next `length` bytes. @throws UserError `bad-squashfs` */
  async read(length: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    let left = length;
    for (;;) {
      const { bytes, next } = await this.#source.block(this.#position);
      if (this.#offset > bytes.length) throw this.#source.bad("a reference leads behind its block");
      const piece = bytes.subarray(this.#offset, this.#offset + left);
      this.#offset += piece.length;
      left -= piece.length;
      if (left === 0 && pieces.length === 0) return piece;
      pieces.push(piece);
      if (left === 0) return Buffer.concat(pieces);
      // Only the last block of a table is not full.
      if (bytes.length < metadataSize) throw this.#source.bad("its metadata is truncated");
      this.#position = next;
      this.#offset = 0;
    }
  }
}

/**
 * Entry `index` of a table of entries of `entrySize` bytes, whose blocks are listed at `table`: each position has 8 bytes.
 * @throws UserError `bad-squashfs`
 */
export async function readTableEntry(
  source: SquashfsSource,
  table: number,
  index: number,
  entrySize: number,
): Promise<Buffer> {
  const at = index * entrySize;
  const position = await source.read(table + Math.floor(at / metadataSize) * 8, 8);
  const cursor = new MetadataCursor(source, {
    position: Number(position.readBigUInt64LE(0)),
    offset: at % metadataSize,
  });
  return await cursor.read(entrySize);
}
