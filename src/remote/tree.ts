/**
 * A directory of outputs as REAPI's `Tree`, and back. A file that was joined from parts is a directory of its parts there, with a
 * node property that tells what they make: servers keep the parts, and nobody needs the whole.
 */
import { create, fromBinary } from "@bufbuild/protobuf";
import { type BlobReference, type Digest, isDigest, type ListedEntry } from "../engine/index.ts";
import { type Blob, blobReference, digestMessage, messageBlob } from "./message.ts";
import { type Directory, DirectorySchema, TreeSchema } from "./reapi_pb.ts";

/** A path below the directory, empty for the directory itself, and what is there. */
export type TreeEntry = readonly [path: string, entry: ListedEntry];

/** For contents that are made of others, one behind the other: those others. */
type JoinedContents = ReadonlyMap<Digest, readonly BlobReference[]>;

type ListedFile = ListedEntry & { readonly type: "file" };

/** The node property of a directory of parts; its value is `DIGEST/SIZE` of the file, and `/executable` behind it for such a one. */
const joinedProperty = "razor-mk.joined";

/** As deep as a path of Linux may be (PATH_MAX, limits.h) with names of one character. */
const deepest = 2048;

interface Folder {
  readonly files: Map<string, ListedFile>;
  readonly links: Map<string, string>;
  readonly folders: Map<string, Folder>;
}

/**
 * The tree of a directory, or of a joined file; `entries` are in the order of a listing, so each folder comes before what it
 * contains.
 */
export function encodeTree(entries: Iterable<TreeEntry>, joined: JoinedContents): Blob {
  const root = newFolder();
  let whole: Directory | undefined;
  for (const [path, entry] of entries) {
    if (path === "") {
      const parts = entry.type === "file" ? joined.get(entry.digest) : undefined;
      if (entry.type === "file" && parts !== undefined) whole = directoryOfParts(entry, parts);
      continue;
    }
    const names = path.split("/");
    const name = names.pop() ?? "";
    let folder = root;
    for (const one of names) folder = folder.folders.get(one) ?? addFolder(folder, one);
    if (entry.type === "file") folder.files.set(name, entry);
    else if (entry.type === "link") folder.links.set(name, entry.target);
    else if (!folder.folders.has(name)) addFolder(folder, name);
  }
  const children = new Map<string, Directory>();
  const encode = (folder: Folder): Directory => {
    const files = new Map<string, ListedFile>();
    const directories = new Map<string, Directory>();
    for (const [name, file] of folder.files) {
      const parts = joined.get(file.digest);
      if (parts === undefined) files.set(name, file);
      else directories.set(name, directoryOfParts(file, parts));
    }
    for (const [name, below] of folder.folders) directories.set(name, encode(below));
    return create(DirectorySchema, {
      files: sorted(files).map(([name, file]) => ({
        name,
        digest: digestMessage(file),
        isExecutable: file.executable,
      })),
      directories: sorted(directories).map(([name, directory]) => {
        const blob = messageBlob(DirectorySchema, directory);
        children.set(blob.digest, directory);
        return { name, digest: digestMessage(blob) };
      }),
      symlinks: sorted(folder.links).map(([name, target]) => ({ name, target })),
    });
  };
  return messageBlob(
    TreeSchema,
    create(TreeSchema, { root: whole ?? encode(root), children: [...children.values()] }),
  );
}

/** Its files are the parts, named by their index, so that the order of names is theirs. */
function directoryOfParts(file: ListedFile, parts: readonly BlobReference[]): Directory {
  const value = `${file.digest}/${file.size}${file.executable ? "/executable" : ""}`;
  return create(DirectorySchema, {
    files: parts.map((part, index) => ({
      name: String(index).padStart(8, "0"),
      digest: digestMessage(part),
    })),
    nodeProperties: { properties: [{ name: joinedProperty, value }] },
  });
}

/** The file that a directory of parts is, and its parts; undefined where they do not make a file of its size. */
function joinedFile(
  directory: Directory,
  value: string,
): { readonly file: ListedFile; readonly parts: readonly BlobReference[] } | undefined {
  const [, digest = "", size, executable] = /^([0-9a-f]{64})\/(\d{1,15})(\/executable)?$/.exec(value) ?? [];
  const parts = directory.files.flatMap((part) => blobReference(part.digest) ?? []);
  const isWhole =
    parts.length === directory.files.length &&
    parts.every((part) => part.digest !== digest) &&
    parts.reduce((sum, part) => sum + part.size, 0) === Number(size);
  if (!isDigest(digest) || !isWhole) return undefined;
  return { file: { type: "file", executable: executable !== undefined, digest, size: Number(size) }, parts };
}

/** What a tree contains. */
interface DecodedTree {
  /** The directory itself first; a joined file alone where the tree is one. */
  readonly entries: readonly TreeEntry[];
  readonly joined: JoinedContents;
}

/**
 * What a tree contains; undefined for bytes that are no tree, for one that refers to a directory
 * which it lacks, and for one with more than `most` entries and parts: a few bytes may describe any number.
 */
export function decodeTree(bytes: Uint8Array, most: number): DecodedTree | undefined {
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
  const joined = new Map<Digest, readonly BlobReference[]>();
  let partCount = 0;
  const visit = (directory: Directory, path: string, depth: number): boolean => {
    const property = directory.nodeProperties?.properties.find(({ name }) => name === joinedProperty);
    if (property !== undefined) {
      const one = joinedFile(directory, property.value);
      if (one === undefined) return false;
      entries.push([path, one.file]);
      joined.set(one.file.digest, one.parts);
      partCount += one.parts.length;
      return entries.length + partCount <= most;
    }
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
  return visit(tree.root, "", 0) && entries.length + partCount <= most ? { entries, joined } : undefined;
}

const newFolder = (): Folder => ({ files: new Map(), links: new Map(), folders: new Map() });

function addFolder(folder: Folder, name: string): Folder {
  const added = newFolder();
  folder.folders.set(name, added);
  return added;
}

/** In the order that REAPI asks for: of the names' bytes. */
function sorted<T>(map: ReadonlyMap<string, T>): readonly (readonly [string, T])[] {
  return [...map].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}
