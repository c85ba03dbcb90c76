/**
 * The records of an ISO's directory: names, places and sizes.
 *
 * Source: ECMA-119, 9.
 */
import { isoSectorSize } from "./iso-descriptors.ts";

export interface DirectoryRecord {
  readonly name: Buffer;
  readonly sector: number;
  readonly size: number;
  readonly directory: boolean;
  /** The file goes on in the next record. */
  readonly more: boolean;
  readonly mtime: number;
  readonly systemUse: Buffer;
}

/**
 * Yields the records in a directory's content, in order, itself and its parent first; on a damaged one yields undefined and ends.
 * A generator, since a directory of a few megabytes has a hundred thousand.
 */
export function* readRecords(bytes: Buffer): Generator<DirectoryRecord | undefined, void> {
  for (let at = 0; at < bytes.length; ) {
    const length = bytes[at] ?? 0;
    // No record crosses a sector: the rest of one is empty.
    if (length === 0) {
      at = (Math.floor(at / isoSectorSize) + 1) * isoSectorSize;
      continue;
    }
    const record = recordAt(bytes, at);
    yield record;
    if (record === undefined) return;
    at += length;
  }
}

/** ECMA-119, 9.1; undefined when the bytes are none. */
export function recordAt(bytes: Buffer, at: number): DirectoryRecord | undefined {
  const length = bytes[at] ?? 0;
  const nameLength = bytes[at + 32] ?? 0;
  const nameEnd = at + 33 + nameLength;
  if (length < 34 || at + length > bytes.length || nameEnd > at + length) return undefined;
  const flags = bytes[at + 25] ?? 0;
  return {
    name: bytes.subarray(at + 33, nameEnd),
    // What belongs to the file's own attributes lies before it.
    sector: bytes.readUInt32LE(at + 2) + (bytes[at + 1] ?? 0),
    size: bytes.readUInt32LE(at + 10),
    directory: (flags & 0x02) !== 0,
    more: (flags & 0x80) !== 0,
    mtime: recordTime(bytes.subarray(at + 18, at + 25)),
    systemUse: bytes.subarray(nameEnd + ((nameLength + 1) % 2), at + length),
  };
}

/** Years since 1900, month, day, hour, minute, second, zone in quarters of an hour; as seconds since 1970. */
function recordTime(bytes: Buffer): number {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = bytes;
  if (month === 0) return 0;
  const zone = bytes.length > 6 ? bytes.readInt8(6) : 0;
  return Date.UTC(1900 + year, month - 1, day, hour, minute, second) / 1000 - zone * 900;
}
