/**
 * The extension `scsi-<kernel release>`: drivers of disk controllers, from the packages that the base's kernel came
 * in. It loads nothing: the program that loads the extension refreshes the module tables and requests drivers.
 */
import { copyFile, mkdir, readFile, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Shell } from "../../src/host/index.ts";
import type { PackagePlan } from "../debian/packages.ts";
import { baseModules, findModules, unpackKernel } from "./kernel.ts";

/** Modules wanted, as their files are named without suffix; a kernel flavour may lack some. */
const wantedModules: readonly string[] = [
  ...["scsi_mod", "sd_mod", "sr_mod", "sg", "virtio_scsi", "virtio_blk", "nvme"],
  ...[
    "ahci",
    "ata_generic",
    "ata_piix",
    "pata_acpi",
    "sata_nv",
    "sata_sil",
    "sata_sil24",
    "sata_svw",
    "sata_via",
  ],
  ...["3w-9xxx", "3w-sas", "aacraid", "aic79xx", "aic7xxx", "arcmsr", "hpsa", "isci", "megaraid_mbox"],
  ...["megaraid_sas", "mpi3mr", "mpt3sas", "mptsas", "mptspi", "mvsas", "pm80xx", "sym53c8xx", "smartpqi"],
  ...["hv_storvsc", "vmw_pvscsi", "xen-blkfront", "xen-scsifront"],
];

interface ModulesOptions {
  readonly $: Shell;
  readonly plan: PackagePlan;
  /** Absolute path of each package's file, by package name. */
  readonly downloads: Readonly<Record<string, string>>;
  /** Absolute; the extension's files are left in its directory `root`. */
  readonly stage: string;
}

/**
 * Puts the wanted modules and those they depend on, without the base's own, under
 * `<stage>/root/lib/modules/<release>/kernel`. Returns the extension's name and the packages it was made from.
 * Throws `UserError` `no-kernel` if the base's packages hold no kernel.
 */
export async function stageKernelModules({
  $,
  plan,
  downloads,
  stage,
}: ModulesOptions): Promise<{ readonly name: string; readonly packages: readonly string[] }> {
  const packages = plan.base.filter((name) => /^linux-(image|modules)-/.test(name));
  const unpacked = join(stage, "kernel");
  const kernel = await unpackKernel({
    $,
    packages: Object.fromEntries(Object.entries(downloads).filter(([name]) => packages.includes(name))),
    dir: unpacked,
  });
  const table = await readFile(join(kernel.modules, "modules.dep"), "utf8");
  const inBase = new Set(await findModules(kernel, baseModules));
  const chosen = await findModules(kernel, selectPresent(wantedModules, table));
  const root = join(stage, "root");
  for (const path of chosen) {
    if (inBase.has(path)) continue;
    const target = join(root, "lib/modules", kernel.release, path);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(join(kernel.modules, path), target);
  }
  await rm(unpacked, { recursive: true, force: true });
  return { name: `scsi-${kernel.release}`, packages };
}

/** The names that `table`, the text of `modules.dep` (modules.dep(5)), has a module for, as it spells them. */
export function selectPresent(names: readonly string[], table: string): readonly string[] {
  // The kernel takes `-` and `_` in a module's name for the same.
  const normal = (name: string): string => name.replaceAll("-", "_");
  const wanted = new Set(names.map(normal));
  return table
    .split("\n")
    .map((line) => basename(line.split(":", 1)[0] ?? "").replace(/\.ko(\.\w+)?$/, ""))
    .filter((name) => wanted.has(normal(name)));
}
