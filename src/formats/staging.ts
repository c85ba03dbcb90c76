/**
 * A tree laid out for host tools that follow links: no link leads out of the directory, and devices are left out.
 */
import { posix } from "node:path";
import { layOutTree } from "./laid-out-tree.ts";
import { followLinks } from "./links.ts";
import { parentOf } from "./names.ts";
import { FileTree } from "./tree.ts";

/**
 * Lays out the tree's directories, files and links in `directory` (absolute; empty or not there). A link leads where
 * it would with the directory as its root directory; one that leads nowhere is left out.
 * @throws UserError as `layOutTree`
 */
export async function stageTree(tree: FileTree, directory: string): Promise<void> {
  const staged = new FileTree();
  for (const [path, node] of tree) {
    if (node.type === "file" || node.type === "directory") staged.set(path, node);
    if (node.type !== "symlink") continue;
    const { path: target, loops } = followLinks(tree, path, true);
    if (loops || (target !== "" && !tree.has(target))) continue;
    const relative = posix.relative(parentOf(path) ?? "", target) || ".";
    staged.set(path, { ...node, target: relative });
  }
  await layOutTree(staged, directory);
}
