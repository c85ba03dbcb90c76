/**
 * What a layer holds, without contents: enough to see how layers lie on one another, small enough to read at every
 * build. Kept beside each layer as JSON.
 */
import { readFile, writeFile } from "node:fs/promises";
import { FileTree, type TreeNode } from "../../src/formats/index.ts";

const nothing = { kind: "bytes", bytes: new Uint8Array() } as const;

/** Writes the tree's paths, types, modes, owners and targets to `file` (absolute). */
export async function writeListing(tree: FileTree, file: string): Promise<void> {
  const rows = [...tree].map(([path, node]) =>
    JSON.stringify([path, node.type === "file" ? { ...node, content: undefined } : node]),
  );
  await writeFile(file, `[\n${rows.join(",\n")}\n]\n`);
}

/** The tree of a listing; its files are empty. */
export async function readListing(file: string): Promise<FileTree> {
  const rows = JSON.parse(await readFile(file, "utf8")) as readonly [string, TreeNode][];
  return new FileTree(
    rows.map(([path, node]) => [path, node.type === "file" ? { ...node, content: nothing } : node]),
  );
}
