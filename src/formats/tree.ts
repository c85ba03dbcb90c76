/** A file tree as archives describe it: paths, types, modes, owners, times, contents. */
import { createHash } from "node:crypto";
import { UserError } from "../errors/index.ts";
import { contentSize, digestContent, type FileContent, readContent, streamContent } from "./content.ts";
import { compareNames, encodeName, isPlainPath, parentOf, printName, rootPath } from "./names.ts";
import type { FileNode, Metadata, TreeNode } from "./tree-node.ts";

const ownedByRoot = { uid: 0, gid: 0 } as const;

/**
 * Entries by path. A path is relative, without leading `/` or `./`; the root directory's own entry, where an
 * archive has one, is `.`. Iteration is in byte order, which puts parents before children.
 */
export class FileTree implements Iterable<readonly [path: string, node: TreeNode]> {
  #nodes = new Map<string, TreeNode>();
  #sorted: readonly string[] | undefined;

  constructor(entries: Iterable<readonly [string, TreeNode]> = []) {
    for (const [path, node] of entries) this.set(path, node);
  }

  get size(): number {
    return this.#nodes.size;
  }

  has(path: string): boolean {
    return this.#nodes.has(path);
  }

  get(path: string): TreeNode | undefined {
    return this.#nodes.get(path);
  }

  /** Adds or replaces an entry; a path that is not in normal form is a programming error. */
  set(path: string, node: TreeNode): this {
    if (path !== rootPath && !isPlainPath(path)) {
      throw new RangeError(`not a tree path: ${JSON.stringify(path)}`);
    }
    if (!this.#nodes.has(path)) this.#sorted = undefined;
    this.#nodes.set(path, node);
    return this;
  }

  delete(path: string): boolean {
    this.#sorted = undefined;
    return this.#nodes.delete(path);
  }

  /** Every path, in byte order, parents before children. */
  paths(): readonly string[] {
    this.#sorted ??= [...this.#nodes.keys()].sort(compareNames);
    return this.#sorted;
  }

  /** Every path below the directory `directory`, in byte order; found by binary search. */
  below(directory: string): readonly string[] {
    const paths = this.paths();
    const start = `${directory}/`;
    let [from, to] = [0, paths.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (compareNames(paths[middle] ?? "", start) < 0) from = middle + 1;
      else to = middle;
    }
    let end = from;
    while (paths[end]?.startsWith(start) === true) end += 1;
    return paths.slice(from, end);
  }

  *entries(): Generator<readonly [path: string, node: TreeNode]> {
    for (const path of this.paths()) {
      const node = this.#nodes.get(path);
      if (node !== undefined) yield [path, node];
    }
  }

  [Symbol.iterator](): Iterator<readonly [path: string, node: TreeNode]> {
    return this.entries();
  }

  clone(): FileTree {
    const clone = new FileTree();
    clone.#nodes = new Map(this.#nodes);
    clone.#sorted = this.#sorted;
    return clone;
  }

  /** Adds a regular file; owner root, mode 0644, unless said otherwise. */
  addFile(
    path: string,
    content: FileContent,
    metadata: Partial<Metadata> & { readonly mtime: number },
  ): this {
    return this.set(path, { type: "file", content, mode: 0o644, ...ownedByRoot, ...metadata });
  }

  /** Adds a directory; owner root, mode 0755, unless said otherwise. */
  addDirectory(path: string, metadata: Partial<Metadata> & { readonly mtime: number }): this {
    return this.set(path, { type: "directory", mode: 0o755, ...ownedByRoot, ...metadata });
  }

  /** Adds a symbolic link; owner root, mode 0777, unless said otherwise. */
  addSymlink(path: string, target: string, metadata: Partial<Metadata> & { readonly mtime: number }): this {
    return this.set(path, { type: "symlink", target, mode: 0o777, ...ownedByRoot, ...metadata });
  }

  /** Takes over every entry of another tree, under `prefix` where one is given; equal paths are replaced. */
  addTree(other: FileTree, prefix?: string): this {
    for (const [path, node] of other) {
      if (prefix === undefined) this.set(path, node);
      else this.set(path === rootPath ? prefix : `${prefix}/${path}`, node);
    }
    return this;
  }

  /** Adds every parent directory that is missing: root's, 0755 unless said otherwise. */
  ensureParents(metadata: Partial<Metadata> & { readonly mtime: number }): this {
    for (const path of [...this.#nodes.keys()]) {
      for (let at = parentOf(path); at !== undefined && !this.#nodes.has(at); at = parentOf(at)) {
        this.addDirectory(at, metadata);
      }
    }
    return this;
  }

  /** The regular file at `path`. @throws UserError `not-a-file` */
  file(path: string): FileNode {
    const node = this.#nodes.get(path);
    if (node?.type === "file") return node;
    throw new UserError(
      `${printName(path)} is ${node === undefined ? "missing" : `a ${node.type}`}, but must be a file`,
      {
        code: "not-a-file",
        hint: "check that this is the intended image or archive",
        where: printName(path),
      },
    );
  }

  /** A small file's bytes. @throws UserError `not-a-file` */
  async read(path: string): Promise<Buffer> {
    return await readContent(this.file(path).content);
  }

  /** A file's bytes, piece by piece. @throws UserError `not-a-file` */
  stream(path: string): AsyncGenerator<Uint8Array> {
    return streamContent(this.file(path).content);
  }

  /** sha256 of one file's bytes, in hex. @throws UserError `not-a-file` */
  async contentDigest(path: string): Promise<string> {
    return await digestContent(this.file(path).content);
  }

  /**
   * sha256 over every path, type, mode, owner, link target, device number, link group and content, in hex;
   * and the times, unless `times` is false. Two trees with the same digest are the same image.
   */
  async digest(options: { readonly times?: boolean } = {}): Promise<string> {
    const hash = createHash("sha256");
    const groups = new Map<string, string>();
    for (const [path, node] of this) {
      const fields = [node.type, node.mode.toString(8), `${node.uid}`, `${node.gid}`];
      if (options.times !== false) fields.push(`${node.mtime}`);
      if (node.type === "file") {
        fields.push(`${contentSize(node.content)}`, await digestContent(node.content));
        // The first path of a group stands for it, whatever the group's name.
        if (node.linkGroup !== undefined) {
          if (!groups.has(node.linkGroup)) groups.set(node.linkGroup, path);
          fields.push(groups.get(node.linkGroup) ?? path);
        }
      } else if (node.type === "symlink") fields.push(node.target);
      else if (node.type === "char" || node.type === "block") fields.push(`${node.major}:${node.minor}`);
      for (const field of [path, ...fields]) hash.update(encodeName(field)).update("\0");
      hash.update("\n");
    }
    return hash.digest("hex");
  }
}
