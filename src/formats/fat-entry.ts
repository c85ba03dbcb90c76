/**
 * The entries of a FAT directory: short names, places, times.
 *
 * Format: Microsoft, "FAT: General Overview of On-Disk Format", 1.03.
 */
import { UserError } from "../errors/index.ts";
import type { FileContent } from "./content.ts";
import { printName } from "./names.ts";

/** Bytes. */
export const entrySize = 32;

/** Where a file or directory lies. */
export interface FatPlace {
  /** Number of its first cluster; 0 for an empty file and the root. */
  readonly first: number;
  /** In bytes; a directory's is 0. */
  readonly size: number;
  /** None for a directory. */
  readonly content: FileContent | undefined;
}

/** The 32 bytes of an entry; `name` has eleven characters, `epoch` is in seconds since 1970. */
export function directoryEntry(name: string, place: FatPlace, epoch: number): Buffer {
  const bytes = Buffer.alloc(entrySize);
  bytes.write(name, 0, "latin1");
  bytes.writeUInt8(place.content === undefined ? 0x10 : 0x20, 11);
  const { date, time } = dosTime(epoch);
  for (const [at, value] of [
    ...[[14, time] as const, [16, date] as const, [18, date] as const],
    ...[[22, time] as const, [24, date] as const],
  ]) {
    bytes.writeUInt16LE(value, at);
  }
  bytes.writeUInt16LE(place.first, 26);
  bytes.writeUInt32LE(place.size, 28);
  return bytes;
}

/** Years count from 1980, seconds by two; UTC. */
function dosTime(epoch: number): { readonly date: number; readonly time: number } {
  const at = new Date(Math.max(epoch, Date.UTC(1980, 0, 1) / 1000) * 1000);
  const date = ((at.getUTCFullYear() - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate();
  const time = (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1);
  return { date: date & 0xffff, time };
}

/** The eleven characters of a directory entry. @throws UserError `fat-name` */
export function shortName(path: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const [, base = "", extension = ""] = /^([A-Z0-9_-]{1,8})(?:\.([A-Z0-9_-]{1,3}))?$/.exec(name) ?? [];
  if (base === "") throw badName(path, "has no short name");
  return base.padEnd(8) + extension.padEnd(3);
}

/** The error for what a volume cannot hold; `why` follows "it". */
export function badName(path: string, why: string): UserError {
  return new UserError(`the FAT volume cannot contain ${printName(path)}: it ${why}`, {
    code: "fat-name",
    where: printName(path),
    hint: "use names of at most 8 and 3 capitals or digits, such as BOOTX64.EFI",
  });
}
