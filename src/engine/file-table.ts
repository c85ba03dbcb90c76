/**
 * What is at a path now: type, executable bit, digest or link target. Each path is looked at once per run.
 *
 * The digests of earlier runs are kept with the file's status (the stat cache); they are only believed when the
 * status is the same in every field and was already older than the clock's grain when the digest was taken (git's
 * racy-file rule). It knows nothing of tasks.
 */
import { lstatSync, readlinkSync } from "node:fs";
import { systemErrorCode } from "../errors/index.ts";
import { digestOfBytes, digestOfFile } from "./digest.ts";
import type { AbsolutePath, Digest } from "./names.ts";
import type { RecordLog } from "./record-log.ts";

export type FileEntry =
  | { readonly type: "file"; readonly executable: boolean; readonly digest: Digest; readonly size: number }
  | { readonly type: "link"; readonly target: string; readonly digest: Digest }
  | { readonly type: "directory" }
  | { readonly type: "special" };

/** Nanoseconds within which two writes may leave the same time stamp on any file system in use. */
const clockGrain = 2_000_000_000n;

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

export class FileTable {
  readonly #log: RecordLog;
  readonly #clock: Clock;
  readonly #seen = new Map<string, FileEntry | undefined | Promise<FileEntry | undefined>>();
  /** How many files had to be read, for whoever wants to know where time went. */
  hashed = 0;

  constructor(log: RecordLog, clock: Clock = Date) {
    this.#log = log;
    this.#clock = clock;
  }

  /** The entry at an absolute path, or undefined where nothing is; a promise only where a large file is hashed. */
  at(path: AbsolutePath): FileEntry | undefined | Promise<FileEntry | undefined> {
    if (this.#seen.has(path)) return this.#seen.get(path);
    const entry = this.#look(path);
    this.#seen.set(path, entry);
    if (entry instanceof Promise) {
      entry.then(
        (value) => this.#seen.set(path, value),
        () => this.#seen.delete(path),
      );
    }
    return entry;
  }

  /** Whether this run saw anything at the path. */
  saw(path: AbsolutePath): boolean {
    return this.#seen.get(path) !== undefined;
  }

  /** Forgets what this run saw at the path, so that it is looked at again. */
  forget(path: AbsolutePath): void {
    this.#seen.delete(path);
  }

  /** Forgets what this run saw at the path and below it. */
  forgetBelow(path: AbsolutePath): void {
    for (const seen of this.#seen.keys())
      if (seen === path || seen.startsWith(`${path}/`)) this.#seen.delete(seen);
  }

  /** Forgets what this run saw at all paths. */
  forgetAll(): void {
    this.#seen.clear();
  }

  #look(path: AbsolutePath): FileEntry | undefined | Promise<FileEntry | undefined> {
    // Taken before the file is read: a write that happens while we read makes the entry too young to be believed.
    const lookedAt = BigInt(Math.floor(this.#clock.now())) * 1_000_000n;
    const status = lstatIfThere(path);
    if (status === undefined) return undefined;
    if (status.isDirectory()) return { type: "directory" };
    if (status.isSymbolicLink()) {
      const target = readlinkSync(path);
      return { type: "link", target, digest: digestOfBytes(target) };
    }
    if (!status.isFile()) return { type: "special" };

    const executable = (status.mode & 0o111n) !== 0n;
    const size = Number(status.size);
    const signature = `${status.size}:${status.mtimeNs}:${status.ctimeNs}:${status.ino}:${status.mode}`;
    const known = this.#log.get(path);
    if (known?.startsWith(`${signature} `)) {
      return { type: "file", executable, size, digest: known.slice(signature.length + 1) as Digest };
    }
    const settled = status.mtimeNs + clockGrain < lookedAt && status.ctimeNs + clockGrain < lookedAt;
    const remember = (digest: Digest): FileEntry => {
      this.hashed += 1;
      if (settled) this.#log.set(path, `${signature} ${digest}`);
      else this.#log.delete(path);
      return { type: "file", executable, size, digest };
    };
    const digest = digestOfFile(path, size);
    return digest instanceof Promise ? digest.then(remember) : remember(digest);
  }
}

function lstatIfThere(path: string) {
  try {
    return lstatSync(path, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    if (systemErrorCode(error) === "ENOTDIR") return undefined;
    throw error;
  }
}
