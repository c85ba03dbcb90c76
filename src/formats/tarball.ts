/**
 * Tarballs, written from a tree: ustar headers, pax records only where ustar cannot hold a value.
 *
 * Format: POSIX pax, "ustar Interchange Format"; the headers are made by the `tar` package.
 */
import type { Header, Pax } from "tar";
import { UserError } from "../errors/index.ts";
import { contentSize, streamContent } from "./content.ts";
import { type WriteOptions, type Written, writeDigested } from "./digesting.ts";
import { gzipStages } from "./gzip.ts";
import { isUtf8Name, printName, rootPath } from "./names.ts";
import type { FileTree } from "./tree.ts";
import type { TreeNode } from "./tree-node.ts";

/** Names for user and group numbers; a number without a name is written as a number only. */
export interface OwnerNames {
  readonly users: ReadonlyMap<number, string>;
  readonly groups: ReadonlyMap<number, string>;
}

/** root, and the staff group of Tiny Core's and Debian's `etc/group`. */
export const coreOwners: OwnerNames = {
  users: new Map([[0, "root"]]),
  groups: new Map([
    [0, "root"],
    [50, "staff"],
  ]),
};

export interface TarballOptions extends WriteOptions {
  /** gzip level 1 to 9 (default 9), or "none" for a plain .tar. */
  readonly level?: number | "none";
  readonly owners?: OwnerNames;
  /**
   * False leaves out the end of the archive: such a part and a whole tarball, both gzipped, joined in this order
   * (`joinLayers`) are one tarball.
   */
  readonly end?: boolean;
}

const blockSize = 512;
const types = {
  file: "File",
  directory: "Directory",
  symlink: "SymbolicLink",
  char: "CharacterDevice",
  block: "BlockDevice",
  fifo: "FIFO",
} as const;

interface Library {
  readonly Header: typeof Header;
  readonly Pax: typeof Pax;
}

/**
 * Writes the tree as a tarball to `outPath` (absolute). The bytes depend on the tree and the options only.
 * The first name of a hard-linked file carries its bytes, the others refer to it.
 * @throws UserError `name-not-utf8`: pax names are UTF-8
 */
export async function writeTarball(
  tree: FileTree,
  outPath: string,
  options: TarballOptions = {},
): Promise<Written> {
  const { level = 9, owners = coreOwners, end = true } = options;
  const library = await import("tar");
  const stages = level === "none" ? [] : gzipStages(level);
  return await writeDigested(outPath, archive(tree, owners, library, end), stages, options);
}

async function* archive(
  tree: FileTree,
  owners: OwnerNames,
  library: Library,
  end: boolean,
): AsyncGenerator<Uint8Array> {
  const links = new Map<string, string>();
  for (const [path, node] of tree) {
    const first =
      node.type === "file" && node.linkGroup !== undefined ? links.get(node.linkGroup) : undefined;
    yield* headers(path, node, first, owners, library);
    if (node.type !== "file" || first !== undefined) continue;
    if (node.linkGroup !== undefined) links.set(node.linkGroup, path);
    yield* streamContent(node.content);
    yield Buffer.alloc((blockSize - (contentSize(node.content) % blockSize)) % blockSize);
  }
  if (end) yield Buffer.alloc(2 * blockSize);
}

function* headers(
  path: string,
  node: TreeNode,
  first: string | undefined,
  owners: OwnerNames,
  library: Library,
): Generator<Uint8Array> {
  const linkpath = node.type === "symlink" ? node.target : first;
  refuseBytes(path, path);
  if (linkpath !== undefined) refuseBytes(linkpath, path);
  const size = node.type === "file" && first === undefined ? contentSize(node.content) : 0;
  const fields = {
    path: path === rootPath ? "./" : node.type === "directory" ? `${path}/` : path,
    ...(linkpath === undefined ? {} : { linkpath }),
    size,
    uid: node.uid,
    gid: node.gid,
    mtime: new Date(node.mtime * 1000),
    uname: owners.users.get(node.uid) ?? "",
    gname: owners.groups.get(node.gid) ?? "",
  };
  const header = new library.Header({
    ...fields,
    type: first === undefined ? types[node.type] : "Link",
    mode: node.mode,
    devmaj: "major" in node ? node.major : 0,
    devmin: "minor" in node ? node.minor : 0,
  });
  header.encode();
  if (header.needPax) {
    const pax = new library.Pax(fields);
    yield pax.encode();
  }
  if (header.block === undefined) throw new Error("the tar package made no header block");
  yield header.block;
}

function refuseBytes(name: string, path: string): void {
  if (isUtf8Name(name) && !name.includes("\0")) return;
  throw new UserError("a name or link target is not valid UTF-8, so it cannot be packed into a tarball", {
    code: "name-not-utf8",
    where: printName(path),
    hint: "rename the file",
  });
}
