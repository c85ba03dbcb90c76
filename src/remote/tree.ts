/** A directory of outputs as REAPI's `Tree`, and back. */
import { create, fromBinary } from "@bufbuild/protobuf";
import type { ListedEntry } from "../engine/index.ts";
import { type Blob, blobReference, digestMessage, messageBlob } from "./message.ts";
import { type Directory, DirectorySchema, TreeSchema } from "./reapi_pb.ts";

/** A path below the directory, empty for the directory itself, and what is there. */
export type TreeEntry = readonly [path: string, entry: ListedEntry];

/** As deep as a path of Linux may be (PATH_MAX, limits.h) with names of one character. */
const deepest = 2048;

/** A directory while its tree is made. */
interface Contents {
  readonly files: Map<string, ListedEntry & { readonly type: "file" }>;
  readonly links: Map<string, string>;
  readonly directories: Map<string, Contents>;
}

/** The tree of a directory; `entries` are in the order of a listing, so each directory comes before what it contains. */
export function encodeTree(entries: Iterable<TreeEntry>): Blob {
  const root = newDirectory();
  for (const [path, entry] of entries) {
    if (path === "") continue;
    const names = path.split("/");
    const name = names.pop() ?? "";
    let directory = root;
    for (const one of names) directory = directory.directories.get(one) ?? addDirectory(directory, one);
    if (entry.type === "file") directory.files.set(name, entry);
    else if (entry.type === "link") directory.links.set(name, entry.target);
    else if (!directory.directories.has(name)) addDirectory(directory, name);
  }
  const children = new Map<string, Directory>();
  const encode = (directory: Contents): Directory =>
    create(DirectorySchema, {
      files: sorted(directory.files).map(([name, file]) => ({
        name,
        digest: digestMessage(file),
        isExecutable: file.executable,
      })),
      directories: sorted(directory.directories).map(([name, below]) => {
        const directory = encode(below);
        const blob = messageBlob(DirectorySchema, directory);
        children.set(blob.digest, directory);
        return { name, digest: digestMessage(blob) };
      }),
      symlinks: sorted(directory.links).map(([name, target]) => ({ name, target })),
    });
  return messageBlob(
    TreeSchema,
    create(TreeSchema, { root: encode(root), children: [...children.values()] }),
  );
}

/**
 * What a tree contains, the directory itself first; undefined for bytes that are no tree, for one that refers to a directory
 * which it lacks, and for one with more than `most` entries: a few bytes may describe any number.
 */
export function decodeTree(bytes: Uint8Array, most: number): readonly TreeEntry[] | undefined {
  let tree: ReturnType<typeof fromBinary<typeof TreeSchema>>;
  try {
    tree = fromBinary(TreeSchema, bytes);
  } catch {
    return undefined;
  }
  if (tree.root === undefined) return undefined;
  const children = new Map(
    tree.children.map((directory) => [messageBlob(DirectorySchema, directory).digest as string, directory]),
  );
  const entries: TreeEntry[] = [];
  const visit = (directory: Directory, path: string, depth: number): boolean => {
    entries.push([path, { type: "directory" }]);
    if (depth > deepest || entries.length > most) return false;
    const at = (name: string): string => (path === "" ? name : `${path}/${name}`);
    for (const { name, digest, isExecutable } of directory.files) {
      const blob = blobReference(digest);
      if (blob === undefined) return false;
      entries.push([at(name), { type: "file", executable: isExecutable, ...blob }]);
    }
    for (const { name, target } of directory.symlinks) entries.push([at(name), { type: "link", target }]);
    return directory.directories.every(({ name, digest }) => {
      const below = digest === undefined ? undefined : children.get(digest.hash);
      return below !== undefined && visit(below, at(name), depth + 1);
    });
  };
  return visit(tree.root, "", 0) && entries.length <= most ? entries : undefined;
}

const newDirectory = (): Contents => ({ files: new Map(), links: new Map(), directories: new Map() });

function addDirectory(directory: Contents, name: string): Contents {
  const added = newDirectory();
  directory.directories.set(name, added);
  return added;
}

/** In the order that REAPI asks for: of the names' bytes. */
function sorted<T>(map: ReadonlyMap<string, T>): readonly (readonly [string, T])[] {
  return [...map].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}
