/**
 * An extension's files as files of the image, as tce-load would have copied them.
 *
 * Facts: Core-scripts, usr/bin/tce-load: what is there stays; a loaded extension has a file of its name in `usr/local/tce.installed`.
 */
import path from "node:path";
import { bytesContent, type FileTree, followLinks, rootPath } from "../../src/formats/index.ts";

const installed = "usr/local/tce.installed";

/** Tiny Core's group of those who may install extensions. */
const staff = 50;

/** The path of the start script of an extension, which is given by its file name. */
export function scriptOf(extension: string): string {
  return `${installed}/${path.basename(extension, ".tcz")}`;
}

/** Adds the extension's entries to the tree; what that or Core has stays. */
export function addExtension(tree: FileTree, core: FileTree, extension: FileTree): void {
  for (const [given, node] of extension) {
    if (given === rootPath) continue;
    // Core's links to directories are followed: usr/lib64 of an extension may be usr/lib.
    const { path: entry, loops } = followLinks(core, given, false);
    if (loops || entry === "" || tree.has(entry)) continue;
    const isThere = core.has(entry);
    if (!isThere) tree.set(entry, node);
  }
}

/** Puts the empty mark of a loaded extension in the place of its script. */
export function addMark(tree: FileTree, extension: string, mtime: number): void {
  tree.addDirectory(installed, { mtime, mode: 0o775, gid: staff });
  tree.addFile(scriptOf(extension), bytesContent(Buffer.alloc(0)), { mtime, mode: 0o664, gid: staff });
}
