/**
 * What is at a path now: type, executable bit, digest or link target. Each path is looked at once per run.
 *
 * The digests of earlier runs are kept with the file's status (the stat cache); they are only believed when the status
 * is the same in every field and was already older than the clock's grain when the digest was taken (git's racy-file
 * rule).
 */

import { type BigIntStats, lstatSync, readlinkSync, utimesSync } from "node:fs";
import { systemErrorCode } from "../../errors/index.ts";
import { type AbsolutePath, absolutePath, type Digest, isDigest } from "../define/names.ts";
import { digestOfBytes, digestOfFile } from "./digest.ts";
import type { RecordLog } from "./record-log.ts";

export type FileEntry =
  | {
      readonly type: "file";
      readonly executable: boolean;
      /** Group and others have no permissions. */
      readonly private: boolean;
      readonly digest: Digest;
      readonly size: number;
      /** Whether the digest is one of `writeSparseFile`, and not of all bytes. */
      readonly isSparse?: true;
    }
  | { readonly type: "link"; readonly target: string; readonly digest: Digest }
  | { readonly type: "directory" }
  | { readonly type: "special" };

/** Nanoseconds within which two writes may leave the same time stamp on any file system in use. */
const clockGrain = 2_000_000_000n;

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

/** Ends the record of a sparse file. */
const sparseMark = " sparse";

const forgotten = Symbol("forgotten");
type Seen = FileEntry | undefined | Promise<FileEntry | undefined> | typeof forgotten;

export class StatCache {
  readonly #log: RecordLog;
  readonly #clock: Clock;
  /**
   * What was seen at each path. What is forgotten stays as `forgotten`, for it is looked at again: so a hundred thousand
   * names are held once, and not once for each look.
   */
  readonly #seen = new Map<string, Seen>();
  /** The status of each file that was too young for the log, as a signature; that of the others is there. */
  readonly #signatures = new Map<string, string>();
  /** Number of files that had to be read, for profiles. */
  hashed = 0;

  constructor(log: RecordLog, clock: Clock = Date) {
    this.#log = log;
    this.#clock = clock;
  }

