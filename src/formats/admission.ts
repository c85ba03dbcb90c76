/**
 * Checks every tree from an archive before any of it is written to a disk.
 *
 * Links are data: they are resolved in the tree, and never followed on the host.
 */
import type { ErrorCode, UserError } from "../errors/index.ts";
import { followLinks } from "./links.ts";
import { encodeName, parentOf, printName } from "./names.ts";
import type { FileTree } from "./tree.ts";
import type { TreeNode } from "./tree-node.ts";

/** What a tree may hold besides files and directories; by default only links that stay inside. */
export interface Admission {
  readonly devices?: boolean;
  readonly setId?: boolean;
  /**
   * Where symbolic links may lead: "inside" the tree by relative targets (default); within an "image", whose root absolute
   * targets start from; "any" where; or "none" at all.
   */
  readonly links?: "none" | "inside" | "image" | "any";
}

/** Makes the error for the entry at `path`; `why` follows its name in a sentence. */
type Refusal = (code: ErrorCode, why: string, path: string) => UserError;

/** Checks one entry's type and mode. @throws what `refuse` makes, `unsafe-entry` */
export function admitEntry(
  path: string,
  { type, mode }: { readonly type: TreeNode["type"] | "hard-link"; readonly mode: number },
  { devices = false, setId = false, links }: Admission,
  refuse: Refusal,
): void {
  if (!devices && (type === "char" || type === "block" || type === "fifo")) {
    throw refuse("unsafe-entry", `is a ${type} node`, path);
  }
  if (!setId && type === "file" && (mode & 0o6000) !== 0) {
    throw refuse("unsafe-entry", "is a set-user-id or set-group-id file", path);
  }
  if (links === "none" && type === "symlink") throw refuse("unsafe-link", "is a symbolic link", path);
}

const longestTarget = 4096;

/**
 * Checks the complete tree: that no entry lies below a link or a file, and where links lead.
 * @throws what `refuse` makes, `unsafe-link`
 */
export function admitLinks(tree: FileTree, { links = "inside" }: Admission, refuse: Refusal): void {
  for (const [path, node] of tree) {
    for (let at = parentOf(path); at !== undefined; at = parentOf(at)) {
      const parent = tree.get(at);
      if (parent !== undefined && parent.type !== "directory") {
        throw refuse("unsafe-link", `lies below ${printName(at)}, which is not a directory`, path);
      }
    }
    if (node.type !== "symlink") continue;
    // symlink(2): a target is not empty and shorter than PATH_MAX.
    const length = encodeName(node.target).length;
    if (length === 0 || length >= longestTarget || node.target.includes("\0")) {
      throw refuse("unsafe-link", "has an invalid link target", path);
    }
    if (links === "any") continue;
    const { absolute, climbs } = followLinks(tree, path, true);
    if (climbs || (absolute && links === "inside")) {
      throw refuse("unsafe-link", `leads out of the tree to ${printName(node.target)}`, path);
    }
  }
}
