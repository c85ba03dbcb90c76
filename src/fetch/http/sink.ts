/**
 * Where received bytes go: a file or memory, hashed on the way. It does not know where they come from.
 */
import { createHash, type Hash } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import { systemErrorCode, UserError } from "../../errors/index.ts";
import { headLength } from "./content-kind.ts";

export interface Sink {
  /** Bytes taken so far, from the start on and without a gap. */
  readonly size: number;
  /** Bytes that have arrived, with those that wait behind a gap. */
  readonly received: number;
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

  get received(): number {
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
  #handle: Promise<FileHandle> | undefined;
  #ahead = 0;

  /** `path` is absolute and must not exist; its directory must. */
  constructor(path: string) {
    this.path = path;
  }

  get size(): number {
    return this.#account.size;
  }

  get received(): number {
    return this.#account.size + this.#ahead;
  }

  get head(): Buffer {
    return this.#account.head;
  }

  async write(chunk: Buffer): Promise<void> {
    await this.#put(chunk, this.#account.size);
    this.#account.add(chunk);
  }

  /** Writes behind what was taken so far, to be taken by `absorb` when the gap is filled. */
  async writeAhead(chunk: Buffer, position: number): Promise<void> {
    await this.#put(chunk, position);
    this.#ahead += chunk.length;
  }

  /** Takes the next `length` bytes, which were written ahead. */
  async absorb(length: number): Promise<void> {
    const handle = await this.#open();
    const end = this.#account.size + length;
    const buffer = Buffer.alloc(Math.min(length, 1024 ** 2));
    while (this.#account.size < end) {
      const wanted = Math.min(buffer.length, end - this.#account.size);
      const { bytesRead } = await handle.read(buffer, 0, wanted, this.#account.size);
      if (bytesRead === 0) throw new Error(`${this.path} is shorter than what was written to it`);
      this.#account.add(buffer.subarray(0, bytesRead));
    }
    this.#ahead -= length;
  }

  /** What was written ahead and not absorbed is asked for again. */
  forgetAhead(): void {
    this.#ahead = 0;
  }

  async restart(): Promise<void> {
    this.#account = new Account();
    this.#ahead = 0;
    await (await this.#handle)?.truncate(0);
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
    // A file that could not be opened was reported when it was to be written.
    const handle = await this.#handle?.catch(() => undefined);
    this.#handle = undefined;
    await handle?.close();
    await rm(this.path, { force: true });
  }

  async #put(chunk: Buffer, position: number): Promise<void> {
    const handle = await this.#open();
    try {
      let done = 0;
      while (done < chunk.length) {
        const { bytesWritten } = await handle.write(chunk, done, chunk.length - done, position + done);
        done += bytesWritten;
      }
    } catch (error) {
      throw writeFailure(error, this.path);
    }
  }

  /** Opened once, also when several writers come at the same time. */
  #open(): Promise<FileHandle> {
    this.#handle ??= this.#create();
    return this.#handle;
  }

  async #create(): Promise<FileHandle> {
    try {
      const handle = await open(this.path, "wx+", 0o644);
      // The mode given to open is cut by the umask.
      await handle.chmod(0o644);
      return handle;
    } catch (error) {
      throw writeFailure(error, this.path);
    }
  }
}

/** What a failure to write a file at `path` means to the user. */
export function writeFailure(error: unknown, path: string): unknown {
  const code = systemErrorCode(error);
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new UserError("the disk is full: a download cannot be written", {
      code: "disk-full",
      where: path,
      hint: "free disk space and run the build again: complete downloads are kept",
      cause: error,
    });
  }
  if (code === "EACCES" || code === "EPERM" || code === "EROFS" || code === "ENOENT" || code === "ENOTDIR") {
    return new UserError(`a download cannot be written (${code})`, {
      code: "cannot-write",
      where: path,
      hint: "make the directory writable for your user",
      cause: error,
    });
  }
  return error;
}
