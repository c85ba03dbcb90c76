/**
 * The files of an ext2, ext3 or ext4 file system as a tree, read without any tool and without root. Contents stay where they are. A
 * journal is not replayed: what a crashed machine had only there is missing.
 *
 * Format: Linux, `Documentation/filesystems/ext4` and `fs/ext4/ext4.h`.
 */
import type { FileHandle } from "node:fs/promises";
import { type DiskPart, DiskWindow, type Run, readRuns } from "./disk-window.ts";
import { ExtBlocks } from "./ext-blocks.ts";
import { type ExtInode, ExtInodes } from "./ext-inode.ts";
import { type ExtSuperblock, readSuperblock } from "./ext-superblock.ts";
import { createEntryLimit, createLimit, defaultLimits, type UnpackLimits } from "./limits.ts";
import { decodeName, printName, printPath } from "./names.ts";
import { openRegularFile } from "./regular-file.ts";
import { FileTree } from "./tree.ts";
import type { FileNode, TreeNode } from "./tree-node.ts";

const rootInode = 2;
/** A directory is read whole; no honest one is larger. */
const largestDirectory = 64 * 1024 * 1024;
const longestTarget = 4096;

const problem = { code: "bad-file-system", what: "ext" } as const;

/**
 * The tree of the file system in `part` of the open disk; `label` is how errors name it.
 * @throws UserError `bad-file-system`, `unsupported-file-system`, `bomb`
 */
export async function readExtTree(
  handle: FileHandle,
  part: DiskPart,
  { label, limits = {} }: { readonly label: string; readonly limits?: UnpackLimits },
): Promise<FileTree> {
  const window = new DiskWindow(handle, part, { ...problem, label });
  return await new ExtReader(window, await readSuperblock(window), limits).read();
}

class ExtReader {
  readonly #window: DiskWindow;
  readonly #superblock: ExtSuperblock;
  readonly #inodes: ExtInodes;
  readonly #blocks: ExtBlocks;
  readonly #count: (path: string) => void;
  readonly #checkSize: (takenIn: number, givenOut: number) => void;
  readonly #tree = new FileTree();
  readonly #entered = new Set<number>();
  readonly #measured = new Set<number>();
  /** Bytes of all files, and of all directories, so far. */
  #held = 0;
  #listed = 0;

  constructor(window: DiskWindow, superblock: ExtSuperblock, limits: UnpackLimits) {
    this.#window = window;
    this.#superblock = superblock;
    this.#inodes = new ExtInodes(window, superblock);
    this.#blocks = new ExtBlocks(window, superblock);
    const where = printName(window.label);
    this.#count = createEntryLimit(limits, where);
    // Holes make files larger than the disk; a large disk is no bomb.
    const { maxBytes } = { ...defaultLimits, ...limits };
    const most = Math.max(maxBytes, window.part.size);
    this.#checkSize = createLimit({ ...limits, maxBytes: most, maxRatio: Number.POSITIVE_INFINITY }, where);
  }

  async read(): Promise<FileTree> {
    await this.#enter(await this.#inodes.read(rootInode), rootInode, "");
    return this.#tree;
  }

