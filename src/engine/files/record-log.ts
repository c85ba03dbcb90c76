/**
 * An append-only log of `key → value` records, one self-checking line each; the last record of a key wins.
 *
 * A line is `<crc32 of the rest, 8 hex digits> <key>\t<value>\n`. Keys hold no tab, values no line feed. A line
 * that is torn or damaged is skipped wherever it stands, and counted, so that a crash in the middle of a write or
 * a flipped bit costs one record and never a wrong one. What keys and values mean is the caller's business.
 *
 * A build that is over seals the log: its last line then holds the checksum of all bytes before it. To check one sum costs
 * a fraction of what a sum for each line does; where it is not right, each line is checked by itself.
 */
import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { crc32 } from "node:zlib";
import { systemErrorCode } from "../../errors/index.ts";

const header = "razor-mk-state 1\n";
/** From so many on, lines take more memory than a write is worth. */
const manyLines = 4096;
/** Mode of the file. */
const mode = 0o644;
/** The key of a line that seals all before it; its value is `<bytes before the line> <crc32 of these>`. */
const sealKey = "sealed";
/** Bytes that are decoded into one string: a character beyond Latin-1 doubles the memory of its whole string. */
const pieceSize = 1024 * 1024;
const tab = 0x09;
const lineFeed = 0x0a;

/** What loading a log found beside its records. */
interface LogDamage {
  /** Lines that were skipped. */
  readonly damagedLines: number;
  /** The whole file was unreadable or of a foreign version, and counts as empty. */
  readonly foreign: boolean;
}

export class RecordLog {
  /** Absolute path of the log. */
  readonly file: string;
  readonly #records = new Map<string, string>();
  #lines = 0;
  #linesRead = 0;
  #pending: string[] = [];
  #exists = false;
  #status = "";
  /** crc32 of the whole file. */
  #sum = 0;
  /** Whether lines were appended since the log was sealed. */
  #unsealed = false;
  #damage: LogDamage = { foreign: false, damagedLines: 0 };

  /** Loads the log at an absolute path; a file that does not exist is an empty log. */
  constructor(file: string) {
    this.file = file;
    this.#read();
  }

  get damage(): LogDamage {
    return this.#damage;
  }

