/**
 * Where a path of a tree leads when the symbolic links in it are followed.
 * The image's root directory is the root of absolute links.
 */
import { isPlainPath } from "./names.ts";
import type { FileTree } from "./tree.ts";

export interface Followed {
  /** The path without links, relative to the tree's root; "" is the root itself. Parts that are not there stay as they are. */
  readonly path: string;
  /** Whether a link on the way was absolute. */
  readonly absolute: boolean;
  /** Whether a `..` on the way climbed above the root (where it stays, as the kernel has it). */
  readonly climbs: boolean;
  /** Whether the links form a circle, or a chain of more than 40. */
  readonly loops: boolean;
}

const mostLinks = 40;

/** Follows the links in every part of `path` but the last, and in the last one too where `last` is set. */
export function followLinks(tree: FileTree, path: string, last: boolean): Followed {
  if (isPlainPath(path) && !meetsLink(tree, path, last)) {
    return { path, loops: false, absolute: false, climbs: false };
  }
  const parts = path.split("/");
  const found = { absolute: false, climbs: false };
  let done: string[] = [];
  let links = 0;
  while (parts.length > 0) {
    const part = parts.shift() ?? "";
    if (part === "" || part === ".") continue;
    if (part === "..") {
      if (done.length === 0) found.climbs = true;
      done.pop();
      continue;
    }
    const node = parts.length > 0 || last ? tree.get([...done, part].join("/")) : undefined;
    if (node?.type !== "symlink") {
      done.push(part);
      continue;
    }
    links += 1;
    if (links > mostLinks) return { path: [...done, part].join("/"), loops: true, ...found };
    if (node.target.startsWith("/")) {
      done = [];
      found.absolute = true;
    }
    parts.unshift(...node.target.split("/"));
  }
  return { path: done.join("/"), loops: false, ...found };
}

/** Nearly no path has a link in it: that is found out without taking it to pieces. */
function meetsLink(tree: FileTree, path: string, last: boolean): boolean {
  for (let slash = path.indexOf("/"); slash !== -1; slash = path.indexOf("/", slash + 1)) {
    if (tree.get(path.slice(0, slash))?.type === "symlink") return true;
  }
  return last && tree.get(path)?.type === "symlink";
}
