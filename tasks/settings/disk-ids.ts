/** The UUIDs of a disk: made of a text, so that they are the same in every build and do not change with the disk's content. */
import { createHash } from "node:crypto";

export type DiskTable = "gpt" | "mbr";
export type DiskFileSystem = "ext4" | "ext3" | "ext2" | "fat32";

/** What names the disk and its file systems; all of it follows from one text. */
export interface DiskIds {
  /** UUIDs of the disk (of an MBR: eight hex digits) and of the partitions. */
  readonly table: string;
  readonly grub: string;
  readonly esp: string;
  readonly partition: string;
  /** Of the data partition's file system, as blkid shows it. */
  readonly data: string;
  /** Volume ids of the FAT file systems: eight hex digits. */
  readonly espVolume: string;
  readonly dataVolume: string;
}

/** The ids for a text and a file system. */
export function diskIds(seed: string, table: DiskTable, fs: DiskFileSystem): DiskIds {
  const uuid = (use: string): string => {
    const hex = digest(seed, use);
    // RFC 9562, 5.8: version 8, for ids that are made in a way of their own.
    const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16);
    return [
      hex.slice(0, 8),
      hex.slice(8, 12),
      `8${hex.slice(13, 16)}`,
      variant + hex.slice(17, 20),
      hex.slice(20, 32),
    ].join("-");
  };
  const serial = (use: string): string => digest(seed, use).slice(0, 8).toUpperCase();
  const dataVolume = serial("data volume");
  return {
    table: table === "gpt" ? uuid("table") : digest(seed, "table").slice(0, 8),
    grub: uuid("grub"),
    esp: uuid("esp"),
    partition: uuid("partition"),
    data: fs === "fat32" ? `${dataVolume.slice(0, 4)}-${dataVolume.slice(4)}` : uuid("data"),
    espVolume: serial("esp volume"),
    dataVolume,
  };
}

function digest(seed: string, use: string): string {
  return createHash("sha256").update(`${use}\n${seed}`).digest("hex");
}