  /** The entry at an absolute path, or undefined where nothing is; a promise only where a large file is hashed. */
  at(path: AbsolutePath): FileEntry | undefined | Promise<FileEntry | undefined> {
    const seen = this.#seen.get(path);
    if (seen !== forgotten && (seen !== undefined || this.#seen.has(path))) return seen;
    const entry = this.#look(path);
    this.#seen.set(path, entry);
    if (entry instanceof Promise) {
      entry.then(
        // What was forgotten meanwhile stays so.
        (value) => this.#seen.get(path) === entry && this.#seen.set(path, value),
        () => this.#seen.get(path) === entry && this.forget(path),
      );
    }
    return entry;
  }

  /** Whether this run saw anything at the path. */
  saw(path: AbsolutePath): boolean {
    const seen = this.#seen.get(path);
    return seen !== undefined && seen !== forgotten;
  }

  /**
   * Takes the digest of a file that the engine wrote itself, so that it is not read again. To be called when it is closed;
   * a write that follows changes its status. What is sparse is not read later either.
   */
  recordWritten(path: AbsolutePath, digest: Digest, kind: "whole" | "sparse" = "whole"): void {
    const status = lstatIfThere(path);
    if (status?.isFile() !== true) return;
    this.#signatures.set(path, signatureOf(status));
    const entry = { type: "file", ...modeOf(status), size: Number(status.size), digest } as const;
    this.#seen.set(path, kind === "sparse" ? { ...entry, isSparse: true } : entry);
  }

  /** Whether the file is still what it was when it was last looked at. */
  isUnchanged(path: AbsolutePath): boolean {
    const now = lstatIfThere(path);
    return now !== undefined && this.signatureSeen(path) === signatureOf(now);
  }

  /**
   * The file seen at `from` was renamed to `to`: its digest goes with it, also into the memory of later runs. Renaming
   * changes ctime, all else must be the same. Its mtime was set (`settleTime`) to one that no later write can leave. A sparse file may
   * have been copied to another file system, with its mtime to a microsecond.
   */
  moved(from: AbsolutePath, to: AbsolutePath): void {
    const before = this.signatureSeen(from);
    const entry = this.#seen.get(from);
    const now = lstatIfThere(to);
    this.#seen.delete(from);
    this.#signatures.delete(from);
    this.forget(to);
    if (typeof entry !== "object" || entry instanceof Promise || entry.type !== "file") return;
    if (before === undefined || now?.isFile() !== true || !isMarkedMtime(now.mtimeNs)) return;
    const same = entry.isSparse === true ? sizeIn : withoutCtime;
    if (same(before) !== same(signatureOf(now))) return;
    this.#signatures.set(to, signatureOf(now));
    this.#seen.set(to, entry);
    this.#log.set(to, `${signatureOf(now)} ${entry.digest}${entry.isSparse === true ? sparseMark : ""}`);
  }

  /** The status of the file when this run looked at it; undefined where it did not, or nothing was there. */
  signatureSeen(path: AbsolutePath): string | undefined {
    if (!this.saw(path)) return undefined;
    return this.#signatures.get(path) ?? this.#log.get(path)?.split(" ")[0];
  }

  /** Every path that this run looked at, and whether something was there. */
  *looks(): IterableIterator<readonly [path: string, present: boolean]> {
    for (const [path, entry] of this.#seen) if (entry !== forgotten) yield [path, entry !== undefined];
  }

  /** Forgets what this run saw at the path, so that it is looked at again. */
  forget(path: AbsolutePath): void {
    if (this.#seen.has(path)) this.#seen.set(path, forgotten);
    this.#signatures.delete(path);
  }

  /** Forgets what this run saw at the path and below it. */
  forgetBelow(path: AbsolutePath): void {
    for (const seen of this.#seen.keys())
      if (seen === path || seen.startsWith(`${path}/`)) this.forget(absolutePath(seen));
  }

  /** Forgets what this run saw at all paths. */
  forgetAll(): void {
    this.#seen.clear();
    this.#signatures.clear();
  }

  #look(path: AbsolutePath): FileEntry | undefined | Promise<FileEntry | undefined> {
    // Taken before the file is read: a write that happens while we read makes the entry too young to be believed.
    const now = this.#clock.now();
    const status = lstatIfThere(path);
    if (status === undefined) return undefined;
    const signature = signatureOf(status);
    const recorded = this.#log.get(path);
    const isSparse = recorded?.endsWith(sparseMark) === true;
    const known = isSparse ? recorded.slice(0, -sparseMark.length) : recorded;
    // Most paths are files that are known; a forged log may name something else.
    if (known?.startsWith(`${signature} `)) {
      const digest = known.slice(signature.length + 1);
      if (isDigest(digest) && status.isFile())
        return { type: "file", ...modeOf(status), size: Number(status.size), digest };
    }
    if (isSparse && status.isFile()) {
      // Reading a disk's image takes as long as making it: what was touched is taken for changed.
      this.#signatures.set(path, signature);
      const digest = digestOfBytes(`touched ${signature}`);
      return { type: "file", ...modeOf(status), size: Number(status.size), digest };
    }
    if (status.isDirectory()) return { type: "directory" };
    if (status.isSymbolicLink()) {
      const target = readlinkSync(path);
      return { type: "link", target, digest: digestOfBytes(target) };
    }
    if (!status.isFile()) return { type: "special" };

    const mode = modeOf(status);
    const size = Number(status.size);
    this.#signatures.set(path, signature);
    const lookedAt = BigInt(Math.floor(now)) * 1_000_000n;
    const settled = status.mtimeNs + clockGrain < lookedAt && status.ctimeNs + clockGrain < lookedAt;
    const remember = (digest: Digest): FileEntry => {
      this.hashed += 1;
      if (settled) {
        this.#log.set(path, `${signature} ${digest}`);
        if (this.#signatures.get(path) === signature) this.#signatures.delete(path);
      } else this.#log.delete(path);
      return { type: "file", ...mode, size, digest };
    };
    const digest = digestOfFile(path, size);
    return digest instanceof Promise ? digest.then(remember) : remember(digest);
  }
}

/** Nanoseconds within a millisecond that mark a time as set by `settleTime`. */
const mark = 321_000n;

/**
 * Gives a finished file an mtime shortly before the one that it has, with digits that a clock's tick leaves by the
 * rarest chance only: any later write, however soon, changes its mtime. So the digest taken
 * then may be remembered at once. On a file system that keeps no such fine times nothing is gained and nothing lost.
 */
export function markMtime(path: string): void {
  const status = lstatSync(path, { bigint: true });
  // Set once already: another time would make a stranger of a file whose digest is known.
  if (isMarkedMtime(status.mtimeNs)) return;
  const wanted = (status.mtimeNs / 1_000_000n - 50n) * 1_000_000n + mark;
  utimesSync(path, Number(status.atimeNs / 1_000n) / 1e6, Number(wanted / 1_000n) / 1e6);
}

/** Whether a time is one that `settleTime` set; it is set to a microsecond or two. */
function isMarkedMtime(mtimeNs: bigint): boolean {
  const digits = mtimeNs % 1_000_000n;
  return digits > mark - 3_000n && digits < mark + 3_000n;
}

/** The status of whatever is at an absolute path now, as a text: `size:mtime:ctime:inode:mode`. */
export function signatureAt(path: string): string | undefined {
  const status = lstatIfThere(path);
  return status && signatureOf(status);
}

function sizeIn(signature: string): string {
  return signature.replace(/:.*$/, "");
}

function withoutCtime(signature: string): string {
  return signature.replace(/^(\d+:\d+):\d+/, "$1");
}

/** Whether two statuses of a file differ only by the change time that a new hard link sets, and its inode is in `linked`. */
export function isLinking(before: string, now: string, linked: ReadonlySet<bigint>): boolean {
  return withoutCtime(before) === withoutCtime(now) && linked.has(BigInt(now.split(":")[3] ?? -1));
}

function modeOf(status: BigIntStats): { readonly executable: boolean; readonly private: boolean } {
  const mode = Number(status.mode);
  return { executable: (mode & 0o111) !== 0, private: (mode & 0o077) === 0 };
}

function signatureOf(status: BigIntStats): string {
  return `${status.size}:${status.mtimeNs}:${status.ctimeNs}:${status.ino}:${status.mode}`;
}

function lstatIfThere(path: string) {
  try {
    return lstatSync(path, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    if (systemErrorCode(error) === "ENOTDIR") return undefined;
    throw error;
  }
}
