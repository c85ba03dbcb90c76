/**
 * A layer changed so that it does on lower layers what whoever wrote it means: the kernel's rules have traps, and some can be
 * stepped around. It knows nothing of what the layers are for.
 *
 * Rules: Linux `init/initramfs.c`, as in `merge.ts`.
 */
import { followLinks } from "./links.ts";
import { mergeLayers } from "./merge.ts";
import { parentOf } from "./names.ts";
import { FileTree } from "./tree.ts";

export interface Mended {
  /** To be unpacked before `layer`; empty where nothing has to be. */
  readonly before: FileTree;
  readonly layer: FileTree;
}

/**
 * - A folder of the layer where a lower one has a link to a folder (`lib64` over `lib64 -> lib`) would remove the link. Its
 *   entries go where the link leads.
 * - A file over one name of a hard-linked file would truncate it under all its names, and a device over a device would keep the
 *   old number. A link put there first is of another type: it removes that one name, and is removed itself by what follows.
 *
 * What cannot be mended stays as it is: `mergeLayers` tells of it.
 */
export function mendLayer(lower: readonly FileTree[], layer: FileTree): Mended {
  // What a path leads to while the layer is unpacked: changed where the layer's folders take the place of links.
  const beneath = mergeLayers(lower).tree;
  const through = new FileTree();
  for (const [given, node] of layer) {
    const path = followLinks(beneath, given, false).path || given;
    if (node.type !== "directory" || beneath.get(path)?.type !== "symlink") {
      through.set(path, node);
      continue;
    }
    const target = followLinks(beneath, path, true).path;
    const there = beneath.get(target);
    if (there?.type === "directory") through.set(target, there);
    else {
      // A link to nothing, or to no folder: the folder takes its place.
      beneath.set(path, node);
      through.set(path, node);
    }
  }
  for (const path of through.paths()) {
    for (let at = parentOf(path); at !== undefined && !through.has(at); at = parentOf(at)) {
      const there = beneath.get(at);
      if (there?.type === "directory") through.set(at, there);
    }
  }

  const before = new FileTree();
  for (const problem of mergeLayers([...lower, through]).problems) {
    if (problem.layer !== lower.length) continue;
    const mendable = ["hard-link-truncated", "device-kept", "hard-link-over-file"].includes(problem.kind);
    const node = through.get(problem.path);
    if (!mendable || node === undefined) continue;
    const { mtime } = node;
    before.addSymlink(problem.path, ".", { mtime });
    for (let at = parentOf(problem.path); at !== undefined; at = parentOf(at)) {
      const folder = through.get(at);
      if (folder !== undefined) before.set(at, folder);
    }
  }
  return { before, layer: through };
}
