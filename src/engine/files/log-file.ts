/** How a record log is read from disk and appended to it. */
import { appendFileSync, existsSync, readFileSync, statSync, truncateSync, writeSync } from "node:fs";
import { crc32 } from "node:zlib";
import { systemErrorCode } from "../../errors/index.ts";

/** From so many lines on they take more memory than a write is worth. */
export const linesOfAWrite = 4096;
/** Mode of the file. */
export const logMode = 0o644;

/**
 * Appends `first` and all of the lines or, when the disk is full, nothing of it: half a line would damage the next one.
 * So many lines as make a piece are one write. Takes the crc32 of what the file holds, and returns the new one.
 */
export function appendLines(path: string, first: string, lines: readonly string[], before: number): number {
  let sum = before;
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  try {
    for (let at = 0; at < lines.length; at += linesOfAWrite) {
      const text = (at === 0 ? first : "") + lines.slice(at, at + linesOfAWrite).join("");
      appendFileSync(path, text, { mode: logMode });
      sum = crc32(text, sum);
    }
    return sum;
  } catch (error) {
    if (existsSync(path)) truncateSync(path, size);
    throw error;
  }
}

/** A write may take only a part of what it is given. Returns how many bytes there were. */
export function writeWhole(file: number, text: string): number {
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
  return bytes.length;
}

/** What changes when another process writes the file; empty where it is missing. */
export function fileStatus(path: string): string {
  try {
    const status = statSync(path, { bigint: true });
    return `${status.size}:${status.mtimeNs}:${status.ctimeNs}:${status.ino}`;
  } catch {
    return "";
  }
}

/** The bytes of a log, or undefined where it is missing. */
export function readLog(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    // A directory or an unreadable file in its place counts as foreign state, never as a crash.
    return Buffer.from("\0");
  }
}
