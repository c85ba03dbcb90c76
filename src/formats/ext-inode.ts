/**
 * The inodes of an ext2, ext3 or ext4 file system, and where their blocks are.
 *
 * Format: Linux, `Documentation/filesystems/ext4` (superblock, group descriptors, inodes, extents, indirect blocks) and
 * `fs/ext4/ext4.h` (feature flags).
 */
import type { DiskWindow, Run } from "./disk-window.ts";

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

interface ExtSuperblock {
  readonly blockSize: number;
  readonly blocks: number;
  readonly inodes: number;
  readonly inodesPerGroup: number;
  readonly inodeSize: number;
  /** Of a group descriptor. */
  readonly descriptorSize: number;
  /** Where the group descriptors begin, in bytes. */
  readonly descriptors: number;
  readonly hasFileTypes: boolean;
}

const superblockAt = 1024;
const magic = 0xef53;

/** Whether the bytes, at least 1082, begin such a file system. */
export function isExt(head: Buffer): boolean {
  return head.length >= superblockAt + 58 && head.readUInt16LE(superblockAt + 56) === magic;
}

const fileTypes = 0x2;
const wide = 0x80;
/** Incompatible features that make no difference to reading: file types, recovery, extents, 64 bits, MMP, flexible groups, … */
const readable = fileTypes | 0x4 | 0x40 | wide | 0x100 | 0x200 | 0x400 | 0x2000 | 0x4000 | 0x20000;
const featureNames: Readonly<Record<number, string>> = {
  1: "compression",
  8: "a journal device",
  16: "meta_bg",
  4096: "data in directory entries",
  32768: "inline data",
  65536: "encryption",
};