  /** Loads again what another process wrote meanwhile; what is pending was learned before that, and is dropped. */
  reload(): void {
    if (statusOf(this.file) === this.#status) return;
    this.#pending = [];
    this.#read();
  }

  #read(): void {
    this.#status = statusOf(this.file);
    this.#records.clear();
    this.#lines = 0;
    const bytes = readIfThere(this.file);
    this.#exists = bytes?.toString("latin1", 0, header.length) === header;
    this.#damage = {
      foreign: bytes !== undefined && bytes.length > 0 && !this.#exists,
      damagedLines: this.#exists && bytes !== undefined ? this.#load(bytes) : 0,
    };
    this.#linesRead = this.#lines;
    this.#unsealed = false;
  }

  /** Returns how many lines are damaged. */
  #load(bytes: Buffer): number {
    const end = sealedEnd(bytes);
    if (end === undefined) {
      this.#sum = crc32(bytes);
      return this.#loadLines(bytes);
    }
    this.#sum = crc32(bytes.subarray(end.at), end.sum);
    let damaged = 0;
    for (let start = header.length; start < end.at; ) {
      const full = bytes.lastIndexOf(lineFeed, start + pieceSize) + 1;
      const stop = Math.min(end.at, full > start ? full : bytes.indexOf(lineFeed, start) + 1);
      damaged += this.#loadText(bytes.toString("utf8", start, stop));
      start = stop;
    }
    return damaged;
  }

  /** Loads whole lines of verified text. Keys and values are slices of it, which copies nothing. */
  #loadText(text: string): number {
    let damaged = 0;
    for (let start = 0; start < text.length; ) {
      const end = text.indexOf("\n", start);
      const split = text.indexOf("\t", start + 9);
      if (split === -1 || split > end) damaged += 1;
      else this.#keep(text.slice(start + 9, split), text.slice(split + 1, end));
      start = end + 1;
    }
    return damaged;
  }

  #keep(key: string, value: string): void {
    this.#lines += 1;
    if (key !== sealKey) this.#records.set(key, value);
  }

  /** Loads lines one by one with their checksums, from bytes: decoding the text first would cost more than all the rest. */
  #loadLines(bytes: Buffer): number {
    let damaged = 0;
    let start = header.length;
    while (start < bytes.length) {
      const end = bytes.indexOf(lineFeed, start);
      if (end === -1) return damaged + 1;
      const body = start + 9;
      const split = bytes.indexOf(tab, body);
      const sum = Number.parseInt(bytes.toString("latin1", start, start + 8), 16);
      if (split === -1 || split > end || crc32(bytes.subarray(body, end)) !== sum) {
        damaged += 1;
      } else {
        this.#keep(bytes.toString("utf8", body, split), bytes.toString("utf8", split + 1, end));
      }
      start = end + 1;
    }
    return damaged;
  }

  get(key: string): string | undefined {
    return this.#records.get(key) || undefined;
  }

  *entries(): IterableIterator<readonly [key: string, value: string]> {
    for (const [key, value] of this.#records) if (value !== "") yield [key, value];
  }

  /** Sets a record; it is on disk after the next `flush`. */
  set(key: string, value: string): void {
    if (this.#records.get(key) === value) return;
    this.#records.set(key, value);
    // A file's name may hold anything; what a line cannot hold is only known until the end of the run.
    if (fitsALine(key)) this.#pending.push(lineOf(key, value));
  }

  /** Removes a record, by writing an empty one over it. */
  delete(key: string): void {
    if (this.#records.has(key)) this.set(key, "");
  }

  /** Appends what is pending when it has become much: of a hundred thousand records it would be as large as they are. */
  spill(): void {
    if (this.#pending.length < manyLines) return;
    try {
      this.flush();
    } catch {
      // It stays pending: the last flush meets the same again, and there it is reported.
    }
  }

  /** Appends what is pending. */
  flush(): void {
    if (this.#pending.length === 0) return;
    // A torn last line must not swallow the first new one: an empty line between them is harmless.
    const first = `${this.#exists ? "" : header}${this.damage.damagedLines > 0 ? "\n" : ""}`;
    if (!this.#exists && this.damage.foreign) this.#putAside();
    this.#sum = append(this.file, first, this.#pending, this.#exists ? this.#sum : 0);
    this.#unsealed = true;
    // Only the owner of the state's lock writes: what stands there now is what is known here.
    this.#status = statusOf(this.file);
    this.#exists = true;
    this.#lines += this.#pending.length;
    this.#pending = [];
  }

  /** Bytes of the log, when anything was appended since it was sealed; 0 otherwise. */
  get grownTo(): number {
    return this.#unsealed ? (statSync(this.file, { throwIfNoEntry: false })?.size ?? 0) : 0;
  }

  /** Makes the next load cheaper, where anything was appended since the last time. Needs the state's lock. */
  seal(): void {
    if (!this.#unsealed || this.#damage.damagedLines > 0) return;
    this.#unsealed = false;
    try {
      const line = sealOf(statSync(this.file).size, this.#sum);
      this.#sum = append(this.file, "", [line], this.#sum);
      this.#lines += 1;
      this.#status = statusOf(this.file);
    } catch {
      // Everything is in the log; the next load takes longer.
    }
  }

  /** What another version wrote is kept for it, unless an older one is in the way. */
  #putAside(): void {
    const aside = `${this.file}.foreign`;
    rmSync(aside, { recursive: true, force: true });
    renameSync(this.file, aside);
  }

  /** True when most of the file is records that were overwritten since, or some of it cannot be read. */
  get wantsCompaction(): boolean {
    return this.damage.foreign || this.damage.damagedLines > 0 || this.#lines > 2 * this.#records.size + 1000;
  }

  /**
   * True when the file has doubled: often enough to find what is of no use to anybody any more, and so seldom that
   * looking for it costs next to nothing for each record.
   */
  get wantsPruning(): boolean {
    return (
      this.#linesRead > 0 && this.#lines > 1000 && this.#lines > 2 ** Math.ceil(Math.log2(this.#linesRead))
    );
  }

  /**
   * Rewrites the file with the live records only, of these those that are `wanted`: written beside, fsynced, renamed.
   * Needs the state's lock.
   */
  compact(wanted: (key: string) => boolean = () => true): void {
    if (!this.#exists && this.damage.foreign) this.#putAside();
    const beside = `${this.file}.new`;
    rmSync(beside, { recursive: true, force: true });
    const file = openSync(beside, "w", mode);
    try {
      let piece = [header];
      let lines = 0;
      let size = 0;
      this.#sum = 0;
      const write = (text: string): void => {
        size += writeWhole(file, text);
        this.#sum = crc32(text, this.#sum);
      };
      for (const [key, value] of this.entries()) {
        if (!fitsALine(key)) continue;
        if (!wanted(key)) {
          this.#records.delete(key);
          continue;
        }
        piece.push(lineOf(key, value));
        lines += 1;
        if (piece.length < manyLines) continue;
        write(piece.join(""));
        piece = [];
      }
      write(piece.join(""));
      write(sealOf(size, this.#sum));
      this.#unsealed = false;
      fsyncSync(file);
      this.#lines = lines + 1;
      this.#linesRead = lines + 1;
    } finally {
      closeSync(file);
    }
    renameSync(beside, this.file);
    this.#status = statusOf(this.file);
    this.#damage = { foreign: false, damagedLines: 0 };
    this.#pending = [];
    this.#exists = true;
  }
}

/**
 * Appends `first` and all of the lines or, when the disk is full, nothing of it: half a line would damage the next one.
 * So many lines as make a piece are one write. Takes the crc32 of what the file holds, and returns the new one.
 */
function append(path: string, first: string, lines: readonly string[], before: number): number {
  let sum = before;
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  try {
    for (let at = 0; at < lines.length; at += manyLines) {
      const text = (at === 0 ? first : "") + lines.slice(at, at + manyLines).join("");
      appendFileSync(path, text, { mode });
      sum = crc32(text, sum);
    }
    return sum;
  } catch (error) {
    if (existsSync(path)) truncateSync(path, size);
    throw error;
  }
}

/** A write may take only a part of what it is given. Returns how many bytes there were. */
function writeWhole(file: number, text: string): number {
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
  return bytes.length;
}

function sealOf(size: number, sum: number): string {
  return lineOf(sealKey, `${size} ${sum}`);
}

/** Where the last line begins and the crc32 of all before it, when that line is a seal and the sum is right. */
function sealedEnd(bytes: Buffer): { readonly at: number; readonly sum: number } | undefined {
  const at = bytes.lastIndexOf(lineFeed, -2) + 1;
  const sum = crc32(bytes.subarray(0, at));
  return bytes.toString("utf8", at) === sealOf(at, sum) ? { at, sum } : undefined;
}

function statusOf(path: string): string {
  try {
    const status = statSync(path, { bigint: true });
    return `${status.size}:${status.mtimeNs}:${status.ctimeNs}:${status.ino}`;
  } catch {
    return "";
  }
}

function fitsALine(key: string): boolean {
  return !/[\t\n]/.test(key);
}

function lineOf(key: string, value: string): string {
  const body = `${key}\t${value}`;
  return `${checksum(body)} ${body}\n`;
}

function checksum(body: string): string {
  return crc32(body).toString(16).padStart(8, "0");
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    // A directory or an unreadable file in its place counts as foreign state, never as a crash.
    return Buffer.from("\0");
  }
}
