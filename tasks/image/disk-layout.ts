/**
 * Where the parts of a disk lie, in sectors of 512 bytes, and the sfdisk script that says so. Everything begins at whole MiB.
 *
 * Sources: sfdisk(8), "Header lines" and "Named-fields format"; the UEFI specification, 5.3 (GPT, type of the EFI system partition);
 * the GNU GRUB manual, "BIOS installation" (BIOS boot partition, the gap behind an MBR).
 */
import type { DiskFileSystem, DiskIds, DiskTable } from "../settings/disk-ids.ts";

export const sectorSize = 512;
const mebibyte = 2048;
/** Sectors of the EFI system partition: the smallest FAT32 has 65525 clusters, here of one sector, and two tables. */
const espSectors = 64 * mebibyte;

/** A stretch of the disk. */
export interface Partition {
  /** Its first sector, and how many it has. */
  readonly start: number;
  readonly sectors: number;
}

export interface DiskPlan {
  /** Sectors of the whole disk. */
  readonly sectors: number;
  /** Where GRUB's core lies for BIOS. */
  readonly core: Partition;
  /** Undefined for a disk that does not start under UEFI. */
  readonly esp: Partition | undefined;
  readonly data: Partition;
  /** Sectors at the end for the copy of a GPT. */
  readonly tail: number;
  /** For sfdisk's standard input. */
  readonly script: string;
}

interface PlanOptions {
  /** Bytes of the whole disk; what is no whole MiB is left out. */
  readonly size: number;
  readonly table: DiskTable;
  readonly fs: DiskFileSystem;
  readonly uefi: boolean;
  readonly ids: DiskIds;
}

/** Sectors that the disk needs beside its data partition. */
export function sectorsBesideData(table: DiskTable, uefi: boolean): number {
  return (table === "gpt" ? 3 * mebibyte : mebibyte) + (uefi ? espSectors : 0);
}

const types = {
  grub: { gpt: "21686148-6449-6E6F-744E-656564454649", mbr: "" },
  esp: { gpt: "C12A7328-F81F-11D2-BA4B-00A0C93EC93B", mbr: "ef" },
  linux: { gpt: "0FC63DAF-8483-4772-8E79-3D69D8477DE4", mbr: "83" },
  fat: { gpt: "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7", mbr: "c" },
} as const;

/** The plan of a disk; the data partition has what the others leave, which may be nothing. */
export function planDisk({ size, table, fs, uefi, ids }: PlanOptions): DiskPlan {
  const sectors = Math.floor(size / sectorSize / mebibyte) * mebibyte;
  const lines = [`label: ${table}`, `label-id: ${table === "mbr" ? "0x" : ""}${ids.table}`, "unit: sectors"];
  // Some machines take no MBR for bootable that has no active partition.
  const active = table === "mbr" ? ", bootable" : "";
  let next = mebibyte;
  const add = (
    wanted: number,
    type: keyof typeof types,
    uuid: string,
    name: string,
    more = "",
  ): Partition => {
    const partition = { start: next, sectors: wanted };
    const named = table === "gpt" ? `, uuid=${uuid}, name="${name}"` : "";
    lines.push(`start=${next}, size=${wanted}, type=${types[type][table]}${named}${more}`);
    next += wanted;
    return partition;
  };
  if (table === "gpt") lines.splice(2, 0, `first-lba: ${mebibyte}`);
  // Behind an MBR, the core lies in the gap before the first partition.
  const core =
    table === "gpt" ? add(mebibyte, "grub", ids.grub, "grub") : { start: 1, sectors: mebibyte - 1 };
  const esp = uefi ? add(espSectors, "esp", ids.esp, "efi") : undefined;
  const tail = table === "gpt" ? mebibyte : 0;
  const data = add(sectors - next - tail, fs === "fat32" ? "fat" : "linux", ids.partition, "data", active);
  return { sectors, core, esp, data, tail, script: `${lines.join("\n")}\n` };
}
