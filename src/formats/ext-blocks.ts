/**
 * Where the blocks of files are in an ext2, ext3 or ext4 file system.
 *
 * Format: Linux, `Documentation/filesystems/ext4` (extent tree, indirect blocks).
 */
import type { DiskWindow, Run } from "./disk-window.ts";
import type { ExtInode } from "./ext-inode.ts";
import type { ExtSuperblock } from "./ext-superblock.ts";

const extentMagic = 0xf30a;
/** The deepest tree of extents. */
const deepest = 5;

export class ExtBlocks {
  readonly #window: DiskWindow;
  readonly #superblock: ExtSuperblock;
  /** Blocks of block numbers that were read. */
  #visited = 0;

  constructor(window: DiskWindow, superblock: ExtSuperblock) {
    this.#window = window;
    this.#superblock = superblock;
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
    const { blockSize } = this.#superblock;
    // What the superblock says of their number may be anything.
    const blocks = Math.floor(this.#window.part.size / blockSize);
    if (block <= 0 || block >= blocks) throw this.#bad("names a block that it does not have");
    // Each block of numbers belongs to one file, which is read once.
    this.#visited += 1;
    if (this.#visited > blocks) throw this.#bad("has blocks that several files share");
    return await this.#window.read(block * blockSize, blockSize);
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
