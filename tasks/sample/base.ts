/**
 * The sample's base: a Core-compatible ISO made from the distribution's kernel, busybox, C library and isolinux, and
 * from the boot scripts in `rootfs/`.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { copyFile, mkdir, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type FileTree, writeIso, writeLayer } from "../../src/formats/index.ts";
import type { Shell } from "../../src/host/index.ts";
import { installBusybox, installIsolinux, installLibraries, libraryPackages } from "./base-files.ts";
import { layOutBase } from "./base-tree.ts";
import { baseModules, findModules, installModules, kernelPackages, unpackKernel } from "./kernel.ts";

/** What the base is made of, as `PackageWishes.base` takes it: nothing that depends on these needs them again. */
export const basePackages: readonly string[] = [
  "busybox-static",
  "isolinux",
  ...kernelPackages,
  ...libraryPackages,
  "syslinux-common",
];

interface BaseOptions {
  readonly $: Shell;
  /** Absolute path of the `.deb` by package name; more than the base's do no harm. */
  readonly packages: Readonly<Record<string, string>>;
  /** Absolute path of `tasks/sample/rootfs`. */
  readonly rootfs: string;
  /** Absolute path of a directory for intermediate files; what is in `<workDir>/base` is replaced. */
  readonly workDir: string;
  /** Absolute path of the mirror that is being made. */
  readonly outDir: string;
  /** Seconds since 1970: the time of everything in the ISO. */
  readonly epoch: number;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
}

/**
 * Writes `<outDir>/14.x/x86_64/release/CorePure64-current.iso` and its `.md5.txt`. The same packages, rootfs and
 * epoch make the same bytes. Returns the ISO's absolute path and the kernel's release.
 * Throws `UserError`: `missing-package`, `missing-in-package`, `no-kernel`, and what the formats throw.
 */
export async function buildBase(
  options: BaseOptions,
): Promise<{ readonly iso: string; readonly kernelRelease: string }> {
  const { $, packages, rootfs, workDir, outDir, epoch, signal, log } = options;
  const work = join(workDir, "base");
  await rm(work, { recursive: true, force: true });
  const root = join(work, "root");
  const boot = join(work, "iso/boot");
  await mkdir(root, { recursive: true });
  await mkdir(join(boot, "isolinux"), { recursive: true });

  const kernel = await unpackKernel({ $, packages, dir: join(work, "kernel") });
  signal.throwIfAborted();
  log(`base: kernel ${kernel.release}`);
  await installModules($, kernel, await findModules(kernel, baseModules), {
    root,
    scratch: join(work, "modules"),
  });
  const files = { $, packages, scratch: join(work, "packages") };
  await installLibraries(files, root);
  const applets = await installBusybox(files, root);
  signal.throwIfAborted();
  const tree = await layOutBase({ root, rootfs, applets, epoch });
  await copyFile(kernel.image, join(boot, "vmlinuz64"));
  const initrd = join(boot, "corepure64.gz");
  await packInitrd($, tree, initrd, signal);
  log(`base: corepure64.gz, ${tree.size} entries, ${Math.ceil((await stat(initrd)).size / 1024)} KiB`);

  await installIsolinux(files, join(boot, "isolinux"));
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

/** As small as it gets: Tiny Core's archives are packed so too (with advdef), and nobody packs them again. */
async function packInitrd($: Shell, tree: FileTree, initrd: string, signal: AbortSignal): Promise<void> {
  const plain = join(dirname(initrd), basename(initrd, ".gz"));
  await writeLayer(tree, plain, { level: "none", signal });
  await $`libdeflate-gzip -12 ${plain}`;
}

async function md5Of(file: string): Promise<string> {
  const hash = createHash("md5");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

/** Laid out as Core's own, so that the same edit fits both: `timeout 300`, one `append` line a label. */
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
