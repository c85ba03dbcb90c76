/** Every entry of an image with a name, whichever layer brings it. */
import { type FileTree, rootPath, type TreeNode } from "../formats/index.ts";
import type { Image } from "./image.ts";
import type { Layer } from "./layer.ts";

export interface Match {
  readonly path: string;
  readonly type: TreeNode["type"];
  readonly layer: string;
  /**
   * Whether the booted machine has this entry; else another layer's is used at its path, the extension is not loaded at boot, or it
   * is a file of the ISO or the bundle itself.
   */
  readonly use: "used" | "replaced" | "unused" | "not loaded" | "beside";
}

/**
 * Entries whose name matches `pattern`, in all layers, in their order; extensions that are not loaded come last. `*` and `?` stand
 * for characters of a name; a pattern with a slash is compared with the end of the path, and with the whole where it begins with one.
 */
export async function findEntries(image: Image, pattern: string): Promise<readonly Match[]> {
  const matches = matcherOf(pattern);
  const found: Match[] = [];
  for (const layer of [...image.layers, ...(await image.others())]) {
    for (const path of matchingPaths(layer.tree, matches)) {
      const node = layer.tree.get(path);
      if (node !== undefined)
        found.push({ path, type: node.type, layer: layer.name, use: useOf(image, layer, path) });
    }
  }
  return found;
}

function* matchingPaths(tree: FileTree, matches: (path: string) => boolean): Generator<string> {
  for (const path of tree.paths()) if (path !== rootPath && matches(path)) yield path;
}

function useOf(image: Image, layer: Layer, path: string): Match["use"] {
  if (!layer.isSeen) return layer.kind === "extension" ? "not loaded" : "beside";
  const { view } = image;
  if (view.layerOf(path) === layer || view.tree.get(path)?.type === "directory") return "used";
  return view.unusedAt(path).includes(layer) ? "unused" : "replaced";
}

function matcherOf(pattern: string): (path: string) => boolean {
  const parts = pattern.split("/").filter((part) => part !== "");
  const isWhole = pattern.startsWith("/");
  const tests = parts.map(testOf);
  return (path) => {
    const names = path.split("/");
    if (names.length < tests.length || (isWhole && names.length > tests.length)) return false;
    const last = names.slice(names.length - tests.length);
    return tests.every((test, index) => test(last[index] ?? ""));
  };
}

/** Compares without a regular expression: that of a hostile pattern could take for ever. */
function testOf(pattern: string): (name: string) => boolean {
  if (!/[*?]/.test(pattern)) return (name) => name === pattern;
  return (name) => {
    let [at, from] = [0, 0];
    let [star, mark] = [-1, 0];
    while (from < name.length) {
      if (pattern[at] === "?" || (pattern[at] !== "*" && pattern[at] === name[from])) {
        at += 1;
        from += 1;
      } else if (pattern[at] === "*") {
        star = at;
        mark = from;
        at += 1;
      } else if (star >= 0) {
        at = star + 1;
        mark += 1;
        from = mark;
      } else return false;
    }
    while (pattern[at] === "*") at += 1;
    return at === pattern.length;
  };
}
