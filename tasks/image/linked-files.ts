/**
 * The files of an image that the loader of libraries and the loader of modules have tables of.
 *
 * Names: ldconfig(8) looks at `lib*.so*` and `ld-*.so*`; depmod(8) at `*.ko`, compressed or not, below `lib/modules`.
 */
import { FileTree, writeLayer } from "../../src/formats/index.ts";

const library = /(^|\/)(lib[^/]*|ld-[^/]*)\.so(\.[^/]*)?$|^etc\/ld\.so\.conf(\.d\/[^/]+\.conf)?$/;
const module = /(^|\/)lib\/modules\/([^/]+)\/.*\.ko(\.gz|\.xz|\.zst)?$/;
const table = /^etc\/ld\.so\.cache$|(^|\/)lib\/modules\/[^/]+\/modules\.[^/]+$/;

/** Whether a library, or what says where libraries are, lies at this path of the image. */
export const isLibraryFile = (path: string): boolean => library.test(path);

/** The kernel release whose module lies at this path of the image; undefined for what is no module. */
export const moduleRelease = (path: string): string | undefined => module.exec(path)?.[2];

/**
 * The entries that the tables depend on: these files, existing tables, all links, and the directories of all of them. Times
 * are all 0: no table depends on them, and those of an overlay change with each commit.
 */
export function linkedFiles(tree: FileTree): FileTree {
  const kept = [...tree].filter(
    ([path, node]) =>
      node.type === "symlink" ||
      (node.type === "file" && (library.test(path) || module.test(path) || table.test(path))),
  );
  const linked = new FileTree(kept).ensureParents({ mtime: 0 });
  for (const [path, node] of linked) {
    const directory = tree.get(path);
    const kept = node.type === "directory" && directory?.type === "directory" ? directory : node;
    linked.set(path, { ...kept, mtime: 0 });
  }
  return linked;
}

/** Writes what `linkedFiles` keeps as a plain archive to `file` (absolute): of the same bytes until one of them changes. */
export async function writeLinkedFiles(tree: FileTree, file: string, signal: AbortSignal): Promise<void> {
  await writeLayer(linkedFiles(tree), file, { level: "none", signal });
}
