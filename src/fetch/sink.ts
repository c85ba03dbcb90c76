/**
 * Where received bytes go: a file or memory, hashed on the way. It does not know where they come from.
 */
import { createHash, type Hash } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import { systemErrorCode, UserError } from "../errors/index.ts";
import { headLength } from "./content-kind.ts";

export interface Sink {
  /** Bytes taken so far. */
  readonly size: number;
  /** The first `headLength` bytes, or all there are. */
  readonly head: Buffer;
  write(chunk: Buffer): Promise<void>;
  /** Forgets everything taken so far. */
  restart(): Promise<void>;
  /** Lower-case hexadecimal digests of everything taken. Call once, at the end. */
  digests(): { readonly sha256: string; readonly md5: string };
}

/** Counts, hashes and keeps the head: what both sinks have in common. */
class Account {
  size = 0;
  #head = Buffer.alloc(0);
  #sha256: Hash = createHash("sha256");
  #md5: Hash = createHash("md5");

  get head(): Buffer {
    return this.#head;
  }

  add(chunk: Buffer): void {
    if (this.#head.length < headLength) {
      this.#head = Buffer.concat([this.#head, chunk.subarray(0, headLength - this.#head.length)]);
    }
    this.size += chunk.length;
    this.#sha256.update(chunk);
    this.#md5.update(chunk);
  }

  digests(): { readonly sha256: string; readonly md5: string } {
    return { sha256: this.#sha256.digest("hex"), md5: this.#md5.digest("hex") };
  }
}

/** Keeps everything in memory: for indexes and other small files; the caller bounds their size. */
export class MemorySink implements Sink {
  #account = new Account();
  #chunks: Buffer[] = [];

  get size(): number {
    return this.#account.size;
  }

  get head(): Buffer {
    return this.#account.head;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  async write(chunk: Buffer): Promise<void> {
    this.#account.add(chunk);
    this.#chunks.push(chunk);
  }

  async restart(): Promise<void> {
    this.#account = new Account();
    this.#chunks = [];
  }

  digests(): { readonly sha256: string; readonly md5: string } {
    return this.#account.digests();
  }
}

/** Writes to a new file, which only exists for as long as it may become the target. */
export class FileSink implements Sink {
  readonly path: string;
  #account = new Account();
  #handle: FileHandle | undefined;

  /** `path` is absolute and must not exist; its folder must. */
  constructor(path: string) {
    this.path = path;
  }

  get size(): number {
    return this.#account.size;
  }

  get head(): Buffer {
    return this.#account.head;
  }

  async write(chunk: Buffer): Promise<void> {
    const handle = await this.#open();
    try {
      let done = 0;
      while (done < chunk.length) {
        const { bytesWritten } = await handle.write(
          chunk,
          done,
          chunk.length - done,
          this.#account.size + done,
        );
        done += bytesWritten;
      }
    } catch (error) {
      throw writeFailure(error, this.path);
    }
    this.#account.add(chunk);
  }

  async restart(): Promise<void> {
    this.#account = new Account();
    await this.#handle?.truncate(0);
  }

  digests(): { readonly sha256: string; readonly md5: string } {
    return this.#account.digests();
  }

  /** Closes the file and leaves it, mode 0644, also when nothing was written. */
  async finish(): Promise<void> {
    const handle = await this.#open();
    this.#handle = undefined;
    await handle.close();
  }

  /** Closes and removes the file, if there is one. */
  async discard(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
    await rm(this.path, { force: true });
  }

  async #open(): Promise<FileHandle> {
    if (this.#handle !== undefined) return this.#handle;
    try {
      this.#handle = await open(this.path, "wx", 0o644);
      // The mode given to open is cut by the umask.
      await this.#handle.chmod(0o644);
      return this.#handle;
    } catch (error) {
      throw writeFailure(error, this.path);
    }
  }
}

/** What a failure to write a file at `path` means to the user. */
export function writeFailure(error: unknown, path: string): unknown {
  const code = systemErrorCode(error);
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new UserError("the disk is full: a download could not be written", {
      code: "disk-full",
      where: path,
      hint: "free some space and run it again: what was downloaded completely is kept",
      cause: error,
    });
  }
  if (code === "EACCES" || code === "EPERM" || code === "EROFS" || code === "ENOENT" || code === "ENOTDIR") {
    return new UserError(`a download could not be written (${code})`, {
      code: "cannot-write",
      where: path,
      cause: error,
    });
  }
  return error;
}
