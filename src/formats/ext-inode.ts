/**
 * The inodes of an ext2, ext3 or ext4 file system.
 *
 * Format: Linux, `Documentation/filesystems/ext4` (group descriptors, inodes).
 */
import type { DiskWindow } from "./disk-window.ts";
import type { ExtSuperblock } from "./ext-superblock.ts";

export interface ExtInode {
  readonly type: "file" | "directory" | "symlink" | "char" | "block" | "fifo" | "socket";
  /** The 12 permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  readonly size: number;
  readonly links: number;
  readonly device: { readonly major: number; readonly minor: number };
  /** The target of a short link, which lies in the inode. */
  readonly inline: Buffer | undefined;
  /** The 60 bytes that say where the blocks are. */
  readonly map: Buffer;
  readonly hasExtents: boolean;
}

const types: Readonly<Record<number, ExtInode["type"]>> = {
  1: "fifo",
  2: "char",
  4: "directory",
  6: "block",
  8: "file",
  10: "symlink",
  12: "socket",
};

const extentsFlag = 0x80000;
const encryptedFlag = 0x800;
/** Bytes of inodes that are read at once: those of one directory are mostly neighbours. */
const pageSize = 16 * 1024;
const mostPages = 64;

export class ExtInodes {
  readonly #window: DiskWindow;
  readonly #superblock: ExtSuperblock;
  readonly #pages = new Map<number, Buffer>();
  readonly #tables = new Map<number, number>();

  constructor(window: DiskWindow, superblock: ExtSuperblock) {
    this.#window = window;
    this.#superblock = superblock;
  }

  async read(number: number): Promise<ExtInode> {
    const { inodes, inodesPerGroup, inodeSize } = this.#superblock;
    if (number < 1 || number > inodes) throw this.#bad(`names the inode ${number}, which it does not have`);
    const group = Math.floor((number - 1) / inodesPerGroup);
    const table = await this.#table(group);
    return this.#parse(await this.#page(table + ((number - 1) % inodesPerGroup) * inodeSize, inodeSize));
  }

  /** Where the inodes of a group begin, in bytes. */
  async #table(group: number): Promise<number> {
    const known = this.#tables.get(group);
    if (known !== undefined) return known;
    const { descriptors, descriptorSize, blockSize } = this.#superblock;
    const bytes = await this.#window.read(descriptors + group * descriptorSize, descriptorSize);
    const high = descriptorSize >= 64 ? bytes.readUInt32LE(0x28) : 0;
    const table = (bytes.readUInt32LE(8) + high * 2 ** 32) * blockSize;
    this.#tables.set(group, table);
    return table;
  }

  async #page(at: number, length: number): Promise<Buffer> {
    const number = Math.floor(at / pageSize);
    const start = number * pageSize;
    let page = this.#pages.get(number);
    if (page === undefined) {
      if (start >= this.#window.part.size) throw this.#bad("is truncated");
      page = await this.#window.read(start, Math.min(pageSize, this.#window.part.size - start));
      if (this.#pages.size >= mostPages) this.#pages.delete(this.#pages.keys().next().value ?? 0);
      this.#pages.set(number, page);
    }
    const bytes = page.subarray(at - start, at - start + length);
    if (bytes.length < length) throw this.#bad("is truncated");
    return bytes;
  }

  #parse(bytes: Buffer): ExtInode {
    const word = bytes.readUInt16LE(0);
    const type = types[word >> 12];
    const flags = bytes.readUInt32LE(32);
    if (type === undefined) throw this.#bad("has an entry whose inode is none");
    if ((flags & encryptedFlag) !== 0) throw this.#window.unsupported("encryption");
    const map = Buffer.from(bytes.subarray(40, 100));
    const isLarge = type === "file" || type === "directory";
    const size = bytes.readUInt32LE(4) + (isLarge ? bytes.readUInt32LE(0x6c) * 2 ** 32 : 0);
    if (!Number.isSafeInteger(size)) throw this.#bad("has a file whose size is none");
    const isShort = type === "symlink" && size < map.length && (flags & extentsFlag) === 0;
    return {
      ...{ type, size, map, mode: word & 0o7777 },
      uid: bytes.readUInt16LE(2) + bytes.readUInt16LE(0x78) * 65536,
      gid: bytes.readUInt16LE(24) + bytes.readUInt16LE(0x7a) * 65536,
      mtime: mtimeOf(bytes),
      links: bytes.readUInt16LE(26),
      device: deviceOf(map),
      inline: isShort ? map.subarray(0, size) : undefined,
      hasExtents: (flags & extentsFlag) !== 0,
    };
  }

  #bad(why: string) {
    return this.#window.bad(`is damaged: it ${why}`);
  }
}

/** Large inodes have two more bits of the time (ext4, "Inode Timestamps"). */
function mtimeOf(bytes: Buffer): number {
  const seconds = bytes.readInt32LE(16);
  const extra = bytes.length >= 0x8c ? bytes.readUInt16LE(0x80) : 0;
  return extra < 0x8c - 0x80 ? seconds : seconds + (bytes.readUInt32LE(0x88) & 3) * 2 ** 32;
}

/** `old_decode_dev` and `new_decode_dev` (Linux, include/linux/kdev_t.h). */
function deviceOf(map: Buffer): { readonly major: number; readonly minor: number } {
  const [old, current] = [map.readUInt32LE(0), map.readUInt32LE(4)];
  if (old !== 0) return { major: (old >> 8) & 255, minor: old & 255 };
  return { major: (current & 0xfff00) >> 8, minor: (current & 255) | ((current >>> 12) & 0xfff00) };
}
