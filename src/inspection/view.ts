/**
 * Layers laid over one another: what the booted machine sees, and which layer each path is from.
 *
 * Archives of an initrd follow the kernel's rules. Extensions come after them; Tiny Core copies, or links, their files with
 * `yes n | cp -ai` (Core-scripts, usr/bin/tce-load), so what is there already is kept. The view has a file where the machine has a
 * link to it.
 */
import { FileTree, followLinks, type Merged, rootPath } from "../formats/index.ts";
import type { Layer } from "./layer.ts";

export interface View {
  readonly tree: FileTree;
  /** The layer that the entry at a path of the tree is from. */
  readonly layerOf: (path: string) => Layer | undefined;
  /** Lower layers whose entry was replaced, in their order. */
  readonly replacedAt: (path: string) => readonly Layer[];
  /** Extensions whose entry was not used, since there was one. */
  readonly unusedAt: (path: string) => readonly Layer[];
}

/** The view of one layer alone. */
export function viewOfLayer(layer: Layer): View {
  return { tree: layer.tree, layerOf: () => layer, replacedAt: () => [], unusedAt: () => [] };
}

/** The view of parts that nothing lays over one another: each is a directory with the part's name. */
export function viewOfParts(parts: readonly Layer[]): View {
  const tree = new FileTree();
  const owners = new Map<string, Layer>();
  for (const layer of parts) {
    const top = layer.name.replaceAll(" ", "-");
    tree.set(top, { type: "directory", mode: 0o755, uid: 0, gid: 0, mtime: 0 });
    owners.set(top, layer);
    for (const [path, node] of layer.tree) {
      const isLinked = node.type === "file" && node.linkGroup !== undefined;
      tree.set(`${top}/${path}`, isLinked ? { ...node, linkGroup: `${top}:${node.linkGroup}` } : node);
      owners.set(`${top}/${path}`, layer);
    }
  }
  return { tree, layerOf: (path) => owners.get(path), replacedAt: () => [], unusedAt: () => [] };
}

/** Lays `extensions`, in load order, on `merged`, which is what the kernel makes of `archives`; its tree becomes the view's. */
export function mergeView(
  { tree, origins }: Merged,
  archives: readonly Layer[],
  extensions: readonly Layer[],
): View {
  const added = new Map<string, Layer>();
  const unused = new Map<string, Layer[]>();
  for (const layer of extensions) addExtension(tree, layer, added, unused);
  const archivesOf = (path: string) => (origins.get(path) ?? []).flatMap((index) => archives[index] ?? []);
  return {
    tree,
    layerOf: (path) => added.get(path) ?? archivesOf(path).at(-1),
    // Directories are one for all layers.
    replacedAt: (path) => (tree.get(path)?.type === "directory" ? [] : archivesOf(path).slice(0, -1)),
    unusedAt: (path) => unused.get(path) ?? [],
  };
}

function addExtension(
  tree: FileTree,
  layer: Layer,
  added: Map<string, Layer>,
  unused: Map<string, Layer[]>,
): void {
  for (const [given, node] of layer.tree) {
    if (given === rootPath) continue;
    const { path, loops } = followLinks(tree, given, false);
    if (loops || path === "" || !hasDirectory(tree, path)) continue;
    if (!tree.has(path)) {
      const isLinked = node.type === "file" && node.linkGroup !== undefined;
      tree.set(path, isLinked ? { ...node, linkGroup: `${layer.name}:${node.linkGroup}` } : node);
      added.set(path, layer);
    } else if (node.type !== "directory") unused.set(path, [...(unused.get(path) ?? []), layer]);
  }
}

function hasDirectory(tree: FileTree, path: string): boolean {
  const slash = path.lastIndexOf("/");
  return slash === -1 || tree.get(path.slice(0, slash))?.type === "directory";
}
