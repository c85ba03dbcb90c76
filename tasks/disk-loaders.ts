/**
 * A disk without its data partition: the partition table, GRUB for BIOS in its place, and the EFI system partition. No edit of the image
 * reruns this step.
 */
import { copyFile, mkdir, open, readFile, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { type FileSet, only, out, task } from "../src/engine/index.ts";
import { UserError } from "../src/errors/index.ts";
import { grubCore, grubMasterBoot, takeOutExtents, writeFatVolume } from "../src/formats/index.ts";
import type { Shell } from "../src/host/index.ts";
import { fetchIso } from "./fetch-iso.ts";
import { readCoreFacts } from "./image/core-facts.ts";
import { type DiskPlan, planDisk, sectorSize, sectorsBesideData } from "./image/disk-layout.ts";
import { type Firmware, grubFilesIn, makeGrubLoader, missingGrub } from "./image/grub-loader.ts";
import { archiveSparse } from "./image/sparse-archive.ts";
import {
  diskFs,
  diskId,
  diskKind,
  diskLayout,
  diskNames,
  diskSeed,
  diskSize,
} from "./settings/disk-options.ts";
import { firmware } from "./settings/image-options.ts";
import { undated } from "./settings/undated.ts";

const grubPrograms = ["grub-mkimage", "grub2-mkimage"] as const;
const directories = ["/usr/lib/grub", "/usr/lib/grub2", "/usr/share/grub2"] as const;
const [usual, older, other] = directories;

export const diskLoaders = task({
  name: "disk-loaders",
  description: "Prepare a disk's partition table and boot loaders",
  internal: true,
  needs: { core: only(fetchIso, "core") },
  inputs: {
    // Debian, Arch and Fedora; older releases of Fedora; openSUSE.
    bios: grubFilesIn(usual, "bios"),
    biosOlder: grubFilesIn(older, "bios"),
    biosOther: grubFilesIn(other, "bios"),
    uefi: grubFilesIn(usual, "uefi"),
    uefiOlder: grubFilesIn(older, "uefi"),
    uefiOther: grubFilesIn(other, "uefi"),
  },
  // The id is read by the default of the seed.
  params: { firmware, diskSize, diskLayout, diskFs, diskId, diskSeed },
  tools: ["sfdisk"],
  optionalTools: ({ firmware }) => {
    const forEsp = firmware === "bios" ? "unused" : "needed";
    const esp = Object.fromEntries(
      ["mkfs.vfat", "mcopy", "mmd", "tar"].map((name) => [name, forEsp] as const),
    );
    return { ...esp, ...Object.fromEntries(grubPrograms.map((name) => [name, "self-checked"] as const)) };
  },
  outputs: {
    /** A `DiskPlan`. */
    plan: out.file("plan.json"),
    /** The first sectors of the disk up to the end of GRUB's core, and the last ones. */
    head: out.file("head"),
    tail: out.file("tail"),
    /** What is in the EFI system partition: bytes, and the `SparseMap` of where they lie in it. Both are empty without one. */
    esp: out.file("esp"),
    espMap: out.file("esp.json"),
  },
  async run({ $, needs, inputs, params, outputs, scratch, missingTools, note }) {
    const { table, fs } = diskKind(params);
    const ids = diskNames(params);
    const program = grubPrograms.find((name) => !missingTools.includes(name));
    const found = {
      bios: firstWhole([inputs.bios, inputs.biosOlder, inputs.biosOther]),
      uefi: firstWhole([inputs.uefi, inputs.uefiOlder, inputs.uefiOther]),
    };
    const { kernel } = await readCoreFacts(needs.core.core);
    /** Whether the disk is to start under a firmware; throws where it has to and cannot. */
    const starts = (one: Firmware): boolean => {
      if (![one, "both", "auto"].includes(params.firmware)) return false;
      const name = one === "bios" ? "BIOS" : "UEFI";
      const missing =
        one === "uefi" && kernel !== "vmlinuz64"
          ? { why: "the base's kernel is for 32 bits", hint: undefined }
          : missingGrub(one, program === undefined ? undefined : found[one]);
      if (missing === undefined) return true;
      const isWanted = params.firmware !== "auto";
      if (isWanted || (one === "bios" && !starts("uefi"))) {
        throw new UserError(`the disk cannot start under ${name}: ${missing.why}`, {
          code: "disk-loader",
          where: `--firmware ${params.firmware}`,
          hint: missing.hint ?? "build with --firmware bios, or from a Core for 64 bits",
        });
      }
      note(
        `the disk will not start under ${name}: ${missing.why}${missing.hint === undefined ? "" : `; ${missing.hint}`}`,
      );
      return false;
    };
    const [bios, uefi] = [starts("bios"), starts("uefi")];
    if (params.diskSize / sectorSize <= sectorsBesideData(table, uefi)) {
      throw new UserError("the disk has no room for a data partition", {
        code: "disk-size",
        where: "--disk-size",
        hint: "make it larger, for example --disk-size 1G",
      });
    }
    const plan = planDisk({ size: params.diskSize, table, fs, uefi, ids });
    await writeFile(outputs.plan, `${JSON.stringify(plan, undefined, 2)}\n`);
    const { head, tail } = await partition($, plan, scratch);
    await writeFile(outputs.tail, tail);
    const load = { uuid: ids.data, scratch };
    if (bios && program !== undefined && found.bios !== undefined) {
      const core = path.join(scratch, "core.img");
      await makeGrubLoader($, program, "bios", { ...load, from: found.bios, out: core });
      const boot = path.join(found.bios.root, "boot.img");
      const { start, sectors } = plan.core;
      grubMasterBoot(await readFile(boot), start, boot).copy(head);
      const placed = grubCore(await readFile(core), start, sectors, core);
      await writeFile(outputs.head, Buffer.concat([head.subarray(0, start * sectorSize), placed]));
    } else await writeFile(outputs.head, head);

    if (plan.esp === undefined || program === undefined || found.uefi === undefined) {
      await writeFile(outputs.esp, "");
      await writeFile(outputs.espMap, JSON.stringify({ size: 0, extents: [] }));
      return;
    }
    const tree = path.join(scratch, "esp");
    const loader = path.join(tree, "EFI/BOOT/BOOTX64.EFI");
    await mkdir(path.dirname(loader), { recursive: true });
    const efi = path.join(scratch, "BOOTX64.EFI");
    await makeGrubLoader($, program, "uefi", { ...load, from: found.uefi, out: efi });
    await copyFile(efi, loader);
    const volume = path.join(scratch, "esp.img");
    const { start, sectors } = plan.esp;
    await writeFatVolume($, tree, volume, {
      ...{ size: sectors * sectorSize, start, volumeId: ids.espVolume, label: "EFI", epoch: undated },
    });
    const archive = await archiveSparse($, volume, scratch);
    await writeFile(outputs.espMap, JSON.stringify(await takeOutExtents(archive, outputs.esp)));
  },
});

function firstWhole(sets: readonly FileSet[]): FileSet | undefined {
  return sets.find(({ paths }) => paths.includes("kernel.img"));
}

/** The first sectors of the disk with its table, as many as lie before the first partition, and the last ones. */
async function partition(
  $: Shell,
  { script, sectors, tail }: DiskPlan,
  scratch: string,
): Promise<{ readonly head: Buffer; readonly tail: Buffer }> {
  const [disk, lines] = [path.join(scratch, "disk"), path.join(scratch, "disk.sfdisk")];
  await writeFile(lines, script);
  await writeFile(disk, "");
  await truncate(disk, sectors * sectorSize);
  await $`sfdisk --quiet --no-reread --no-tell-kernel --wipe never ${disk} < ${lines}`;
  const handle = await open(disk, "r");
  try {
    const read = async (from: number, count: number): Promise<Buffer> => {
      const size = count * sectorSize;
      return (await handle.read(Buffer.alloc(size), 0, size, from * sectorSize)).buffer;
    };
    return { head: await read(0, firstPartition), tail: await read(sectors - tail, tail) };
  } finally {
    await handle.close();
  }
}

/** Sectors before the first partition. */
const firstPartition = 2048;
