/**
 * Files out of ISO 9660 images. The directory is read as a tree and checked before anything is written; no tool lays it out.
 */
import { stat } from "node:fs/promises";
import { type ErrorCode, UserError } from "../errors/index.ts";
import { admitEntry } from "./admission.ts";
import { contentSize } from "./content.ts";
import { readIsoTree } from "./iso-tree.ts";
import { layOutTree } from "./laid-out-tree.ts";
import { createLimit, limitEntries, type UnpackLimits } from "./limits.ts";
import { followLinks } from "./links.ts";
import { encodeName, printName, rootPath } from "./names.ts";
import { openRegularFile } from "./regular-file.ts";
import { FileTree } from "./tree.ts";
import type { FileNode, SymlinkNode } from "./tree-node.ts";

export interface IsoFilesOptions extends UnpackLimits {
  /** Name of the ISO in errors; by default its path. */
  readonly label?: string;
}

/** Maximum ratio of an ISO's files to its size: they are not compressed, but several may share sectors. */
const mostShared = 4;

/**
 * The named files and directories (with all below them), or all, of the ISO at `iso` (absolute) as a tree of files and directories
 * only; contents stay in the ISO. A link to a file of the same ISO stands for that file; any other is refused.
 * @throws UserError `member-missing`, `unsafe-link`, `unsafe-entry`, `bomb`, `bad-iso`, and those of `readIsoTree`
 */
export async function readIsoFiles(
  iso: string,
  paths: readonly string[] | "all",
  options: IsoFilesOptions = {},
): Promise<FileTree> {
  const label = options.label ?? iso;
  const whole = await readIsoTree(iso);
  limitEntries(whole.size, options, printName(label));
  const missing = paths === "all" ? [] : paths.filter((path) => !whole.has(path));
  if (missing.length > 0) {
    throw new UserError(`the ISO has no ${missing.map(printName).join(", ")}`, {
      code: "member-missing",
      where: printName(label),
      hint: "check that this is the intended ISO",
    });
  }
  const isWanted = (path: string) =>
    paths === "all" || paths.some((one) => path === one || path.startsWith(`${one}/`));
  const refuse = (code: ErrorCode, why: string, path: string) => refusal(code, why, path, label);
  const tree = new FileTree();
  let total = 0;
  for (const [path, node] of whole) {
    if (!isWanted(path)) continue;
    admitEntry(path, node, { setId: true, links: "any" }, refuse);
    const kept = node.type === "symlink" ? followInside(whole, path, node, label) : node;
    tree.set(path, kept);
    if (kept.type === "file") total += contentSize(kept.content);
  }
  const { size } = await stat(encodeName(iso));
  if (total > mostShared * size) {
    throw new UserError(`the ISO's files have ${total} bytes, but the ISO has only ${size}`, {
      code: "bomb",
      where: printName(label),
      hint: "get the ISO from a source that you trust: many of its files share sectors",
    });
  }
  createLimit({ ...options, maxRatio: Number.POSITIVE_INFINITY }, printName(label))(size, total);
  return tree;
}

/**
 * Copies what `readIsoFiles` reads to the same paths below `dir` (absolute; empty or not there); the owner may write it, unlike in
 * the ISO.
 * @throws UserError as `readIsoFiles`
 */
export async function extractIso(
  iso: string,
  paths: readonly string[] | "all",
  dir: string,
  options: IsoFilesOptions = {},
): Promise<void> {
  await layOutTree(await readIsoFiles(iso, paths, options), dir);
}

/** The file that a link leads to in the ISO's own tree; links are never looked up on the host. */
function followInside(tree: FileTree, path: string, link: SymlinkNode, label: string): FileNode {
  const { path: target, absolute, climbs, loops } = followLinks(tree, path, true);
  const node = absolute || climbs || loops ? undefined : tree.get(target || rootPath);
  if (node?.type === "file") return node;
  const why = `is a link to ${printName(link.target)}, which is not a file of the ISO`;
  throw refusal("unsafe-link", why, path, label);
}

function refusal(code: ErrorCode, why: string, path: string, label: string): UserError {
  return new UserError(`the ISO's ${printName(path)} ${why}`, {
    code,
    where: `${printName(label)}: ${printName(path)}`,
    hint: "get the ISO from a source that you trust",
  });
}

const sectorSize = 2048;

/**
 * The volume id of the ISO at `iso` (absolute), without trailing blanks. Source: ECMA-119 8.4.
 * @throws UserError `not-an-iso`
 */
export async function readIsoLabel(iso: string): Promise<string> {
  const handle = await openRegularFile(iso);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(72), 0, 72, 16 * sectorSize);
    if (bytesRead === 72 && buffer.toString("latin1", 0, 6) === "\x01CD001") {
      return buffer.toString("latin1", 40, 72).replace(/ +$/, "");
    }
  } finally {
    await handle.close();
  }
  throw new UserError("the file is not an ISO 9660 image", {
    code: "not-an-iso",
    where: printName(iso),
    hint: "check that the download is complete",
  });
}
