/** The kernel of the sample base: which package holds it, which of its modules are wanted, and what those need. */
import { copyFile, mkdir, readdir, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { UserError } from "../../src/errors/index.ts";
import { FileTree, readDebFiles, stageTree } from "../../src/formats/index.ts";
import type { Shell } from "../../src/host/index.ts";

/** Wishes for the kernel's packages, as `PackageWishes` takes them: a meta package stands for the newest kernel. */
export const kernelPackages = ["linux-image-amd64 | linux-image-generic"] as const;

/**
 * Modules of the base, by name: extensions (loop, squashfs), CDs, and the disks and network cards of virtual
 * machines. Other hardware comes with the `scsi-KERNEL` extension.
 */
export const baseModules = [
  "ahci",
  "ata_piix",
  "cdrom",
  "crc32c_generic",
  "e1000",
  "e1000e",
  "ext4",
  "isofs",
  "loop",
  "nls_ascii",
  "nls_cp437",
  "nvme",
  "sd_mod",
  "sr_mod",
  "squashfs",
  "usb-storage",
  "vfat",
  "virtio_blk",
  "virtio_net",
  "virtio_pci",
  "xhci-pci",
] as const;

interface Kernel {
  /** As `uname -r` prints it. */
  readonly release: string;
  /** Absolute path of the kernel image. */
  readonly image: string;
  /** Absolute path of the directory that holds `kernel/`, `modules.order`, `modules.builtin` and `modules.dep`. */
  readonly modules: string;
}

interface UnpackKernelOptions {
  readonly $: Shell;
  /** Absolute paths of `.deb` files by package name; those of other packages are not looked at. */
  readonly packages: Readonly<Record<string, string>>;
  /** Absolute path of a directory of its own, which is made. */
  readonly dir: string;
}

const kernelPackage = /^linux-(image|modules)(-unsigned)?-\d/;

/**
 * Unpacks the kernel's packages and has the host's `depmod` work out what depends on what (the package leaves that
 * to its maintainer script). Throws `UserError` `no-kernel`, and what `readDebFiles` throws.
 */
export async function unpackKernel({ $, packages, dir }: UnpackKernelOptions): Promise<Kernel> {
  const names = Object.keys(packages).filter((name) => kernelPackage.test(name));
  const spool = `${dir}.packages`;
  const tree = new FileTree();
  for (const name of names.sort()) {
    const deb = packages[name];
    if (deb !== undefined) tree.addTree(await readDebFiles($, deb, spool));
  }
  await stageTree(tree.ensureParents({ mtime: 0 }), dir);
  await rm(spool, { recursive: true, force: true });
  const image = (await list(join(dir, "boot"))).find((name) => name.startsWith("vmlinuz-"));
  // Newer releases put everything that was in /lib below /usr.
  for (const lib of ["lib", "usr/lib"]) {
    const [release] = await list(join(dir, lib, "modules"));
    if (image === undefined || release === undefined) continue;
    await $`depmod -b ${join(dir, lib === "lib" ? "" : "usr")} ${release}`;
    return { release, image: join(dir, "boot", image), modules: join(dir, lib, "modules", release) };
  }
  throw new UserError("the packages of the sample base contain no kernel with modules", {
    code: "no-kernel",
    where: names.join(", ") || "packages of the sample base",
    hint: "run `apt-get update`, so that apt finds the newest linux-image package",
  });
}

/** Names in byte order; a directory that is not there has none. */
async function list(dir: string): Promise<readonly string[]> {
  return await readdir(dir).then(
    (names) => names.sort(),
    () => [],
  );
}

/**
 * Paths of the named modules and of all they depend on, relative to the directory of `modules.dep`, in byte order.
 * `dependencies` is the text of `modules.dep` (modules.dep(5): `path: path path…`, dependencies already closed).
 * A name that is no module is left out when `builtin`, the text of `modules.builtin`, has it.
 * Throws `UserError` `no-such-module`.
 */
export function closeModules(
  names: readonly string[],
  dependencies: string,
  builtin: string,
): readonly string[] {
  const lines = new Map<string, readonly string[]>();
  for (const line of dependencies.split("\n")) {
    const [path, rest] = line.split(":", 2);
    if (path === undefined || rest === undefined) continue;
    lines.set(moduleName(path), [path, ...rest.split(" ").filter((word) => word !== "")]);
  }
  const builtins = new Set(builtin.split("\n").map(moduleName));
  const paths = new Set<string>();
  for (const name of names) {
    const line = lines.get(name);
    if (line === undefined && !builtins.has(name)) {
      throw new UserError(`the kernel has no module ${name}`, {
        code: "no-such-module",
        where: "modules.dep",
        hint: "build the sample source on Debian 12 or a current Ubuntu",
      });
    }
    for (const path of line ?? []) paths.add(path);
  }
  return [...paths].sort();
}

/** `kernel/drivers/net/virtio_net.ko.zst` is `virtio_net`. */
function moduleName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1).replace(/\.ko(\.\w+)?$/, "");
}

/** The closure of `names` in `kernel`; see `closeModules`. */
export async function findModules(kernel: Kernel, names: readonly string[]): Promise<readonly string[]> {
  const [dependencies, builtin] = await Promise.all([
    readFile(join(kernel.modules, "modules.dep"), "utf8"),
    readFile(join(kernel.modules, "modules.builtin"), "utf8"),
  ]);
  return closeModules(names, dependencies, builtin);
}

/** Directories of drivers that extensions bring, below the modules' directory: disk controllers and disks. */
const storageDrivers = /^kernel\/drivers\/(ata|block|message|nvme|scsi)\//;

/** The tables that busybox's modprobe reads; depmod(8) writes binary ones too, for other programs. */
const tables = ["alias", "builtin", "dep", "devname", "order", "softdep", "symbols"];

/**
 * Copies modules (paths as of `findModules`) and the tables that `modprobe` reads to `<root>/lib/modules/<release>/`.
 *
 * The tables also name the storage drivers, which are not copied: when an extension brings them, nothing has to be
 * worked out at boot, which takes many seconds on an emulated machine. `scratch` (absolute) is for intermediate files.
 */
export async function installModules(
  $: Shell,
  kernel: Kernel,
  paths: readonly string[],
  { root, scratch }: { readonly root: string; readonly scratch: string },
): Promise<void> {
  const below = join("lib/modules", kernel.release);
  const copy = async (path: string, from: string, to: string): Promise<void> => {
    await mkdir(dirname(join(to, below, path)), { recursive: true });
    await copyFile(join(from, path), join(to, below, path));
  };
  const dependencies = await readFile(join(kernel.modules, "modules.dep"), "utf8");
  const storage = [...dependencies.matchAll(/^([^:\n]+):/gm)]
    .map(([, path = ""]) => path)
    .filter((path) => storageDrivers.test(path));
  const known = await findModules(kernel, storage.map(moduleName));
  for (const path of new Set([...paths, ...known, "modules.builtin", "modules.order"])) {
    await copy(path, kernel.modules, scratch);
  }
  await $`depmod -b ${scratch} ${kernel.release}`;
  for (const path of paths) await copy(path, kernel.modules, root);
  for (const table of tables) await copy(`modules.${table}`, join(scratch, below), root);
}
