/**
 * How files become entries of the image: owners and modes by rule, never by who builds or with which umask.
 */
import { posix } from "node:path";
import { UserError } from "../../src/errors/index.ts";
import { type EntryOnDisk, FileTree, type ModePolicy, rootOwned } from "../../src/formats/index.ts";
import { tightMode } from "./tight-modes.ts";

/** Tiny Core's group of those who may install extensions. */
const staff = 50;

const special: Readonly<Record<string, { readonly mode: number; readonly gid?: number }>> = {
  tmp: { mode: 0o1777 },
  "usr/local/tce.installed": { mode: 0o775, gid: staff },
};

/** Tiny Core's user: sshd reads the keys in the home directory as this user, who must be able to read them. */
const tc = { uid: 1001, gid: staff };

/** root:root, 0755 or 0644, except where Tiny Core or good sense want otherwise. */
export const imagePolicy: ModePolicy = (path, entry: EntryOnDisk) => {
  const usual = rootOwned(path, entry);
  const rule = special[path];
  if (rule !== undefined && entry.type !== "symlink")
    return { ...usual, mode: rule.mode, gid: rule.gid ?? 0 };
  if (path.startsWith("usr/local/tce.installed/")) return { ...usual, gid: staff };
  const mode = tightMode(path, entry.type) ?? usual.mode;
  return /^home\/tc\/\.ssh(\/|$)/.test(path) ? { ...tc, mode } : { ...usual, mode };
};

/** As `imagePolicy`, but files keep the modes that a tarball records: these depend on no umask of this machine. */
export const recordedModes: ModePolicy = (path, entry) => {
  const ruled = imagePolicy(path, entry);
  if (entry.type !== "file" || tightMode(path, entry.type) !== undefined) return ruled;
  return { ...ruled, mode: entry.diskMode & 0o7777 };
};

/** Applies the policy to every entry of a tree that came with owners and modes of its own, such as a tarball's. */
export function normalizeOwners(tree: FileTree, policy: ModePolicy = imagePolicy): FileTree {
  for (const [path, node] of tree) {
    const entry = { type: node.type, executable: (node.mode & 0o100) !== 0, diskMode: node.mode };
    tree.set(path, { ...node, ...policy(path, entry) });
  }
  return tree;
}

/**
 * Gives every directory that a lower layer has, and no rule of ours is about, the lower one's mode and owner: the kernel
 * applies the upper layer's entry again, and a directory like /root would end up open to all.
 */
export function inheritDirectories(tree: FileTree, lower: FileTree): FileTree {
  for (const [path, node] of tree) {
    const below = lower.get(path);
    const isRuled = special[path] !== undefined || tightMode(path, node.type) !== undefined;
    if (node.type !== "directory" || below?.type !== "directory" || isRuled) continue;
    tree.set(path, { ...node, mode: below.mode, uid: below.uid, gid: below.gid });
  }
  return tree;
}

/**
 * Core's links from the directory of its modules to that of extensions' modules, made relative: an absolute one leads out of
 * an image that lies unpacked on a disk, where depmod would follow it into the builder's own system.
 */
export function relativeModuleLinks(core: FileTree, mtime: number): FileTree {
  const links = new FileTree();
  for (const [name, node] of core) {
    if (node.type !== "symlink" || !node.target.startsWith("/")) continue;
    if (!/^(usr\/)?lib\/modules\/[^/]+\/kernel\.tclocal$/.test(name)) continue;
    links.addSymlink(name, posix.relative(`/${posix.dirname(name)}`, node.target), { mtime });
  }
  return links;
}

/** Throws when a path that is not a directory stands in both trees; `upper` and `lower` name where they come from. */
export function refuseClashes(tree: FileTree, upper: string, other: FileTree, lower: string): void {
  for (const [path, node] of tree) {
    const there = other.get(path);
    if (there === undefined || (node.type === "directory" && there.type === "directory")) continue;
    throw new UserError(`/${path} of the image comes from both ${upper} and ${lower}`, {
      code: "image-clash",
      where: path,
      hint: "remove one of them: each path of the image has exactly one source",
    });
  }
}
