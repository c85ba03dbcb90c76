/**
 * A layer changed so that it does on lower layers what its author means: the kernel's rules have traps, and some can be
 * stepped around.
 *
 * Rules: Linux `init/initramfs.c`, as in `merge.ts`.
 */
import { UserError } from "../errors/index.ts";
import { followLinks } from "./links.ts";
import type { LayerStack } from "./merge.ts";
import { parentOf, printName } from "./names.ts";
import { FileTree } from "./tree.ts";
import type { TreeNode } from "./tree-node.ts";

export interface FixedUp {
  /** To be unpacked before `layer`; empty where nothing has to be. */
  readonly before: FileTree;
  readonly layer: FileTree;
}

/**
 * - A directory of the layer where a lower one has a link to a directory (`lib64` over `lib64 -> lib`) would remove the link. Its
 *   entries go where the link leads.
 * - A file over one name of a hard-linked file would truncate it under all its names, and a device over a device would keep the
 *   old number. A link put there first is of another type: it removes that one name, and is removed itself by what follows.
 *
 * What cannot be fixed up stays as it is: `mergeLayers` reports it.
 * @throws UserError `layer-entries-meet` when a link below leads two entries of the layer to one place
 */
export function fixUpLayer(lower: LayerStack, layer: FileTree): FixedUp {
  const through = throughLinks(lower.merged().tree, layer);
  const before = new FileTree();
  for (const problem of lower.with(through).merged().problems) {
    if (problem.layer !== lower.size) continue;
    const isFixable = ["hard-link-truncated", "device-kept", "hard-link-over-file"].includes(problem.kind);
    const node = through.get(problem.path);
    if (!isFixable || node === undefined) continue;
    const { mtime } = node;
    before.addSymlink(problem.path, ".", { mtime });
    for (let at = parentOf(problem.path); at !== undefined; at = parentOf(at)) {
      const directory = through.get(at);
      if (directory !== undefined) before.set(at, directory);
    }
  }
  return { before, layer: through };
}

/**
 * The layer with each entry at the place that it leads to once `beneath` is unpacked, and every parent of those places.
 * `beneath` is changed: where a directory of the layer takes the place of a link, later entries go into the directory.
 */
function throughLinks(beneath: FileTree, layer: FileTree): FileTree {
  const through = new FileTree();
  /** The layer's own name of each place. */
  const names = new Map<string, string>();
  const put = (given: string, path: string, node: TreeNode): void => {
    const there = through.get(path);
    if (there !== undefined && !(there.type === "directory" && node.type === "directory")) {
      throw meeting(given, names.get(path) ?? path);
    }
    names.set(path, given);
    through.set(path, node);
  };
  for (const [given, node] of layer) {
    const path = followLinks(beneath, given, false).path || given;
    if (node.type !== "directory" || beneath.get(path)?.type !== "symlink") {
      put(given, path, node);
      continue;
    }
    const target = followLinks(beneath, path, true).path;
    const there = beneath.get(target);
    if (there?.type === "directory") put(given, target, there);
    else {
      // A link to nothing, or to no directory: the directory takes its place.
      beneath.set(path, node);
      put(given, path, node);
    }
  }
  for (const path of [...through.paths()]) {
    for (let at = parentOf(path); at !== undefined; at = parentOf(at)) {
      const parent = through.get(at) ?? beneath.get(at);
      if (parent?.type !== "directory") throw meeting(names.get(path) ?? path, names.get(at) ?? at);
      if (!through.has(at)) through.set(at, parent);
    }
  }
  return through;
}

function meeting(one: string, other: string): UserError {
  return new UserError(`${printName(one)} and ${printName(other)} would be the same path of the image`, {
    code: "layer-entries-meet",
    where: printName(one),
    hint: "put the files under one of the two names only: a symlink of the base leads from one to the other",
  });
}
