/**
 * A squashfs file system as a tree, read without any tool. Names are bytes; contents stay packed until they are read. Only gzip,
 * which Tiny Core uses, is unpacked.
 *
 * Format: Linux `fs/squashfs/squashfs_fs.h`; `dir.c`, `file.c` and `fragment.c` beside it.
 */
import { type ErrorCode, UserError } from "../errors/index.ts";
import { createEntryLimit, createLimit, type UnpackLimits } from "./limits.ts";
import { decodeName, printName, printPath, rootPath } from "./names.ts";
import { openRegularFile } from "./regular-file.ts";
import { InodeReader, type SquashfsFile, type SquashfsInode } from "./squashfs-inode.ts";
import { MetadataCursor, readTableEntry, SquashfsSource } from "./squashfs-metadata.ts";
import { type InodeReference, parseSuperblock, type SquashfsSuperblock } from "./squashfs-superblock.ts";
import { FileTree } from "./tree.ts";
import type { TreeNode } from "./tree-node.ts";

/** A stretch of a file on disk: `path` is absolute, `offset` and `size` are bytes. */
export interface Stretch {
  readonly path: string;
  readonly offset: number;
  readonly size: number;
}

interface SquashfsTreeOptions {
  readonly limits?: UnpackLimits;
  /** Name of the file system in errors; by default the path. */
  readonly label?: string;
}

/**
 * The tree of the file system in `stretch`; its contents are unpacked when they are read, as long as the file stays as it is. The
 * root directory's own entry is left out.
 * @throws UserError `bad-squashfs`, `unsupported-compression`, `unsafe-name`, `duplicate-entry`, `unsafe-entry`, `bomb`
 */
export async function readSquashfsTree(
  stretch: Stretch,
  options: SquashfsTreeOptions = {},
): Promise<FileTree> {
  const label = options.label ?? stretch.path;
  return await withSource(stretch, label, (source, superblock) =>
    new TreeReader(source, superblock, { stretch, limits: options.limits ?? {} }).read(),
  );
}

const superblockSize = 96;

async function withSource<T>(
  stretch: Stretch,
  label: string,
  use: (source: SquashfsSource, superblock: SquashfsSuperblock) => Promise<T>,
): Promise<T> {
  const handle = await openRegularFile(stretch.path, label);
  try {
    return await use(...(await openSource(handle, stretch, label)));
  } finally {
    await handle.close();
  }
}

async function openSource(
  handle: Awaited<ReturnType<typeof openRegularFile>>,
  stretch: Stretch,
  label: string,
): Promise<readonly [SquashfsSource, SquashfsSuperblock]> {
  const source = new SquashfsSource(handle, stretch, label);
  const head = await source.read(0, Math.min(superblockSize, stretch.size));
  const superblock = parseSuperblock(head, stretch.size, label);
  if (superblock.compression === "gzip") return [source, superblock];
  throw new UserError(
    `the squashfs file is compressed with ${superblock.compression}; only gzip is supported`,
    {
      code: "unsupported-compression",
      where: printName(label),
      hint: "list it with unsquashfs -ll, or pack it with gzip",
    },
  );
}

/** Bytes of a directory entry, and of the header before up to 256 of them. */
const headerSize = 12;
const entrySize = 8;
const mostEntries = 256;

/** The size of a directory counts `.` and `..`, which are not stored, as three bytes. */
const impliedSize = 3;

class TreeReader {
  readonly #source: SquashfsSource;
  readonly #superblock: SquashfsSuperblock;
  readonly #stretch: Stretch;
  readonly #inodes: InodeReader;
  readonly #count: (path: string) => void;
  readonly #checkSize: (takenIn: number, givenOut: number) => void;
  readonly #tree = new FileTree();
  /** Directories that were entered: an honest one has one parent. */
  readonly #entered = new Set<string>();
  #unpacked = 0;

  constructor(
    source: SquashfsSource,
    superblock: SquashfsSuperblock,
    { stretch, limits }: { readonly stretch: Stretch; readonly limits: UnpackLimits },
  ) {
    this.#source = source;
    this.#superblock = superblock;
    this.#stretch = stretch;
    this.#inodes = new InodeReader(source, superblock);
    this.#count = createEntryLimit(limits, printName(source.label));
    this.#checkSize = createLimit(limits, printName(source.label));
  }

  async read(): Promise<FileTree> {
    const root = await this.#inodes.read(this.#superblock.root);
    if (root.type !== "directory") throw this.#source.bad("its root is not a directory");
    await this.#enter(root, "");
    return this.#tree;
  }

