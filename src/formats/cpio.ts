/**
 * The "newc" cpio archive as the kernel unpacks it, written from a tree.
 *
 * Format: Linux `Documentation/driver-api/early-userspace/buffer-format.rst`; limits: `init/initramfs.c`.
 */
import { UserError } from "../errors/index.ts";
import { contentSize, streamContent } from "./content.ts";
import { encodeName, parentOf, printName } from "./names.ts";
import type { FileTree } from "./tree.ts";
import type { TreeNode } from "./tree-node.ts";

export const trailerName = "TRAILER!!!";
export const headerSize = 110;
/** The kernel skips an entry whose name (with its NUL) or link target is longer (PATH_MAX). */
export const longestName = 4096;

/** The type bits of `mode`, as in `stat(2)`. */
export const typeBits: Readonly<Record<TreeNode["type"], number>> = {
  fifo: 0o010000,
  char: 0o020000,
  directory: 0o040000,
  block: 0o060000,
  file: 0o100000,
  symlink: 0o120000,
};

const largest = 0xffff_ffff;

/** How many NULs follow `length` bytes to reach a multiple of four. */
export function paddingOf(length: number): number {
  return (4 - (length % 4)) % 4;
}

interface Fields {
  readonly ino: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly nlink: number;
  readonly mtime: number;
  readonly size: number;
  readonly major: number;
  readonly minor: number;
}

function header(name: string, fields: Fields): Buffer {
  const bytes = encodeName(name);
  const { ino, mode, uid, gid, nlink, mtime, size, major, minor } = fields;
  const numbers = [ino, mode, uid, gid, nlink, mtime, size, 0, 0, major, minor, bytes.length + 1, 0];
  refuseLargeFile(size, name);
  const named: readonly (readonly [string, number])[] = [
    ["time", mtime],
    ["user id", uid],
    ["group id", gid],
    ["device number", major],
    ["device number", minor],
  ];
  for (const [what, number] of named) refuseUnlessField(what, number, name);
  const hex = numbers.map((number) => number.toString(16).padStart(8, "0")).join("");
  const padding = Buffer.alloc(1 + paddingOf(headerSize + bytes.length + 1));
  return Buffer.concat([Buffer.from(`070701${hex}`, "latin1"), bytes, padding]);
}

function refuseLargeFile(size: number, name: string): void {
  if (size <= largest) return;
  throw new UserError(`the file has ${size} bytes, but files in an initrd must be smaller than 4 GiB`, {
    code: "cpio-overflow",
    where: printName(name),
    hint: "omit the file, and download or mount it in the running system",
  });
}

function refuseUnlessField(what: string, number: number, name: string): void {
  if (Number.isInteger(number) && number >= 0 && number <= largest) return;
  throw new UserError(`a cpio header cannot store the ${what} ${number}`, {
    code: "cpio-overflow",
    where: printName(name),
    hint: "use times from 1970 to 2106 and numbers below 2^32",
  });
}

function refuseBadNames(path: string, node: TreeNode): void {
  const target = node.type === "symlink" ? encodeName(node.target) : undefined;
  const tooLong = encodeName(path).length >= longestName || (target?.length ?? 0) >= longestName;
  if (!tooLong && !path.includes("\0") && target?.includes(0) !== true && path !== trailerName) return;
  throw new UserError("the kernel cannot unpack an entry with this name or link target", {
    code: "cpio-name",
    where: printName(path),
    hint: `use a name shorter than ${longestName} bytes, without NUL bytes, other than ${trailerName}`,
  });
}

/**
 * One archive with every entry of the tree, in byte order, and a trailer; the length is a multiple of four.
 * Inodes count from 1 in that order. All names of a hard-linked file are in the archive; the last one carries the
 * bytes, as GNU cpio writes and the kernel expects them.
 * @throws UserError `cpio-overflow` for a file of 4 GiB or more, `cpio-name`, `parent-missing`
 */
export async function* writeCpio(tree: FileTree): AsyncGenerator<Uint8Array> {
  const links = countLinks(tree);
  let nextInode = 1;
  for (const [path, node] of tree) {
    refuseBadNames(path, node);
    refuseOrphan(tree, path);
    const group =
      node.type === "file" && node.linkGroup !== undefined ? links.get(node.linkGroup) : undefined;
    if (group !== undefined) group.seen += 1;
    const ino = group?.ino ?? nextInode++;
    if (group !== undefined) group.ino = ino;
    const content = contentOf(node);
    const carries = group === undefined || group.seen === group.count;
    const size = carries && content !== undefined ? contentSize(content) : 0;
    yield header(path, {
      ino,
      mode: typeBits[node.type] | node.mode,
      uid: node.uid,
      gid: node.gid,
      nlink: group?.count ?? (node.type === "directory" ? 2 : 1),
      mtime: node.mtime,
      size,
      major: "major" in node ? node.major : 0,
      minor: "minor" in node ? node.minor : 0,
    });
    if (size === 0 || content === undefined) continue;
    yield* streamContent(content);
    const padding = paddingOf(size);
    if (padding > 0) yield Buffer.alloc(padding);
  }
  const nothing = { ino: 0, mode: 0, uid: 0, gid: 0, nlink: 1, mtime: 0, size: 0, major: 0, minor: 0 };
  yield header(trailerName, nothing);
}

function contentOf(node: TreeNode) {
  if (node.type === "file") return node.content;
  if (node.type === "symlink") return { kind: "bytes", bytes: encodeName(node.target) } as const;
  return undefined;
}

interface LinkCount {
  count: number;
  seen: number;
  ino: number | undefined;
}

function countLinks(tree: FileTree): ReadonlyMap<string, LinkCount> {
  const counts = new Map<string, LinkCount>();
  for (const [, node] of tree) {
    if (node.type !== "file" || node.linkGroup === undefined) continue;
    const known = counts.get(node.linkGroup);
    if (known === undefined) counts.set(node.linkGroup, { count: 1, seen: 0, ino: undefined });
    else known.count += 1;
  }
  return counts;
}

/** The kernel creates no parents: an entry below a path that is no directory of this archive would be lost. */
function refuseOrphan(tree: FileTree, path: string): void {
  const parent = parentOf(path);
  if (parent === undefined || tree.get(parent)?.type === "directory") return;
  throw new UserError(`the directory ${printName(parent)} is not in the archive`, {
    code: "parent-missing",
    where: printName(path),
    hint: "add every parent directory to the tree before it is written",
  });
}
