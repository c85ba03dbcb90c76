/**
 * The lines of a record log: `<crc32 of the rest, 8 hex digits> <key>\t<value>\n`, after the file's header.
 *
 * A log may be sealed: its last line then holds the checksum of all bytes before it. To check one sum costs a fraction
 * of what a sum for each line does; where it is not right, each line is checked by itself.
 */
import { crc32 } from "node:zlib";

/** The first line of a log of this version. */
export const logHeader = "razor-mk-state 1\n";

/** The key of a line that seals all before it; its value is `<bytes before the line> <crc32 of these>`. */
const sealKey = "sealed";
/** Bytes of a line before its key: the checksum and a space. */
const prefixSize = 9;
/** Bytes that are decoded into one string: a character beyond Latin-1 doubles the memory of its whole string. */
const decodedSize = 1024 * 1024;
const tab = 0x09;
const lineFeed = 0x0a;

/** Takes each line of a log, in order; a seal is a line without a key. */
type LineListener = (key: string | undefined, value: string) => void;

/** What reading a log found besides its records. */
interface LogReading {
  /** Lines that were skipped. */
  readonly damagedLines: number;
  /** crc32 of all bytes. */
  readonly sum: number;
}

/** Whether a key can be written: names of files may hold anything, lines may not. */
export function fitsALine(key: string): boolean {
  return !/[\t\n]/.test(key);
}

/** The line of a record; the key must fit, and the value have no line feed. */
export function lineOf(key: string, value: string): string {
  const body = `${key}\t${value}`;
  return `${crc32(body).toString(16).padStart(8, "0")} ${body}\n`;
}

/** The line that seals a log of `size` bytes with the crc32 `sum`. */
export function sealOf(size: number, sum: number): string {
  return lineOf(sealKey, `${size} ${sum}`);
}

/** Reads the lines of a log, all bytes of a file that begins with the header. */
export function readLines(bytes: Buffer, listener: LineListener): LogReading {
  const keep = (key: string, value: string): void => listener(key === sealKey ? undefined : key, value);
  const seal = findSeal(bytes);
  if (seal === undefined) return { damagedLines: checkLines(bytes, keep), sum: crc32(bytes) };
  let damagedLines = 0;
  for (let start = logHeader.length; start < seal.at; ) {
    const full = bytes.lastIndexOf(lineFeed, start + decodedSize) + 1;
    const stop = Math.min(seal.at, full > start ? full : bytes.indexOf(lineFeed, start) + 1);
    damagedLines += splitLines(bytes.toString("utf8", start, stop), keep);
    start = stop;
  }
  return { damagedLines, sum: crc32(bytes.subarray(seal.at), seal.sum) };
}

/** Where the last line begins and the crc32 of all before it, when that line is a seal and the sum is right. */
function findSeal(bytes: Buffer): { readonly at: number; readonly sum: number } | undefined {
  const at = bytes.lastIndexOf(lineFeed, -2) + 1;
  const sum = crc32(bytes.subarray(0, at));
  return bytes.toString("utf8", at) === sealOf(at, sum) ? { at, sum } : undefined;
}

/** Splits whole lines of verified text; returns how many are damaged. Keys and values are slices, which copies nothing. */
function splitLines(text: string, keep: (key: string, value: string) => void): number {
  let damaged = 0;
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf("\n", start);
    const split = text.indexOf("\t", start + prefixSize);
    if (split === -1 || split > end) damaged += 1;
    else keep(text.slice(start + prefixSize, split), text.slice(split + 1, end));
    start = end + 1;
  }
  return damaged;
}

/**
 * Checks lines one by one with their checksums; returns how many are damaged. It reads bytes: decoding the text first
 * would cost more than all the rest.
 */
function checkLines(bytes: Buffer, keep: (key: string, value: string) => void): number {
  let damaged = 0;
  let start = logHeader.length;
  while (start < bytes.length) {
    const end = bytes.indexOf(lineFeed, start);
    if (end === -1) return damaged + 1;
    const body = start + prefixSize;
    const split = bytes.indexOf(tab, body);
    const sum = Number.parseInt(bytes.toString("latin1", start, start + 8), 16);
    if (split === -1 || split > end || crc32(bytes.subarray(body, end)) !== sum) damaged += 1;
    else keep(bytes.toString("utf8", body, split), bytes.toString("utf8", split + 1, end));
    start = end + 1;
  }
  return damaged;
}
