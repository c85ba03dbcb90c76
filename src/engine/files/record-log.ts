/**
 * An append-only log of `key → value` records, one self-checking line each; the last record of a key wins.
 *
 * Keys hold no tab, values no line feed. A line that is torn or damaged is skipped wherever it stands, and counted, so
 * that a crash in the middle of a write or a flipped bit costs one record and never a wrong one. A build that is over
 * seals the log.
 */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { crc32 } from "node:zlib";
import { appendLines, fileStatus, linesOfAWrite, logMode, readLog, writeWhole } from "./log-file.ts";
import { fitsALine, lineOf, logHeader, readLines, sealOf } from "./record-lines.ts";

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
    if (fileStatus(this.file) === this.#status) return;
    this.#pending = [];
    this.#read();
  }

  #read(): void {
    this.#status = fileStatus(this.file);
    this.#records.clear();
    this.#lines = 0;
    const bytes = readLog(this.file);
    this.#exists = bytes?.toString("latin1", 0, logHeader.length) === logHeader;
    this.#damage = {
      foreign: bytes !== undefined && bytes.length > 0 && !this.#exists,
      damagedLines: this.#exists && bytes !== undefined ? this.#load(bytes) : 0,
    };
    this.#linesRead = this.#lines;
    this.#unsealed = false;
  }

  /** Returns how many lines are damaged. */
  #load(bytes: Buffer): number {
    const { damagedLines, sum } = readLines(bytes, (key, value) => {
      this.#lines += 1;
      if (key !== undefined) this.#records.set(key, value);
    });
    this.#sum = sum;
    return damagedLines;
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
    if (this.#pending.length < linesOfAWrite) return;
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
    const first = `${this.#exists ? "" : logHeader}${this.damage.damagedLines > 0 ? "\n" : ""}`;
    if (!this.#exists && this.damage.foreign) this.#putAside();
    this.#sum = appendLines(this.file, first, this.#pending, this.#exists ? this.#sum : 0);
    this.#unsealed = true;
    // Only the owner of the state's lock writes: what stands there now is what is known here.
    this.#status = fileStatus(this.file);
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
      this.#sum = appendLines(this.file, "", [line], this.#sum);
      this.#lines += 1;
      this.#status = fileStatus(this.file);
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
    const file = openSync(beside, "w", logMode);
    try {
      let piece = [logHeader];
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
        if (piece.length < linesOfAWrite) continue;
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
    this.#status = fileStatus(this.file);
    this.#damage = { foreign: false, damagedLines: 0 };
    this.#pending = [];
    this.#exists = true;
  }
}