/** @throws UserError `bad-file-system`, `unsupported-file-system` */
export async function readSuperblock(window: DiskWindow): Promise<ExtSuperblock> {
  const bytes = await window.read(superblockAt, 1024);
  const incompatible = bytes.readUInt32LE(96);
  for (let flag = 1; flag !== 0 && flag <= 0x4000_0000; flag *= 2)
    if ((incompatible & flag & ~readable) !== 0)
      throw window.unsupported(featureNames[flag] ?? `the feature 0x${flag.toString(16)}`);
  const [blockBits, isOld] = [bytes.readUInt32LE(24), bytes.readUInt32LE(76) === 0];
  if (blockBits > 6) throw window.bad("is damaged: its superblock has no valid block size");
  const blockSize = 1024 << blockBits;
  const inodeSize = isOld ? 128 : bytes.readUInt16LE(88);
  const inodesPerGroup = bytes.readUInt32LE(40);
  if (inodeSize < 128 || inodeSize > blockSize || inodesPerGroup === 0)
    throw window.bad("is damaged: its superblock has no valid inodes");
  const isWide = (incompatible & wide) !== 0;
  const descriptorSize = isWide ? bytes.readUInt16LE(254) : 32;
  if (descriptorSize < 32 || descriptorSize > blockSize)
    throw window.bad("is damaged: its superblock has no valid groups");
  return {
    ...{ blockSize, inodeSize, inodesPerGroup, descriptorSize },
    blocks: bytes.readUInt32LE(4) + (isWide ? bytes.readUInt32LE(0x150) * 2 ** 32 : 0),
    inodes: bytes.readUInt32LE(0),
    descriptors: (bytes.readUInt32LE(20) + 1) * blockSize,
    hasFileTypes: (incompatible & fileTypes) !== 0,
  };
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
const extentMagic = 0xf30a;
/** The deepest tree of extents (ext4, "Extent Tree"). */
const deepest = 5;
/** Bytes of inodes that are read at once: those of one directory are mostly neighbours. */
const pageSize = 16 * 1024;
const mostPages = 64;

export class ExtInodes {
  readonly #window: DiskWindow;
  readonly #superblock: ExtSuperblock;
  readonly #pages = new Map<number, Buffer>();
  readonly #tables = new Map<number, number>();
  /** Blocks of block numbers that were read. */
  #visited = 0;

  constructor(window: DiskWindow, superblock: ExtSuperblock) {
    this.#window = window;
    this.#superblock = superblock;
  }

  /** The same file system, opened again. */
  on(window: DiskWindow): ExtInodes {
    return new ExtInodes(window, this.#superblock);
  }

  get blockSize(): number {
    return this.#superblock.blockSize;
  }

  get hasFileTypes(): boolean {
    return this.#superblock.hasFileTypes;
  }

  async read(number: number): Promise<ExtInode> {
    const { inodes, inodesPerGroup, inodeSize } = this.#superblock;
    if (number < 1 || number > inodes) throw this.#bad(`names the inode ${number}, which it does not have`);
    const group = Math.floor((number - 1) / inodesPerGroup);
    const table = await this.#table(group);
    return this.#parse(await this.#page(table + ((number - 1) % inodesPerGroup) * inodeSize, inodeSize));
  }

  /** Where the bytes of a file, a directory or a long link are, from its beginning to its size. */
  async *runs(inode: ExtInode): AsyncGenerator<Run> {
    const { blockSize } = this.#superblock;
    let done = 0;
    const upTo = (end: number, size: number): number => Math.max(0, Math.min(size, end));
    for await (const { first, block, count } of this.#extents(inode)) {
      const start = first * blockSize;
      if (start < done) throw this.#bad("has a file with overlapping extents");
      if (start >= inode.size) break;
      if (start > done) yield { at: undefined, size: start - done };
      const size = upTo(inode.size - start, count * blockSize);
      yield { at: block === undefined ? undefined : block * blockSize, size };
      done = start + size;
    }
    if (done < inode.size) yield { at: undefined, size: inode.size - done };
  }

  /** Where the whole file lies, if it has one extent, which the inode itself names. */
  onlyRun({ map, size, hasExtents }: ExtInode): number | undefined {
    const isOne = hasExtents && map.readUInt16LE(2) === 1 && map.readUInt16LE(6) === 0;
    if (!isOne || map.readUInt16LE(0) !== extentMagic) return undefined;
    const { blockSize } = this.#superblock;
    const { first, block, count } = extentOf(map.subarray(12, 24));
    const isWhole = first === 0 && block !== undefined && count * blockSize >= size;
    return isWhole && block * blockSize + size <= this.#window.part.size ? block * blockSize : undefined;
  }

  async *#extents(inode: ExtInode): AsyncGenerator<Extent> {
    if (inode.hasExtents) yield* this.#extentTree(inode.map, deepest);
    else yield* this.#blockMap(inode);
  }

  async *#extentTree(node: Buffer, mostDepth: number): AsyncGenerator<Extent> {
    const [entries, depth] = [node.readUInt16LE(2), node.readUInt16LE(6)];
    if (node.readUInt16LE(0) !== extentMagic || 12 + entries * 12 > node.length || depth > mostDepth)
      throw this.#bad("has a damaged tree of extents");
    for (let index = 0; index < entries; index += 1) {
      const entry = node.subarray(12 + index * 12, 24 + index * 12);
      if (depth > 0) {
        const block = entry.readUInt32LE(4) + entry.readUInt16LE(8) * 2 ** 32;
        yield* this.#extentTree(await this.#block(block), depth - 1);
        continue;
      }
      yield extentOf(entry);
    }
  }

  /** Twelve blocks, then blocks of block numbers, one to three deep. */
  async *#blockMap({ map, size }: ExtInode): AsyncGenerator<Extent> {
    const { blockSize } = this.#superblock;
    const perBlock = blockSize / 4;
    const wanted = Math.ceil(size / blockSize);
    let first = 0;
    for (let index = 0; index < 12 && first < wanted; index += 1, first += 1) {
      const block = map.readUInt32LE(index * 4);
      if (block !== 0) yield { first, block, count: 1 };
    }
    for (let depth = 1; depth <= 3 && first < wanted; depth += 1) {
      const covered = perBlock ** depth;
      yield* this.#indirect(map.readUInt32LE((11 + depth) * 4), depth, first, wanted);
      first += covered;
    }
  }

  async *#indirect(block: number, depth: number, start: number, wanted: number): AsyncGenerator<Extent> {
    if (block === 0 || start >= wanted) return;
    const numbers = await this.#block(block);
    const covered = (this.#superblock.blockSize / 4) ** (depth - 1);
    for (
      let index = 0, first = start;
      index * 4 < numbers.length && first < wanted;
      index += 1, first += covered
    ) {
      const number = numbers.readUInt32LE(index * 4);
      if (depth > 1) yield* this.#indirect(number, depth - 1, first, wanted);
      else if (number !== 0) yield { first, block: number, count: 1 };
    }
  }

  async #block(block: number): Promise<Buffer> {
    const { blockSize, blocks } = this.#superblock;
    if (block <= 0 || block >= blocks) throw this.#bad("names a block that it does not have");
    // Each block of numbers belongs to one file, which is read once.
    this.#visited += 1;
    if (this.#visited > blocks) throw this.#bad("has blocks that several files share");
    return await this.#window.read(block * blockSize, blockSize);
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

interface Extent {
  /** The first block of the file that it has. */
  readonly first: number;
  /** Undefined for blocks that read as NULs. */
  readonly block: number | undefined;
  readonly count: number;
}

function extentOf(entry: Buffer): Extent {
  const length = entry.readUInt16LE(4);
  // More than 32768 stands for blocks that are reserved, and read as NULs.
  const isWritten = length <= 32768;
  const block = entry.readUInt32LE(8) + entry.readUInt16LE(6) * 2 ** 32;
  const count = isWritten ? length : length - 32768;
  return { first: entry.readUInt32LE(0), block: isWritten ? block : undefined, count };
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
