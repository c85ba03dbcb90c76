/**
 * Where the partitions of a disk's image are.
 *
 * Sources: the UEFI specification 2.10, 5 (MBR, GPT); sfdisk(8), "extended partition" (each logical one has a table of its own).
 */
import type { FileHandle } from "node:fs/promises";
import { readAt } from "./iso-descriptors.ts";

interface Partition {
  /** As Linux counts: logical partitions of an MBR begin at 5. */
  readonly number: number;
  /** Bytes, from the disk's beginning. */
  readonly offset: number;
  readonly size: number;
}

const sector = 512;
const extendedTypes = [0x05, 0x0f, 0x85];
const protectiveType = 0xee;
/** A GPT has 128 entries; more than that is no disk that boots anything. */
const mostEntries = 1024;
/** The most logical partitions that are followed: a damaged chain may be cyclic. */
const mostLogical = 60;

/** Whether the bytes may begin a disk: the last two of the first sector say so (UEFI 5.2.1). */
export function hasBootSignature(head: Buffer): boolean {
  return head[510] === 0x55 && head[511] === 0xaa;
}

/** In the order of their numbers; `size` is the disk's. None where there is no table; parts beyond the end are cut off. */
export async function readPartitions(handle: FileHandle, size: number): Promise<readonly Partition[]> {
  if (size < 2 * sector) return [];
  const first = await readAt(handle, 0, 2 * sector);
  if (!hasBootSignature(first)) return [];
  const primary = entriesOf(first);
  if (primary.some(({ type }) => type === protectiveType))
    return await readGpt(handle, first.subarray(sector), size);
  const partitions: Partition[] = [];
  for (const { number, type, start, sectors } of primary) {
    if (extendedTypes.includes(type)) partitions.push(...(await readLogical(handle, start, size)));
    else partitions.push(within(number, start * sector, sectors * sector, size));
  }
  return partitions.filter((one) => one.size > 0).sort((a, b) => a.number - b.number);
}

interface MbrEntry {
  readonly number: number;
  readonly type: number;
  /** In sectors. */
  readonly start: number;
  readonly sectors: number;
}

function entriesOf(table: Buffer): readonly MbrEntry[] {
  return [0, 1, 2, 3].flatMap((index) => {
    const entry = table.subarray(446 + 16 * index, 462 + 16 * index);
    const [flag = 0, type = 0] = [entry[0], entry[4]];
    const [start, sectors] = [entry.readUInt32LE(8), entry.readUInt32LE(12)];
    // Text or code stands there where a file system begins without a table.
    const isEntry = (flag === 0 || flag === 0x80) && type !== 0 && start > 0 && sectors > 0;
    return isEntry ? [{ number: index + 1, type, start, sectors }] : [];
  });
}

/** The chain of tables in the extended partition that begins at a sector. */
async function readLogical(
  handle: FileHandle,
  extended: number,
  size: number,
): Promise<readonly Partition[]> {
  const found: Partition[] = [];
  let at = extended;
  while (found.length < mostLogical && (at + 1) * sector <= size) {
    const table = await readAt(handle, at * sector, sector);
    if (!hasBootSignature(table)) break;
    const [own, next] = [
      entriesOf(table).find(({ type }) => !extendedTypes.includes(type)),
      entriesOf(table).find(({ type }) => extendedTypes.includes(type)),
    ];
    if (own !== undefined)
      found.push(within(5 + found.length, (at + own.start) * sector, own.sectors * sector, size));
    if (next === undefined || own === undefined) break;
    at = extended + next.start;
  }
  return found;
}

async function readGpt(handle: FileHandle, header: Buffer, size: number): Promise<readonly Partition[]> {
  if (header.toString("latin1", 0, 8) !== "EFI PART") return [];
  const [at, count, length] = [
    Number(header.readBigUInt64LE(72)) * sector,
    Math.min(header.readUInt32LE(80), mostEntries),
    header.readUInt32LE(84),
  ];
  if (length < 128 || length > 4096 || at + count * length > size) return [];
  const table = await readAt(handle, at, count * length);
  return Array.from({ length: count }, (_, index) =>
    table.subarray(index * length, (index + 1) * length),
  ).flatMap((entry, index) => {
    if (entry.subarray(0, 16).every((byte) => byte === 0)) return [];
    const [first, last] = [Number(entry.readBigUInt64LE(32)), Number(entry.readBigUInt64LE(40))];
    const part = within(index + 1, first * sector, (last - first + 1) * sector, size);
    return part.size > 0 ? [part] : [];
  });
}

function within(number: number, offset: number, size: number, disk: number): Partition {
  return { number, offset, size: Math.max(0, Math.min(size, disk - offset)) };
}