  async #enter(inode: ExtInode, number: number, directory: string): Promise<void> {
    if (inode.type !== "directory") throw this.#bad(directory, "is not a directory");
    if (this.#entered.has(number)) throw this.#bad(directory, "is a directory in itself");
    this.#entered.add(number);
    // No two directories of a valid file system share blocks.
    this.#listed += inode.size;
    if (inode.size > largestDirectory || this.#listed > this.#window.part.size)
      throw this.#bad(directory, "is too large for a directory");
    for (const { name, number: child } of await this.#entries(inode, directory)) {
      if (name === "." || name === "..") continue;
      if (name === "" || /[/\0]/.test(name))
        throw this.#bad(directory, `contains the name ${printName(name)}`);
      const path = directory === "" ? name : `${directory}/${name}`;
      this.#count(path);
      if (this.#tree.has(path)) throw this.#bad(path, "exists twice");
      const entry = await this.#inodes.read(child);
      const node = await this.#nodeOf(entry, child, path);
      if (node === undefined) continue;
      this.#tree.set(path, node);
      if (node.type === "directory") await this.#enter(entry, child, path);
    }
  }

  /** Inner nodes of an indexed directory look like free entries (ext4, "Hash Tree Directories"). */
  async #entries(
    inode: ExtInode,
    directory: string,
  ): Promise<readonly { readonly name: string; readonly number: number }[]> {
    const found: { readonly name: string; readonly number: number }[] = [];
    for await (const block of readRuns(this.#window, this.#runsByBlock(inode))) {
      const bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
      for (let at = 0; at + 8 <= bytes.length; ) {
        const number = bytes.readUInt32LE(at);
        // 65536 does not fit into the field.
        const length = bytes.readUInt16LE(at + 4);
        const step = length === 0xffff || length === 0 ? bytes.length - at : length;
        const size = this.#superblock.hasFileTypes ? (bytes[at + 6] ?? 0) : bytes.readUInt16LE(at + 6);
        if (step < 8 || step % 4 !== 0 || at + step > bytes.length || (number !== 0 && 8 + size > step))
          throw this.#bad(directory, "contains a damaged entry");
        if (number !== 0) found.push({ name: decodeName(bytes.subarray(at + 8, at + 8 + size)), number });
        at += step;
      }
    }
    return found;
  }

  /** One run a block: entries do not cross blocks. */
  async *#runsByBlock(inode: ExtInode): AsyncGenerator<Run> {
    const { blockSize } = this.#superblock;
    for await (const { at, size } of this.#blocks.runs(inode)) {
      // A hole in a directory has no entries.
      if (at === undefined) continue;
      for (let done = 0; done < size; done += blockSize)
        yield { at: at + done, size: Math.min(blockSize, size - done) };
    }
  }

  /** Undefined for a socket, which no image needs. */
  async #nodeOf(inode: ExtInode, number: number, path: string): Promise<TreeNode | undefined> {
    const { mode, uid, gid, mtime, type } = inode;
    const metadata = { mode, uid, gid, mtime };
    switch (type) {
      case "directory":
      case "fifo":
        return { type, ...metadata };
      case "char":
      case "block":
        return { type, ...inode.device, ...metadata };
      case "symlink":
        return { type, target: decodeName(await this.#target(inode, path)), ...metadata };
      case "file": {
        const isNew = !this.#measured.has(number);
        this.#measured.add(number);
        if (isNew) this.#held += inode.size;
        this.#checkSize(this.#window.part.size, this.#held);
        const content = this.#contentOf(inode);
        return { type, content, ...metadata, ...(inode.links > 1 ? { linkGroup: `${number}` } : {}) };
      }
      case "socket":
        return undefined;
    }
  }

  async #target(inode: ExtInode, path: string): Promise<Buffer> {
    if (inode.size === 0 || inode.size >= longestTarget)
      throw this.#bad(path, "is a link without a valid target");
    if (inode.inline !== undefined) return inode.inline;
    const pieces: Uint8Array[] = [];
    for await (const piece of readRuns(this.#window, this.#blocks.runs(inode))) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  /** A stretch of the disk where the inode says that the file is one; else what is put together when it is read. */
  #contentOf(inode: ExtInode): FileNode["content"] {
    const { path, offset } = this.#window.part;
    if (inode.size === 0) return { kind: "bytes", bytes: Buffer.alloc(0) };
    const only = this.#blocks.onlyRun(inode);
    if (only !== undefined) return { kind: "file", path, offset: offset + only, size: inode.size };
    const [{ part, label }, superblock] = [this.#window, this.#superblock];
    async function* unpack(): AsyncGenerator<Uint8Array> {
      const handle = await openRegularFile(part.path, label);
      try {
        const window = new DiskWindow(handle, part, { ...problem, label });
        yield* readRuns(window, new ExtBlocks(window, superblock).runs(inode));
      } finally {
        await handle.close();
      }
    }
    return { kind: "packed", size: inode.size, unpack };
  }

  #bad(path: string, why: string) {
    return this.#window.bad(`is damaged: ${path === "" ? "its root" : printPath(path)} ${why}`);
  }
}
