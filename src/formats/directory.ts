/**
 * A tree read from a directory on disk, with modes and owners decided by a policy.
 * It uses nothing that depends on who checked the files out: of a file's mode on
 * disk only the executable bit, unless the policy asks for more.
 */
import type { BigIntStats } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { UserError } from "../errors/index.ts";
import { compareNames, decodeName, encodeName, printName } from "./names.ts";
import { FileTree } from "./tree.ts";
import type { Metadata, TreeNode } from "./tree-node.ts";

/** What a policy may look at. `diskMode` is what the disk says: it depends on the umask of the process that made the file. */
export interface EntryOnDisk {
  readonly type: TreeNode["type"];
  /** The owner's executable bit (what git records). */
  readonly executable: boolean;
  readonly diskMode: number;
}

/** Mode and owner of one path, relative to the directory that is read. */
export type ModePolicy = (path: string, entry: EntryOnDisk) => Omit<Metadata, "mtime">;

/** Root's; directories and executables 0755, other files 0644, links 0777. */
export const rootOwned: ModePolicy = (_path, { type, executable }) => {
  const mode = type === "symlink" ? 0o777 : type === "directory" || executable ? 0o755 : 0o644;
  return { mode, uid: 0, gid: 0 };
};

export interface DirectoryOptions {
  /** Seconds since 1970, for every entry. */
  readonly mtime: number;
  readonly policy?: ModePolicy;
  /** False leaves the entry out, and all below it. */
  readonly filter?: (path: string, entry: EntryOnDisk) => boolean;
}

/**
 * Reads the entries below `dir` (absolute; `dir` itself gets no entry). File contents stay on disk and are read
 * when the tree is written. Hard links on disk become separate files; devices and sockets are left to archives.
 * @throws UserError `unreadable-directory`, `unsupported-file-type`
 */
export async function treeFromDirectory(dir: string, options: DirectoryOptions): Promise<FileTree> {
  const tree = new FileTree();
  await readInto(tree, dir, "", options);
  return tree;
}

async function readInto(
  tree: FileTree,
  dir: string,
  prefix: string,
  options: DirectoryOptions,
): Promise<void> {
  const names = await listNames(prefix === "" ? dir : `${dir}/${prefix.slice(0, -1)}`);
  for (const name of names.sort(compareNames)) {
    const path = `${prefix}${name}`;
    const absolute = `${dir}/${path}`;
    const stats = await lstat(encodeName(absolute), { bigint: true });
    const type = typeOf(stats, absolute);
    const diskMode = Number(stats.mode & 0o7777n);
    const entry = { type, executable: (diskMode & 0o100) !== 0, diskMode };
    if (options.filter?.(path, entry) === false) continue;
    const metadata = { ...(options.policy ?? rootOwned)(path, entry), mtime: options.mtime };
    if (type === "directory") {
      tree.set(path, { type, ...metadata });
      await readInto(tree, dir, `${path}/`, options);
    } else if (type === "symlink") {
      const target = decodeName(await readlink(encodeName(absolute), "buffer"));
      tree.set(path, { type, target, ...metadata });
    } else {
      const content = { kind: "file", path: absolute, offset: 0, size: Number(stats.size) } as const;
      tree.set(path, { type, content, ...metadata });
    }
  }
}

async function listNames(path: string): Promise<string[]> {
  try {
    return (await readdir(encodeName(path), { encoding: "buffer" })).map(decodeName);
  } catch (cause) {
    throw new UserError("the directory cannot be read", {
      code: "unreadable-directory",
      hint: "make it readable for your user",
      where: printName(path),
      cause,
    });
  }
}

function typeOf(stats: BigIntStats, path: string): "file" | "directory" | "symlink" {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "symlink";
  throw new UserError("the directory contains an entry that is not a file, directory or symlink", {
    code: "unsupported-file-type",
    where: printName(path),
    hint: "remove the socket, fifo or device from the directory",
  });
}
