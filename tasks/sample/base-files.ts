/** What the sample base takes out of the distribution's packages, the kernel's left aside. */
import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { UserError } from "../../src/errors/index.ts";
import { followLinks, readDebFiles } from "../../src/formats/index.ts";
import type { Shell } from "../../src/host/index.ts";
import { alternativesOf } from "../debian/package-closure.ts";

interface PackageFiles {
  readonly $: Shell;
  /** Absolute path of the `.deb` by package name. */
  readonly packages: Readonly<Record<string, string>>;
  /** Absolute path of a directory in which packages are unpacked. */
  readonly scratch: string;
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
  // What lscpu and sfdisk link: the image carries these two programs without the rest of their extension.
  libblkid1: ["usr/lib/x86_64-linux-gnu/libblkid.so.1"],
  libfdisk1: ["usr/lib/x86_64-linux-gnu/libfdisk.so.1"],
  libsmartcols1: ["usr/lib/x86_64-linux-gnu/libsmartcols.so.1"],
  libuuid1: ["usr/lib/x86_64-linux-gnu/libuuid.so.1"],
  "libreadline8 | libreadline8t64": ["lib/x86_64-linux-gnu/libreadline.so.8"],
  libtinfo6: ["lib/x86_64-linux-gnu/libtinfo.so.6"],
};

/**
 * Packages whose libraries are all in the base, so that no extension has to bring them. libtinfo6 is not among them:
 * it also holds a library that only the ncurses extension needs.
 */
export const libraryPackages: readonly string[] = Object.keys(systemFiles).filter(
  (name) => name !== "libtinfo6",
);

/**
 * Applets of busybox that would be taken for a package manager, or do nothing here: programs that look for the
 * first (facter does) would draw wrong conclusions.
 */
const unwantedApplets = new Set(["busybox", "dpkg", "dpkg-deb", "linuxrc", "rpm", "rpm2cpio"]);

/** Copies what dynamic programs need, and the program that makes the loader's cache, into `root` (absolute). */
export async function installLibraries(from: PackageFiles, root: string): Promise<void> {
  for (const [name, paths] of Object.entries(systemFiles)) await takeFiles(from, name, paths, root);
}

/** Copies the boot loader's files into `dir` (absolute). */
export async function installIsolinux(from: PackageFiles, dir: string): Promise<void> {
  await takeFiles(from, "isolinux", ["usr/lib/ISOLINUX/isolinux.bin"], dir, "flat");
  await takeFiles(from, "syslinux-common", ["usr/lib/syslinux/modules/bios/ldlinux.c32"], dir, "flat");
}

/** Puts busybox into `root` and asks it which applets it has; returns their paths, without those left out. */
export async function installBusybox(from: PackageFiles, root: string): Promise<readonly string[]> {
  await takeFiles(from, "busybox-static", ["bin/busybox"], root);
  const busybox = join(root, "bin/busybox");
  await chmod(busybox, 0o755);
  const { stdout } = await from.$`${busybox} --list-full`;
  const applets = stdout.split("\n").filter((path) => {
    return path !== "" && !unwantedApplets.has(path.slice(path.lastIndexOf("/") + 1));
  });
  return [...applets].sort();
}

/**
 * Copies files out of a package into `root`, to their own paths or all into one directory. A package of a merged-/usr
 * release has the same files below `usr/`.
 */
async function takeFiles(
  { $, packages, scratch }: PackageFiles,
  name: string,
  paths: readonly string[],
  root: string,
  layout: "same" | "flat" = "same",
): Promise<void> {
  const deb = alternativesOf(name)
    .map((alternative) => packages[alternative])
    .find((found) => found !== undefined);
  if (deb === undefined) {
    throw new UserError(`the sample base needs the package ${name}, which was not downloaded`, {
      code: "missing-package",
      where: name,
      hint: "run `apt-get update`, then build again",
    });
  }
  const spool = join(scratch, name);
  const files = await readDebFiles($, deb, spool);
  for (const path of paths) {
    const other = path.startsWith("usr/") ? path.slice(4) : `usr/${path}`;
    // A library's name is often a link to the file with its version.
    const places = [path, other].map((one) => followLinks(files, one, true).path);
    const found = places.find((one) => files.get(one)?.type === "file");
    if (found === undefined) {
      throw new UserError(`the package ${name} does not contain ${path}`, {
        code: "missing-in-package",
        where: deb,
        hint: "build the sample source on Debian 12 or a current Ubuntu",
      });
    }
    const to = join(root, layout === "same" ? path : basename(path));
    await mkdir(dirname(to), { recursive: true });
    await writeFile(to, files.stream(found), { mode: 0o600 });
    await chmod(to, files.file(found).mode | 0o600);
  }
  await rm(spool, { recursive: true, force: true });
}
