/**
 * Writes a tree to a fresh directory, for host tools that read files.
 *
 * Nothing outside the directory is touched: every parent is a directory that was made here, links are written last and
 * not followed, and no file is written over another.
 */
import { createWriteStream } from "node:fs";
import { chmod, link, lstat, mkdir, readdir, symlink } from "node:fs/promises";
import { posix } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type ErrorCode, UserError } from "../errors/index.ts";
import { streamContent } from "./content.ts";
import { encodeName, parentOf, printName, rootPath } from "./names.ts";
import type { FileTree } from "./tree.ts";

interface LayOutOptions {
  /** How errors name what the tree comes from. */
  readonly label?: string;
  /**
   * Whether the directory may have other files, which stay as they are; a name that is there already is an error, save a
   * directory's.
   */
  readonly keep?: boolean;
  /** What to do about a directory that is not empty. */
  readonly hint?: string;
}

/**
 * Writes the directories, files and links of `tree` below `directory` (absolute), which must be empty or not exist
 * unless `keep` is set; missing parents are made. Modes are the tree's, but the owner may always read and write, as
 * the directory has to be removed again; owners and times are the caller's. Links keep their targets, wherever they
 * lead.
 * @throws UserError `not-empty`, `extract-conflict`, `unsafe-entry` for devices and the like, `unsafe-link` for an
 * entry below a link or a file
 */
export async function layOutTree(
  tree: FileTree,
  directory: string,
  { label, keep = false, hint = "remove its contents" }: LayOutOptions = {},
): Promise<void> {
  const place = (path: string) => encodeName(posix.join(directory, path));
  await mkdir(place(""), { recursive: true });
  const isEmpty = (await readdir(place(""))).length === 0;
  if (!isEmpty && !keep) {
    throw new UserError("the directory to unpack into is not empty", {
      code: "not-empty",
      where: printName(directory),
      hint,
    });
  }
  refuseUnfit(tree, label);
  const made = isEmpty ? new Set<string>() : await directoriesThere(tree, directory, place);
  const makeDirectory = async (path: string): Promise<void> => {
    if (made.has(path)) return;
    const parent = parentOf(path);
    if (parent !== undefined) await makeDirectory(parent);
    await mkdir(place(path));
    const node = tree.get(path);
    await chmod(place(path), node?.type === "directory" ? node.mode | 0o700 : 0o755);
    made.add(path);
  };
  const groups = new Map<string, string>();
  for (const [path, node] of tree) {
    if (path === rootPath || node.type === "symlink") continue;
    if (node.type === "directory") {
      await makeDirectory(path);
      continue;
    }
    if (node.type !== "file") continue;
    const parent = parentOf(path);
    if (parent !== undefined) await makeDirectory(parent);
    const first = node.linkGroup === undefined ? undefined : groups.get(node.linkGroup);
    if (first !== undefined) {
      await link(place(first), place(path));
      continue;
    }
    if (node.linkGroup !== undefined) groups.set(node.linkGroup, path);
    const target = createWriteStream(place(path), { flags: "wx", mode: 0o600 });
    await pipeline(Readable.from(streamContent(node.content)), target);
    await chmod(place(path), node.mode | 0o600);
  }
  for (const [path, node] of tree) {
    if (node.type !== "symlink") continue;
    const parent = parentOf(path);
    if (parent !== undefined) await makeDirectory(parent);
    await symlink(encodeName(node.target), place(path));
  }
}

/** The tree's directories that exist already. A link in the place of one is refused, as it may lead anywhere. */
async function directoriesThere(
  tree: FileTree,
  directory: string,
  place: (path: string) => Buffer,
): Promise<Set<string>> {
  const found = new Set<string>();
  for (const [path, { type }] of tree) {
    if (path === rootPath) continue;
    const parent = parentOf(path);
    // Below a directory that does not exist there is nothing.
    if (parent !== undefined && !found.has(parent)) continue;
    const status = await lstat(place(path)).catch(() => undefined);
    if (status === undefined) continue;
    if (!status.isDirectory() || type !== "directory") {
      throw new UserError(`${printName(path)} exists already, and is not replaced`, {
        code: "extract-conflict",
        where: printName(directory),
        hint: "remove it, or name another directory",
      });
    }
    found.add(path);
  }
  return found;
}

/** NAME_MAX, and PATH_MAX less what the directory itself takes up. */
const longestPart = 255;
const longestPath = 3072;

/** Refuses trees that cannot be written, before anything is written. */
function refuseUnfit(tree: FileTree, label: string | undefined): void {
  const unfit = (code: ErrorCode, message: string, path: string) =>
    new UserError(message, {
      code,
      where: `${label === undefined ? "" : `${printName(label)}: `}${printName(path).slice(0, 200)}`,
      hint: "get the archive from a source that you trust",
    });
  for (const [path, { type }] of tree) {
    if (type !== "file" && type !== "directory" && type !== "symlink") {
      throw unfit("unsafe-entry", `a ${type} node cannot be unpacked`, path);
    }
    const bytes = encodeName(path);
    if (bytes.length > longestPath || path.split("/").some((part) => encodeName(part).length > longestPart)) {
      throw unfit("unsafe-name", `a name has ${bytes.length} bytes, more than a file name may have`, path);
    }
    for (let at = parentOf(path); at !== undefined; at = parentOf(at)) {
      const parent = tree.get(at);
      if (parent === undefined || parent.type === "directory") continue;
      throw unfit("unsafe-link", `an entry lies below ${printName(at)}, which is not a directory`, path);
    }
  }
}
