/**
 * The sample's base: a Core-compatible ISO made from the distribution's kernel, busybox, C library and isolinux,
 * and from the boot scripts in `rootfs/`.
 * It knows nothing of extensions or of the Microkernel.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, copyFile, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../../src/errors/index.ts";
import {
  bytesContent,
  type FileTree,
  type ModePolicy,
  rootOwned,
  rootPath,
  treeFromDirectory,
  unpackDeb,
  writeIso,
  writeLayer,
} from "../../src/formats/index.ts";
import type { Shell } from "../../src/host/index.ts";
import {
  baseModules,
  findModules,
  installModules,
  isBinaryTable,
  kernelPackages,
  unpackKernel,
} from "./kernel.ts";

/** What the base is made of, as `PackageWishes.base` takes it: nothing that depends on these needs them again. */
export const basePackages: readonly string[] = [
  "busybox-static",
  "isolinux",
  "libc-bin",
  "libc6",
  "libcrypt1",
  "libgcc-s1",
  ...kernelPackages,
  "syslinux-common",
];

export interface BaseOptions {
  readonly $: Shell;
  /** Absolute path of the `.deb` by package name; more than the base's do no harm. */
  readonly packages: Readonly<Record<string, string>>;
  /** Absolute path of `tasks/sample/rootfs`. */
  readonly rootfs: string;
  /** Absolute path of a folder for intermediate files; what is in `<workDir>/base` is replaced. */
  readonly workDir: string;
  /** Absolute path of the mirror that is being made. */
  readonly outDir: string;
  /** Seconds since 1970: the time of everything in the ISO. */
  readonly epoch: number;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}

/** Files of the packages that the base takes, as `package: path → path in the root`. */
const systemFiles: Readonly<Record<string, readonly string[]>> = {
  "libc-bin": ["sbin/ldconfig"],
  libcrypt1: ["lib/x86_64-linux-gnu/libcrypt.so.1"],
  "libgcc-s1": ["lib/x86_64-linux-gnu/libgcc_s.so.1"],
  libc6: [
    "ld-linux-x86-64.so.2",
    "libanl.so.1",
    "libc.so.6",
    "libdl.so.2",
    "libm.so.6",
    "libmvec.so.1",
    "libnss_dns.so.2",
    "libnss_files.so.2",
    "libpthread.so.0",
    "libresolv.so.2",
    "librt.so.1",
    "libutil.so.1",
  ].map((name) => `lib/x86_64-linux-gnu/${name}`),
};

