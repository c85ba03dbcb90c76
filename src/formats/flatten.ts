/**
 * Several layers as one tree, for an archive of its own: the upper one is right, and what it takes the place of is
 * gone, also where the kernel could not do that from layers.
 */
import { fixUpLayer } from "./fix-up.ts";
import { LayerStack } from "./merge.ts";
import { FileTree } from "./tree.ts";

/**
 * The intended tree of layers, lowest first. Where `mergeLayers` finds no problem, this is its tree. A directory over a
 * link to a directory goes through the link; anything else over a directory replaces the directory and all that is in it.
 * @throws UserError `layer-entries-meet`, as `fixUpLayer`
 */
export function flattenLayers(layers: readonly FileTree[]): FileTree {
  const flat = new FileTree();
  for (const [index, layer] of layers.entries()) {
    const before = flat.clone();
    for (const [path, node] of fixUpLayer(new LayerStack([flat]), layer).layer) {
      // Entries of the layer itself never lie below a directory that it replaces.
      if (node.type !== "directory" && flat.get(path)?.type === "directory") {
        for (const gone of before.below(path)) flat.delete(gone);
      }
      // Names of one file stay so within their layer, and apart from files of others.
      const group =
        node.type === "file" && node.linkGroup !== undefined
          ? { linkGroup: `${index}:${node.linkGroup}` }
          : {};
      flat.set(path, { ...node, ...group });
    }
  }
  return flat;
}
