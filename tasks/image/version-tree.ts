/** The image's own word on its version, as the last layer of its initrd. */
import { bytesContent, FileTree } from "../../src/formats/index.ts";
import { inheritDirectories } from "./image-tree.ts";
import { versionFile } from "./iso-metadata.ts";

/** `core` is what lies below it; `mtime` is seconds since 1970. */
export function versionTree(version: string, mtime: number, core: FileTree): FileTree {
  const tree = new FileTree()
    .addFile("tmp/mk-version.yaml", bytesContent(versionFile(version)), { mtime })
    .addDirectory("tmp", { mtime, mode: 0o1777 });
  return inheritDirectories(tree, core);
}
