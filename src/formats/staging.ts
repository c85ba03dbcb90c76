/**
 * A tree laid out in a folder, for host tools that work on files. It knows nothing of them: owners, modes, times and devices
 * are left out, and no link leads out of the folder.
 */
import { createWriteStream } from "node:fs";
import { mkdir, symlink } from "node:fs/promises";
import { posix } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { streamContent } from "./content.ts";
import { followLinks } from "./links.ts";
import { encodeName, parentOf } from "./names.ts";
import type { FileTree } from "./tree.ts";

/**
 * Lays out the tree's folders, files and links in `folder` (absolute; made here). A link leads where it would with the folder
 * as its root directory; one that leads nowhere is left out. Parents of all entries must be in the tree.
 */
export async function stageTree(tree: FileTree, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [path, node] of tree) {
    if (path === ".") continue;
    const place = encodeName(posix.join(folder, path));
    if (node.type === "directory") await mkdir(place, { recursive: true });
    else if (node.type === "file")
      await pipeline(Readable.from(streamContent(node.content)), createWriteStream(place));
    else if (node.type === "symlink") {
      const { path: target, loops } = followLinks(tree, path, true);
      if (loops || (target !== "" && !tree.has(target))) continue;
      await symlink(encodeName(posix.relative(parentOf(path) ?? "", target) || "."), place);
    }
  }
}
