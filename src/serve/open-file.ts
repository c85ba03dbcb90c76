/**
 * A file that is open for as long as anybody may ask for it: its bytes stay the same when another file is renamed to its path.
 */
import { type FileHandle, open } from "node:fs/promises";
import type { BootFile } from "./boot-image.ts";

/** Bytes that are read at once. */
const piece = 128 * 1024;

/** An archive in an initrd that is not compressed begins at a multiple of this (initramfs buffer format). */
const alignment = 4;

export class OpenFile {
  readonly name: string;
  readonly sha256: string;
  /** With the NULs behind the file's own bytes that make it a multiple of four: not every boot loader adds them. */
  readonly size: number;
  readonly #own: number;
  readonly #handle: FileHandle;
  #users = 1;

  private constructor({ name, size, sha256 }: BootFile, handle: FileHandle) {
    this.name = name;
    this.sha256 = sha256;
    this.size = Math.ceil(size / alignment) * alignment;
    this.#own = size;
    this.#handle = handle;
  }

  /** Opens it, with one user. Rejects when it is missing or of another size. */
  static async open(file: BootFile): Promise<OpenFile> {
    const handle = await open(file.path, "r");
    const { size } = await handle.stat();
    if (size === file.size) return new OpenFile(file, handle);
    await handle.close();
    throw new Error(`${file.path} was replaced while it was opened`);
  }

  /** One more user, who has to `release` it. */
  retain(): void {
    this.#users += 1;
  }

  /** Closes the file after its last user. */
  async release(): Promise<void> {
    this.#users -= 1;
    if (this.#users === 0) await this.#handle.close();
  }

  /** Bytes from `first` to `last`, both included. Only for a user. */
  async *read(first: number, last: number): AsyncGenerator<Uint8Array> {
    for (let at = first; at <= last; ) {
      const buffer = Buffer.alloc(Math.min(piece, last - at + 1));
      const inFile = Math.max(0, Math.min(buffer.length, this.#own - at));
      const { bytesRead } = inFile === 0 ? { bytesRead: 0 } : await this.#handle.read(buffer, 0, inFile, at);
      if (bytesRead === 0 && inFile > 0) throw new Error(`${this.name} became shorter`);
      const whole = bytesRead === inFile ? buffer : buffer.subarray(0, bytesRead);
      yield whole;
      at += whole.length;
    }
  }
}