  async #enter(inode: SquashfsInode & { readonly type: "directory" }, directory: string): Promise<void> {
    let left = inode.size - impliedSize;
    if (left <= 0) return;
    const { block, offset } = inode.listing;
    const place = `${block}:${offset}`;
    if (this.#entered.has(place)) throw this.#source.bad(`${printPath(directory)} is a directory in itself`);
    this.#entered.add(place);
    const cursor = new MetadataCursor(this.#source, {
      position: this.#superblock.tables.directories + block,
      offset,
    });
    while (left > 0) {
      const header = await cursor.read(headerSize);
      const entries = header.readUInt32LE(0) + 1;
      if (entries > mostEntries) throw this.#source.bad("a directory has an invalid header");
      left -= headerSize;
      for (let index = 0; index < entries; index += 1) {
        const entry = await cursor.read(entrySize);
        const length = entry.readUInt16LE(6) + 1;
        left -= entrySize + length;
        if (left < 0) throw this.#source.bad("a directory is longer than its size");
        const name = this.#nameOf(await cursor.read(length), directory);
        await this.#add({ block: header.readUInt32LE(4), offset: entry.readUInt16LE(0) }, name, directory);
      }
    }
  }

  #nameOf(bytes: Buffer, directory: string): string {
    const name = decodeName(bytes);
    if (bytes.length <= 256 && !/^\.{0,2}$|[/\0]/.test(name)) return name;
    throw this.#refusal("unsafe-name", `contains the name ${printPath(name)}`, directory || rootPath);
  }

  async #add(reference: InodeReference, name: string, directory: string): Promise<void> {
    const path = directory === "" ? name : `${directory}/${name}`;
    this.#count(path);
    if (this.#tree.has(path))
      throw this.#refusal("duplicate-entry", `contains ${printPath(path)} twice`, path);
    const inode = await this.#inodes.read(reference);
    this.#tree.set(path, this.#nodeOf(inode, `${reference.block}:${reference.offset}`, path));
    if (inode.type === "directory") await this.#enter(inode, path);
  }

  #nodeOf(inode: SquashfsInode, reference: string, path: string): TreeNode {
    const { mode, uid, gid, mtime, type } = inode;
    const metadata = { mode, uid, gid, mtime };
    switch (type) {
      case "directory":
      case "fifo":
        return { type, ...metadata };
      case "symlink":
        return { type, target: inode.target, ...metadata };
      case "char":
      case "block":
        return { type, major: inode.major, minor: inode.minor, ...metadata };
      case "socket":
        throw this.#refusal("unsafe-entry", `contains the socket ${printPath(path)}`, path);
      case "file": {
        this.#unpacked += inode.file.size;
        this.#checkSize(this.#stretch.size, this.#unpacked);
        const [stretch, { label }] = [this.#stretch, this.#source];
        const unpack = () => unpackFile(stretch, label, inode.file);
        const content = { kind: "packed", size: inode.file.size, unpack } as const;
        return { type, content, ...metadata, ...(inode.links > 1 ? { linkGroup: reference } : {}) };
      }
    }
  }

  #refusal(code: ErrorCode, what: string, path: string): UserError {
    return new UserError(`the squashfs file ${what}`, {
      code,
      where: `${printName(this.#source.label)}: ${printPath(path)}`,
      hint: "get the file from a source that you trust",
    });
  }
}

const isUncompressed = 1 << 24;

/** The bytes of one file, block by block. */
async function* unpackFile(stretch: Stretch, label: string, file: SquashfsFile): AsyncGenerator<Uint8Array> {
  const handle = await openRegularFile(stretch.path, label);
  try {
    const [source, superblock] = await openSource(handle, stretch, label);
    const { blockSize } = superblock;
    const inFragment = file.fragment === undefined ? 0 : file.size % blockSize;
    const sizes = new MetadataCursor(source, file.blockSizes);
    let position = file.start;
    for (let left = file.size - inFragment; left > 0; left -= blockSize) {
      const length = Math.min(blockSize, left);
      const size = (await sizes.read(4)).readUInt32LE(0);
      const block = await readBlock(source, position, size, length);
      if (block.length !== length) throw source.bad("a block has an unexpected size");
      yield block;
      position += size & ~isUncompressed;
    }
    if (file.fragment === undefined || inFragment === 0) return;
    const { index, offset } = file.fragment;
    const entry = await readTableEntry(source, superblock.tables.fragments, index, 16);
    const block = await readBlock(source, Number(entry.readBigUInt64LE(0)), entry.readUInt32LE(8), blockSize);
    if (offset + inFragment > block.length) throw source.bad("a file ends behind its fragment");
    yield block.subarray(offset, offset + inFragment);
  } finally {
    await handle.close();
  }
}

/** A data block, unpacked to at most `most` bytes; a size of 0 stands for NULs. */
async function readBlock(
  source: SquashfsSource,
  position: number,
  size: number,
  most: number,
): Promise<Buffer> {
  const packed = size & ~isUncompressed;
  if (packed === 0) return Buffer.alloc(most);
  if (packed > most + (most >> 3) + 64) throw source.bad("a block has an invalid size");
  const bytes = await source.read(position, packed);
  return (size & isUncompressed) === 0 ? source.inflate(bytes, most) : bytes;
}