/** Folders that are there before anything is put into them; `mode` 0755 unless it says otherwise. */
const folders: readonly (readonly [path: string, mode?: number, gid?: number])[] = [
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

/**
 * Applets of busybox that would be taken for a package manager, or do nothing here: programs that look for the
 * former (facter does) would draw wrong conclusions.
 */
const unwantedApplets = new Set(["busybox", "dpkg", "dpkg-deb", "linuxrc", "rpm", "rpm2cpio"]);

/**
 * Writes `<outDir>/14.x/x86_64/release/CorePure64-current.iso` and its `.md5.txt`. The same packages, rootfs and
 * epoch make the same bytes. Returns the ISO's absolute path and the kernel's release.
 * Throws `UserError`: `missing-package`, `missing-in-package`, `no-kernel`, and what the formats throw.
 */
export async function buildBase(
  options: BaseOptions,
): Promise<{ readonly iso: string; readonly kernelRelease: string }> {
  const { $, packages, workDir, outDir, epoch, signal, log } = options;
  const work = join(workDir, "base");
  await rm(work, { recursive: true, force: true });
  const root = join(work, "root");
  const boot = join(work, "iso/boot");
  await mkdir(root, { recursive: true });
  await mkdir(join(boot, "isolinux"), { recursive: true });

  const kernel = await unpackKernel({ $, packages, dir: join(work, "kernel") });
  signal.throwIfAborted();
  log(`base: kernel ${kernel.release}`);
  await installModules($, kernel, await findModules(kernel, baseModules), root);
  for (const [name, paths] of Object.entries(systemFiles)) {
    await takeFiles(options, name, paths, root);
    signal.throwIfAborted();
  }

  const applets = await installBusybox(options, root);
  const tree = await layOut(options, root, applets);
  signal.throwIfAborted();
  await copyFile(kernel.image, join(boot, "vmlinuz64"));
  const initrd = await writeLayer(tree, join(boot, "corepure64.gz"), { level: 9, signal });
  log(`base: corepure64.gz, ${tree.size} entries, ${Math.ceil(initrd.size / 1024)} KiB`);

  await takeFiles(options, "isolinux", ["usr/lib/ISOLINUX/isolinux.bin"], boot, "isolinux");
  await takeFiles(
    options,
    "syslinux-common",
    ["usr/lib/syslinux/modules/bios/ldlinux.c32"],
    boot,
    "isolinux",
  );
  await writeFile(join(boot, "isolinux/isolinux.cfg"), isolinuxConfig);
  await writeFile(join(boot, "isolinux/boot.msg"), bootMessage);
  const release = join(outDir, "14.x/x86_64/release");
  await mkdir(release, { recursive: true });
  const iso = join(release, "CorePure64-current.iso");
  await rm(iso, { force: true });
  await writeIso($, {
    root: join(work, "iso"),
    out: iso,
    volumeId: "CorePure64",
    applicationId: "razor-mk sample base",
    systemId: "LINUX",
    epoch,
    boot: { isolinux: "boot/isolinux/isolinux.bin", catalog: "boot/isolinux/boot.cat" },
  });
  await writeFile(`${iso}.md5.txt`, `${await md5Of(iso)}  CorePure64-current.iso\n`);
  await rm(work, { recursive: true, force: true });
  return { iso, kernelRelease: kernel.release };
}

/** The file tree of the initrd: folders, devices, what is in `root`, the applets' links, the boot scripts. */
async function layOut(
  { rootfs, epoch }: BaseOptions,
  root: string,
  applets: readonly string[],
): Promise<FileTree> {
  const mtime = epoch;
  const tree = await treeFromDirectory(root, { mtime, filter: (path) => !isBinaryTable(path) });
  tree.addTree(await treeFromDirectory(rootfs, { mtime, policy: scriptPolicy }));
  // Without an entry of its own the root of an initrd would be 1777, as every tmpfs is.
  tree.addDirectory(rootPath, { mtime });
  for (const [path, mode = 0o755, gid = 0] of folders) tree.addDirectory(path, { mtime, mode, gid });
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

/** Puts busybox into `root` and asks it which applets it has; returns their paths, without those left out. */
async function installBusybox(options: BaseOptions, root: string): Promise<readonly string[]> {
  await takeFiles(options, "busybox-static", ["bin/busybox"], root);
  const busybox = join(root, "bin/busybox");
  await chmod(busybox, 0o755);
  const { stdout } = await options.$`${busybox} --list-full`;
  const applets = stdout.split("\n").filter((path) => {
    return path !== "" && !unwantedApplets.has(path.slice(path.lastIndexOf("/") + 1));
  });
  return [...applets].sort();
}

/**
 * Copies files out of a package into `root`, following links inside the package, with its own path or into `folder`.
 * A package of a merged-/usr release has the same files below `usr/`.
 */
async function takeFiles(
  { $, packages, workDir }: BaseOptions,
  name: string,
  paths: readonly string[],
  root: string,
  folder?: string,
): Promise<void> {
  const deb = packages[name];
  if (deb === undefined) {
    throw new UserError(`the sample base needs the package ${name}, which was not downloaded`, {
      code: "missing-package",
      where: name,
      hint: "run `apt-get update`, then build again",
    });
  }
  const dir = join(workDir, "base/packages", name);
  await mkdir(dir, { recursive: true });
  await unpackDeb($, deb, dir);
  for (const path of paths) {
    const to = folder === undefined ? path : join(folder, path.slice(path.lastIndexOf("/") + 1));
    await mkdir(join(root, to, ".."), { recursive: true });
    const [first, second] = [join(dir, path), join(dir, "usr", path)];
    await copyFile(first, join(root, to)).catch(async () => {
      await copyFile(second, join(root, to)).catch((cause: unknown) => {
        throw new UserError(`the package ${name} holds no ${path}`, {
          code: "missing-in-package",
          where: deb,
          hint: "the sample base is made from the packages of Debian 12 or a current Ubuntu",
          cause,
        });
      });
    });
  }
}

async function md5Of(file: string): Promise<string> {
  const hash = createHash("md5");
  for await (const piece of createReadStream(file)) hash.update(piece as Buffer);
  return hash.digest("hex");
}

/** Laid out as Core's own, so that whoever edits one edits the other: `timeout 300`, one `append` line a label. */
const isolinuxConfig = `serial 0 115200
display boot.msg
default mc
label mc
\tkernel /boot/vmlinuz64
\tappend initrd=/boot/corepure64.gz quiet loglevel=3 console=tty1 console=ttyS0,115200
implicit 0
prompt 1
timeout 300
`;

const bootMessage = `
Press Enter to boot, or type mc followed by boot codes:
base norestore nodhcp cde tce=DEVICE host=NAME user=NAME
`;
