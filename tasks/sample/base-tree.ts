/** The file tree of the sample base's initrd: directories, device nodes, applets, and the boot scripts of `rootfs/`. */
import {
  bytesContent,
  type FileTree,
  type ModePolicy,
  rootOwned,
  rootPath,
  treeFromDirectory,
} from "../../src/formats/index.ts";

/** Directories that are there before anything is put into them; `mode` 0755 unless it says otherwise. */
const directories: readonly (readonly [path: string, mode?: number, gid?: number])[] = [
  ["bin"],
  ["dev"],
  ["etc/sysconfig"],
  ["home"],
  ["lib64"],
  ["mnt"],
  ["opt"],
  ["proc"],
  ["root", 0o700],
  ["run"],
  ["sbin"],
  ["sys"],
  ["tmp", 0o1777],
  ["usr/bin"],
  ["usr/lib"],
  ["usr/local/bin"],
  ["usr/local/etc/init.d"],
  ["usr/local/lib"],
  ["usr/local/sbin"],
  ["usr/local/share"],
  // Core lets the staff group, which is tc's, write here (gid 50).
  ["usr/local/tce.installed", 0o775, 50],
  ["usr/sbin"],
  ["var/log"],
  ["var/spool"],
  ["var/tmp", 0o1777],
];

/** What the kernel and init need before devtmpfs is mounted: [name, major, minor, mode]. */
const devices: readonly (readonly [name: string, major: number, minor: number, mode: number])[] = [
  ["console", 5, 1, 0o600],
  ["kmsg", 1, 11, 0o644],
  ["null", 1, 3, 0o666],
  ["ptmx", 5, 2, 0o666],
  ["random", 1, 8, 0o666],
  ["tty", 5, 0, 0o666],
  ["tty0", 4, 0, 0o620],
  ["tty1", 4, 1, 0o620],
  ["ttyS0", 4, 64, 0o620],
  ["urandom", 1, 9, 0o666],
  ["zero", 1, 5, 0o666],
];

interface TreeSources {
  /** Absolute path of a directory with the files of packages, laid out as in the image. */
  readonly root: string;
  /** Absolute path of `tasks/sample/rootfs`; where both have a file, this one's is taken. */
  readonly rootfs: string;
  /** Paths in the image that become links to busybox, unless something else is there. */
  readonly applets: readonly string[];
  /** Seconds since 1970. */
  readonly epoch: number;
}

/** The whole tree, parents included. Owners and modes depend on the paths only, and on what is executable. */
export async function layOutBase({ root, rootfs, applets, epoch }: TreeSources): Promise<FileTree> {
  const mtime = epoch;
  const tree = await treeFromDirectory(root, { mtime });
  tree.addTree(await treeFromDirectory(rootfs, { mtime, policy: scriptPolicy }));
  // Without an entry of its own the root of an initrd would be 1777, as every tmpfs is.
  tree.addDirectory(rootPath, { mtime });
  for (const [path, mode = 0o755, gid = 0] of directories) tree.addDirectory(path, { mtime, mode, gid });
  for (const [name, major, minor, mode] of devices) {
    tree.set(`dev/${name}`, { type: "char", major, minor, mode, uid: 0, gid: 0, mtime });
  }
  for (const applet of applets) if (!tree.has(applet)) tree.addSymlink(applet, "/bin/busybox", { mtime });
  tree.addSymlink("lib64/ld-linux-x86-64.so.2", "/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", { mtime });
  tree.addSymlink("etc/mtab", "/proc/mounts", { mtime });
  tree.addSymlink("var/run", "/run", { mtime });
  tree.addFile("etc/resolv.conf", bytesContent(""), { mtime });
  return tree.ensureParents({ mtime });
}

const scriptPolicy: ModePolicy = (path, entry) => {
  const metadata = rootOwned(path, entry);
  return path === "etc/shadow" ? { ...metadata, mode: 0o600 } : metadata;
};
