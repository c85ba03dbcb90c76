/**
 * The records of a FAT directory, with the long names that stand before them.
 *
 * Format: Microsoft, "FAT: General Overview of On-Disk Format", 1.03, "FAT Directory Structure" and "FAT Long Name Specification"; the
 * bits for small letters are those of Linux, `fs/fat/fat.h` (CASE_LOWER_BASE, CASE_LOWER_EXT).
 */
import { entrySize } from "./fat-entry.ts";
import { decodeName } from "./names.ts";

export interface FatRecord {
  readonly name: string;
  readonly isDirectory: boolean;
  /** First cluster; 0 for an empty file. */
  readonly first: number;
  readonly size: number;
  /** Seconds since 1970, of a time that is taken for UTC. */
  readonly mtime: number;
}

const longName = 0x0f;
const volumeLabel = 0x08;
const directory = 0x10;
const deleted = 0xe5;

/** The records of a directory's bytes; deleted ones and the volume's label are omitted. */
export function* fatRecords(bytes: Buffer): Generator<FatRecord> {
  let pieces: { readonly sum: number; readonly order: number; readonly text: Buffer }[] = [];
  for (let at = 0; at + entrySize <= bytes.length; at += entrySize) {
    const record = bytes.subarray(at, at + entrySize);
    if (record[0] === 0) return;
    const attributes = record[11] ?? 0;
    if (record[0] === deleted) pieces = [];
    else if ((attributes & 0x3f) === longName) {
      const order = record[0] ?? 0;
      if ((order & 0x40) !== 0) pieces = [];
      const text = Buffer.concat([record.subarray(1, 11), record.subarray(14, 26), record.subarray(28, 32)]);
      pieces.push({ sum: record[13] ?? 0, order: order & 0x3f, text });
    } else {
      const long = joinPieces(pieces, checksum(record));
      pieces = [];
      if ((attributes & volumeLabel) !== 0) continue;
      yield {
        name: long ?? shortNameOf(record),
        isDirectory: (attributes & directory) !== 0,
        first: record.readUInt16LE(26) + record.readUInt16LE(20) * 65536,
        size: record.readUInt32LE(28),
        mtime: unixTime(record.readUInt16LE(24), record.readUInt16LE(22)),
      };
    }
  }
}

/** The name of whole pieces, last first, that belong to the record; others are somebody's leftovers. */
function joinPieces(
  pieces: readonly { readonly sum: number; readonly order: number; readonly text: Buffer }[],
  sum: number,
): string | undefined {
  if (pieces.length === 0) return undefined;
  const isWhole = pieces.every((piece, index) => piece.sum === sum && piece.order === pieces.length - index);
  if (!isWhole) return undefined;
  const text = Buffer.concat(pieces.toReversed().map((piece) => piece.text)).toString("utf16le");
  return text.split("\0")[0];
}

function checksum(record: Buffer): number {
  let sum = 0;
  for (const byte of record.subarray(0, 11)) sum = (((sum & 1) << 7) + (sum >> 1) + byte) & 255;
  return sum;
}

function shortNameOf(record: Buffer): string {
  const part = (from: number, to: number, small: number): string => {
    const bytes = Buffer.from(record.subarray(from, to));
    // 0x05 stands for a first letter that would mean "deleted".
    if (from === 0 && bytes[0] === 0x05) bytes[0] = deleted;
    const text = decodeName(bytes).trimEnd();
    return ((record[12] ?? 0) & small) === 0 ? text : text.toLowerCase();
  };
  const [base, extension] = [part(0, 8, 0x08), part(8, 11, 0x10)];
  return extension === "" ? base : `${base}.${extension}`;
}

/** Years count from 1980, seconds by two. */
function unixTime(date: number, time: number): number {
  const at = Date.UTC(
    1980 + (date >> 9),
    Math.max(0, ((date >> 5) & 15) - 1),
    Math.max(1, date & 31),
    time >> 11,
    (time >> 5) & 63,
    (time & 31) * 2,
  );
  return at / 1000;
}
