/** Two trees, path by path: what differs in entries, and which files of both have contents to compare. */
import { compareNames, type FileContent, type FileTree, printName } from "../formats/index.ts";
import type { Difference } from "./difference.ts";
import { compareEntries, linksOf } from "./entry.ts";

/** One path of the two trees. */
interface Pair {
  /** For messages. */
  readonly name: string;
  /** All but the content. */
  readonly differences: readonly Difference[];
  readonly layers: Difference["layers"];
  /** Where both are files. */
  readonly contents?: readonly [a: FileContent, b: FileContent];
}

/** Every path of either tree, in byte order; `layersAt` says where in an initrd it is from. */
export function* pairsOf(
  within: readonly string[],
  a: FileTree,
  b: FileTree,
  layersAt: (path: string) => Difference["layers"] = () => undefined,
): Generator<Pair> {
  const [linksA, linksB] = [linksOf(a), linksOf(b)];
  for (const path of new Set([...a.paths(), ...b.paths()].sort(compareNames))) {
    const [one, other] = [a.get(path), b.get(path)];
    const name = printName(path);
    const layers = layersAt(path);
    const found = compareEntries(
      { path, node: one, links: linksA.get(path) },
      { path, node: other, links: linksB.get(path) },
    );
    const differences = found.map((difference) => ({
      ...{ ...difference, within, name },
      ...(layers === undefined ? {} : { layers }),
    }));
    const files = one?.type === "file" && other?.type === "file";
    yield { name, differences, layers, ...(files ? { contents: [one.content, other.content] } : {}) };
  }
}
