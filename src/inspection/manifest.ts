/**
 * What a user without root's rights cannot lay out, as text in the format mtree(5): owners, modes, devices. bsdtar(1) reads it.
 *
 * Source: mtree(5) of libarchive.
 */
import { contentSize, encodeName, type FileTree, rootPath, type TreeNode } from "../formats/index.ts";

/** The manifest of a tree, a line for each entry. */
export function writeManifest(tree: FileTree): string {
  const lines = ["#mtree"];
  for (const [path, node] of tree) {
    const name = path === rootPath ? "." : `./${encode(path)}`;
    const { mode, uid, gid, mtime } = node;
    const time = Math.max(0, mtime);
    const common = `mode=${mode.toString(8).padStart(4, "0")} uid=${uid} gid=${gid} time=${time}.0`;
    lines.push(`${name} type=${typeWords[node.type]} ${common}${detail(node)}`);
  }
  return `${lines.join("\n")}\n`;
}

const typeWords = {
  file: "file",
  directory: "dir",
  symlink: "link",
  char: "char",
  block: "block",
  fifo: "fifo",
} as const;

function detail(node: TreeNode): string {
  switch (node.type) {
    case "file":
      return ` size=${contentSize(node.content)}`;
    case "symlink":
      return ` link=${encode(node.target)}`;
    case "char":
    case "block":
      return ` device=linux,${node.major},${node.minor}`;
    default:
      return "";
  }
}

/** Bytes that are not printable ASCII, blanks, backslashes and what begins a comment become three octal digits. */
function encode(name: string): string {
  let text = "";
  for (const byte of encodeName(name)) {
    const isPlain = byte > 0x20 && byte < 0x7f && byte !== 0x5c && byte !== 0x23;
    text += isPlain ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, "0")}`;
  }
  return text;
}
