/** File trees in memory: read from disk by a walker of its own, so that the engine's is checked and not repeated. */
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";

export type TreeNode =
  | { readonly kind: "file"; readonly executable: boolean; readonly text: string }
  | { readonly kind: "link"; readonly target: string }
  | { readonly kind: "directory" };

/** By path relative to the root; the root itself is the empty path. Empty where nothing is. */
export type Tree = ReadonlyMap<string, TreeNode>;

export const fileNode = (text: string, executable = false): TreeNode => ({ kind: "file", executable, text });

export function readTree(root: string): Tree {
  const tree = new Map<string, TreeNode>();
  const visit = (relative: string): void => {
    const absolute = path.join(root, relative);
    const status = lstatSync(absolute, { throwIfNoEntry: false });
    if (status === undefined) return;
    if (status.isSymbolicLink()) tree.set(relative, { kind: "link", target: readlinkSync(absolute) });
    else if (status.isFile())
      tree.set(relative, fileNode(readFileSync(absolute, "utf8"), (status.mode & 0o111) !== 0));
    else {
      tree.set(relative, { kind: "directory" });
      for (const name of readdirSync(absolute).sort()) visit(relative === "" ? name : `${relative}/${name}`);
    }
  };
  visit("");
  return tree;
}

export function writeTree(root: string, tree: Tree): void {
  for (const [relative, node] of tree) {
    const absolute = path.join(root, relative);
    if (node.kind === "directory") mkdirSync(absolute, { recursive: true });
    else {
      mkdirSync(path.dirname(absolute), { recursive: true });
      if (node.kind === "link") symlinkSync(node.target, absolute);
      else {
        writeFileSync(absolute, node.text);
        chmodSync(absolute, node.executable ? 0o755 : 0o644);
      }
    }
  }
}

/** One text for a tree; two trees are the same exactly when their texts are. */
export function encodeTree(tree: Tree): string {
  return JSON.stringify([...tree].sort(([a], [b]) => (a < b ? -1 : 1)));
}
