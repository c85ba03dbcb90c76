/**
 * Entries of an image laid out in a directory. Nothing outside it is touched: links are written last and never followed, and no
 * file is written over another.
 */
import { existsSync } from "node:fs";
import { chmod, lchown, lutimes, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../errors/index.ts";
import {
  encodeName,
  FileTree,
  isUtf8Name,
  layOutTree,
  parentOf,
  rootPath,
  type TreeNode,
} from "../formats/index.ts";
import { writeManifest } from "./manifest.ts";

export interface ExtractionOptions {
  /** Whether owners can be set and devices made; otherwise they are in the manifest. */
  readonly isRoot: boolean;
  /** Whether the directory may have other files. None is replaced: a name that is there already is an error. */
  readonly keep: boolean;
  /** How errors name the image. */
  readonly label: string;
  /** What to do about a directory that is not empty. */
  readonly hint: string;
  /** Makes a device or a fifo at the absolute path. */
  readonly makeDevice: (file: string, node: TreeNode) => Promise<void>;
}

interface Extraction {
  readonly entries: number;
  /** Absolute path of the manifest, where there is one. */
  readonly manifest?: string;
}

/** The manifest's name, in the directory. */
const manifestName = ".manifest";

/**
 * Lays out the entries at `paths` of `tree`, each at the same path below `directory` (absolute), with the directories
 * that they lie in.
 * @throws UserError `not-empty`, `extract-conflict`, and those of `layOutTree`
 */
export async function extractEntries(
  tree: FileTree,
  paths: readonly string[],
  directory: string,
  options: ExtractionOptions,
): Promise<Extraction> {
  const chosen = withDirectories(tree, paths);
  const needsManifest = !options.isRoot || hasUnnameableDevice(chosen);
  if (needsManifest && chosen.has(manifestName)) {
    throw new UserError(
      `the image has a ${manifestName} of its own, which the list of owners would replace`,
      {
        code: "extract-conflict",
        where: options.label,
        hint: "extract as root, or name other paths",
      },
    );
  }
  const manifest = path.join(directory, manifestName);
  if (needsManifest && existsSync(manifest)) {
    throw new UserError(`${manifestName} exists already, and is not replaced`, {
      code: "extract-conflict",
      where: directory,
      hint: "remove it, or name another directory",
    });
  }
  await layOutTree(plain(chosen), directory, options);
  const place = (one: string) => encodeName(path.posix.join(directory, one));
  if (options.isRoot) await takeOwners(chosen, directory, place, options);
  await setTimes(chosen, place);
  if (!needsManifest) return { entries: chosen.size };
  await writeFile(manifest, writeManifest(chosen), { flag: "wx" });
  return { entries: chosen.size, manifest };
}

function withDirectories(tree: FileTree, paths: readonly string[]): FileTree {
  const chosen = new FileTree();
  for (const one of paths) {
    const node = tree.get(one);
    if (node === undefined || one === rootPath) continue;
    chosen.set(one, node);
    for (let at = parentOf(one); at !== undefined && !chosen.has(at); at = parentOf(at)) {
      const parent = tree.get(at);
      if (parent !== undefined) chosen.set(at, parent);
    }
  }
  return chosen;
}

const isDevice = ({ type }: TreeNode): boolean => type === "char" || type === "block" || type === "fifo";

/** Names that are no UTF-8 cannot be handed to a program. */
function hasUnnameableDevice(tree: FileTree): boolean {
  return [...tree].some(([one, node]) => isDevice(node) && !isUtf8Name(one));
}

/** What every user can lay out: without devices, and without the bits that let a file run as somebody else. */
function plain(tree: FileTree): FileTree {
  const laidOut = new FileTree();
  for (const [one, node] of tree) {
    if (!isDevice(node)) laidOut.set(one, { ...node, mode: node.mode & 0o777 });
  }
  return laidOut;
}

async function takeOwners(
  tree: FileTree,
  directory: string,
  place: (one: string) => Buffer,
  { makeDevice }: ExtractionOptions,
): Promise<void> {
  // Children first: a directory's own mode may forbid what is done in it.
  for (const one of tree.paths().toReversed()) {
    const node = tree.get(one);
    if (node === undefined || (isDevice(node) && !isUtf8Name(one))) continue;
    if (isDevice(node)) await makeDevice(path.posix.join(directory, one), node);
    await lchown(place(one), node.uid, node.gid);
    if (node.type !== "symlink") await chmod(place(one), node.mode);
  }
}

/** Times that a file system can hold. */
const latest = 2 ** 32 - 1;

async function setTimes(tree: FileTree, place: (one: string) => Buffer): Promise<void> {
  for (const one of tree.paths().toReversed()) {
    const node = tree.get(one);
    if (node === undefined || isDevice(node)) continue;
    const time = Math.min(Math.max(0, node.mtime), latest);
    if (node.type === "symlink") await lutimes(place(one), time, time);
    else await utimes(place(one), time, time);
  }
}
