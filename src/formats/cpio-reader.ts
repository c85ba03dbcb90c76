/** Reads one newc archive that lies in a file on disk; contents stay there and are referred to by offset. */
import type { FileHandle } from "node:fs/promises";
import { type ErrorCode, UserError } from "../errors/index.ts";
import { contentSize, type FileContent } from "./content.ts";
import { headerSize, longestName, paddingOf, trailerName, typeBits } from "./cpio.ts";
import { decodeName, normaliseName, printName, printPath } from "./names.ts";
import { FileTree } from "./tree.ts";
import type { FileNode, TreeNode } from "./tree-node.ts";

const windowSize = 64 * 1024;
const fileTypes = new Map(
  Object.entries(typeBits).map(([type, bits]) => [bits, type as TreeNode["type"]] as const),
);

/** Bytes of an open file, read through a window of 64 KiB. */
export class FileWindow {
  /** Absolute; contents refer to it. */
  readonly path: string;
  /** What messages call the file. */
  readonly name: string;
  readonly #handle: FileHandle;
  #window: Buffer = Buffer.alloc(0);
  #start = 0;

  constructor(handle: FileHandle, path: string, name = path) {
    this.#handle = handle;
    this.path = path;
    this.name = name;
  }

  /** The bytes if they are in the window, without waiting; undefined otherwise. */
  held(offset: number, length: number): Buffer | undefined {
    const from = offset - this.#start;
    if (from < 0 || from + length > this.#window.length) return undefined;
    return this.#window.subarray(from, from + length);
  }

  /** Up to `length` bytes at `offset`: fewer only at the end of the file. */
  async read(offset: number, length: number): Promise<Buffer> {
    const held = this.held(offset, length);
    if (held !== undefined) return held;
    const window = Buffer.allocUnsafe(Math.max(windowSize, length));
    let filled = 0;
    while (filled < window.length) {
      const { bytesRead } = await this.#handle.read(window, filled, window.length - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    this.#window = window.subarray(0, filled);
    this.#start = offset;
    return this.#window.subarray(0, Math.min(length, filled));
  }
}

interface RawEntry {
  readonly name: string;
  readonly mode: number;
  readonly ino: number;
  readonly uid: number;
  readonly gid: number;
  readonly nlink: number;
  readonly mtime: number;
  readonly size: number;
  readonly device: string;
  readonly major: number;
  readonly minor: number;
  readonly dataAt: number;
  readonly nextAt: number;
}

interface CpioLimits {
  /** Called with the path of each entry; throws where there are too many. */
  readonly count?: (path: string) => void;
}

/**
 * Reads the archive that starts at `offset` and tells where it ends (after the trailer, a multiple of four from its start).
 * `size` is the length of the file: nothing may lie beyond it.
 * @throws UserError `bad-cpio` (cut off or damaged), `unsafe-name`, `duplicate-entry`, and what `count` throws
 */
export async function readCpio(
  file: FileWindow,
  offset: number,
  size: number,
  { count }: CpioLimits = {},
): Promise<{ readonly tree: FileTree; readonly end: number }> {
  const tree = new FileTree();
  const groups = new HardLinks();
  let at = offset;
  for (;;) {
    const entry = await readEntry(file, at, size);
    at = entry.nextAt;
    if (entry.name === trailerName) {
      groups.apply(tree);
      return { tree, end: at };
    }
    const path = normaliseName(entry.name, printName(file.name), { absolute: true });
    count?.(path);
    if (tree.has(path)) {
      throw fault("duplicate-entry", `the cpio archive contains ${printPath(path)} twice`, file, path);
    }
    const node = await nodeOf(file, entry, path);
    tree.set(path, node);
    if (entry.nlink >= 2 && node.type === "file") groups.add(`${entry.device}:${entry.ino}`, path, node);
  }
}

async function readEntry(file: FileWindow, at: number, limit: number): Promise<RawEntry> {
  const head = file.held(at, headerSize) ?? (await file.read(at, headerSize));
  const place = `offset ${at}`;
  if (head.length < headerSize) throw fault("bad-cpio", "the cpio archive is truncated", file, place);
  const magic = head.toString("latin1", 0, 6);
  if (magic !== "070701") {
    throw fault("bad-cpio", `the cpio entry has a bad magic number: ${printName(magic)}`, file, place);
  }
  const digits = head.toString("latin1", 6);
  if (!/^[0-9a-fA-F]{104}$/.test(digits))
    throw fault("bad-cpio", "the cpio header has an invalid number", file, place);
  const field = (index: number) => Number.parseInt(digits.slice(index * 8, index * 8 + 8), 16);
  const nameSize = field(11);
  if (nameSize < 2 || nameSize > longestName)
    throw fault("bad-cpio", `a name has ${nameSize} bytes`, file, place);
  const name = file.held(at + headerSize, nameSize) ?? (await file.read(at + headerSize, nameSize));
  if (name.length < nameSize || name[nameSize - 1] !== 0) {
    throw fault("bad-cpio", "the cpio archive is truncated in a name", file, place);
  }
  const dataAt = at + headerSize + nameSize + paddingOf(headerSize + nameSize);
  const size = field(6);
  if (dataAt + size > limit) throw fault("bad-cpio", "the cpio archive is truncated", file, place);
  return {
    name: decodeName(name.subarray(0, nameSize - 1)),
    ino: field(0),
    mode: field(1),
    uid: field(2),
    gid: field(3),
    nlink: field(4),
    mtime: field(5),
    size,
    device: `${field(7)}:${field(8)}`,
    major: field(9),
    minor: field(10),
    dataAt,
    nextAt: dataAt + size + paddingOf(size),
  };
}

async function nodeOf(file: FileWindow, entry: RawEntry, path: string): Promise<TreeNode> {
  const { uid, gid, mtime, major, minor, size } = entry;
  const metadata = { mode: entry.mode & 0o7777, uid, gid, mtime };
  const type = fileTypes.get(entry.mode & 0o170000);
  switch (type) {
    case "file":
      return { type, content: { kind: "file", path: file.path, offset: entry.dataAt, size }, ...metadata };
    case "symlink":
      if (size >= longestName) throw fault("bad-cpio", `a link target has ${size} bytes`, file, path);
      return { type, target: decodeName(await file.read(entry.dataAt, size)), ...metadata };
    case "char":
    case "block":
      return { type, major, minor, ...metadata };
    case "directory":
    case "fifo":
      return { type, ...metadata };
    case undefined:
      throw fault("bad-cpio", `an entry has an unknown type (mode ${entry.mode.toString(8)})`, file, path);
  }
}

/** Names of hard-linked files: all get the metadata of the first one and the bytes of the last one that carries any. */
class HardLinks {
  readonly #groups = new Map<
    string,
    { readonly names: string[]; readonly first: FileNode; content: FileContent }
  >();

  add(linkGroup: string, path: string, node: FileNode): void {
    const group = this.#groups.get(linkGroup);
    if (group === undefined) {
      this.#groups.set(linkGroup, { names: [path], first: node, content: node.content });
      return;
    }
    group.names.push(path);
    // An entry without bytes is another name; one with bytes overwrites what the group had (initramfs.c, do_name).
    if (contentSize(node.content) > 0) group.content = node.content;
  }

  /** Updates all names at the end, so that the work is linear in their number. */
  apply(tree: FileTree): void {
    for (const [linkGroup, { names, first, content }] of this.#groups) {
      if (names.length === 1) continue;
      const node: FileNode = { ...first, content, linkGroup };
      for (const name of names) tree.set(name, node);
    }
  }
}

function fault(code: ErrorCode, message: string, file: FileWindow, place: string): UserError {
  return new UserError(message, {
    code,
    where: `${printName(file.name)}: ${printPath(place)}`,
    hint: "download or build the file again: it is damaged or not an initrd",
  });
}
