/**
 * The inodes of a squashfs file system: types, modes, owners, and where contents are. Paths are not known here.
 *
 * Format: Linux `fs/squashfs/squashfs_fs.h`, `struct squashfs_*_inode`; `fs/squashfs/inode.c`.
 */
import { decodeName } from "./names.ts";
import {
  MetadataCursor,
  type MetadataPlace,
  readTableEntry,
  type SquashfsSource,
} from "./squashfs-metadata.ts";
import type { InodeReference, SquashfsSuperblock } from "./squashfs-superblock.ts";
import type { Metadata } from "./tree-node.ts";

/** Where the bytes of a file are. */
export interface SquashfsFile {
  readonly size: number;
  /** Position of the first block. */
  readonly start: number;
  /** Undefined where the file has no part in a fragment block. */
  readonly fragment?: { readonly index: number; readonly offset: number };
  /** Where the sizes of its blocks are, four bytes each. */
  readonly blockSizes: MetadataPlace;
}

export type SquashfsInode = Metadata &
  (
    | { readonly type: "directory"; readonly listing: InodeReference; readonly size: number }
    | { readonly type: "file"; readonly file: SquashfsFile; readonly links: number }
    | { readonly type: "symlink"; readonly target: string }
    | { readonly type: "char" | "block"; readonly major: number; readonly minor: number }
    | { readonly type: "fifo" | "socket" }
  );

const noFragment = 0xffffffff;

/** PATH_MAX: Linux follows no longer link. */
const longestTarget = 4096;

/** Reads inodes of one file system; owners, which inodes name by an index, are remembered. */
export class InodeReader {
  readonly #source: SquashfsSource;
  readonly #superblock: SquashfsSuperblock;
  readonly #ids = new Map<number, number>();

  constructor(source: SquashfsSource, superblock: SquashfsSuperblock) {
    this.#source = source;
    this.#superblock = superblock;
  }

  /** @throws UserError `bad-squashfs` */
  async read({ block, offset }: InodeReference): Promise<SquashfsInode> {
    const cursor = new MetadataCursor(this.#source, {
      position: this.#superblock.tables.inodes + block,
      offset,
    });
    const base = await cursor.read(16);
    const metadata = {
      mode: base.readUInt16LE(2) & 0o7777,
      uid: await this.#id(base.readUInt16LE(4)),
      gid: await this.#id(base.readUInt16LE(6)),
      mtime: base.readUInt32LE(8),
    };
    switch (base.readUInt16LE(0)) {
      case 1: {
        const rest = await cursor.read(16);
        const listing = { block: rest.readUInt32LE(0), offset: rest.readUInt16LE(10) };
        return { type: "directory", listing, size: rest.readUInt16LE(8), ...metadata };
      }
      case 8: {
        const rest = await cursor.read(24);
        const listing = { block: rest.readUInt32LE(8), offset: rest.readUInt16LE(18) };
        return { type: "directory", listing, size: rest.readUInt32LE(4), ...metadata };
      }
      case 2: {
        const rest = await cursor.read(16);
        const file = { size: rest.readUInt32LE(12), start: rest.readUInt32LE(0) };
        const part = { index: rest.readUInt32LE(4), offset: rest.readUInt32LE(8) };
        return { type: "file", file: this.#file(file, part, cursor.place), links: 1, ...metadata };
      }
      case 9: {
        const rest = await cursor.read(40);
        const file = { size: this.#number(rest, 8), start: this.#number(rest, 0) };
        const part = { index: rest.readUInt32LE(28), offset: rest.readUInt32LE(32) };
        const links = rest.readUInt32LE(24);
        return { type: "file", file: this.#file(file, part, cursor.place), links, ...metadata };
      }
      case 3:
      case 10: {
        const length = (await cursor.read(8)).readUInt32LE(4);
        if (length === 0 || length >= longestTarget) throw this.#source.bad("a link has an invalid target");
        return { type: "symlink", target: decodeName(await cursor.read(length)), ...metadata };
      }
      case 4:
      case 11:
        return { type: "block", ...this.#device(await cursor.read(8)), ...metadata };
      case 5:
      case 12:
        return { type: "char", ...this.#device(await cursor.read(8)), ...metadata };
      case 6:
      case 13:
        return { type: "fifo", ...metadata };
      case 7:
      case 14:
        return { type: "socket", ...metadata };
      default:
        throw this.#source.bad("an inode has an unknown type");
    }
  }

  #file(
    file: Pick<SquashfsFile, "size" | "start">,
    part: { readonly index: number; readonly offset: number },
    /** Where the list of block sizes begins. */
    blockSizes: MetadataPlace,
  ): SquashfsFile {
    if (part.index !== noFragment && part.index >= this.#superblock.fragments) {
      throw this.#source.bad("a file refers to a fragment that does not exist");
    }
    return {
      ...file,
      ...(part.index === noFragment ? {} : { fragment: part }),
      blockSizes,
    };
  }

  /** The numbers as Linux's `new_decode_dev` has them. */
  #device(bytes: Buffer): { readonly major: number; readonly minor: number } {
    const number = bytes.readUInt32LE(4);
    return { major: (number & 0xfff00) >>> 8, minor: (number & 0xff) | ((number >>> 12) & 0xfff00) };
  }

  async #id(index: number): Promise<number> {
    const known = this.#ids.get(index);
    if (known !== undefined) return known;
    if (index >= this.#superblock.ids) throw this.#source.bad("an owner does not exist");
    const id = (await readTableEntry(this.#source, this.#superblock.tables.ids, index, 4)).readUInt32LE(0);
    this.#ids.set(index, id);
    return id;
  }

  #number(bytes: Buffer, offset: number): number {
    const number = Number(bytes.readBigUInt64LE(offset));
    if (!Number.isSafeInteger(number)) throw this.#source.bad("a file has an invalid size or position");
    return number;
  }
}
