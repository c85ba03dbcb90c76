/** A part of a disk's image, such as a partition, read at places of its own. */
import type { FileHandle } from "node:fs/promises";
import { type ErrorCode, UserError } from "../errors/index.ts";
import { printName } from "./names.ts";

export interface DiskPart {
  /** Absolute path of the disk's image. */
  readonly path: string;
  /** Bytes. */
  readonly offset: number;
  readonly size: number;
}

export class DiskWindow {
  readonly part: DiskPart;
  /** How errors name it. */
  readonly label: string;
  readonly #handle: FileHandle;
  readonly #code: ErrorCode;
  readonly #what: string;

  /** `what` is the file system's name in errors, which have this code. */
  constructor(
    handle: FileHandle,
    part: DiskPart,
    { label, code, what }: { readonly label: string; readonly code: ErrorCode; readonly what: string },
  ) {
    this.#handle = handle;
    this.part = part;
    this.label = label;
    this.#code = code;
    this.#what = what;
  }

  /** Throws where the part, or the file, ends before. `offset` is the part's. */
  async read(offset: number, length: number): Promise<Buffer> {
    const { part } = this;
    if (!Number.isSafeInteger(offset) || offset < 0 || offset + length > part.size)
      throw this.bad("is truncated");
    const bytes = Buffer.alloc(length);
    for (let done = 0; done < length; ) {
      const { bytesRead } = await this.#handle.read(bytes, done, length - done, part.offset + offset + done);
      if (bytesRead === 0) throw this.bad("is truncated");
      done += bytesRead;
    }
    return bytes;
  }

  /** The error for damage; `why` follows the file system's name. */
  bad(why: string): UserError {
    return new UserError(`the ${this.#what} file system ${why}`, {
      code: this.#code,
      where: printName(this.label),
      hint: "check the file system with fsck, or get the image again",
    });
  }

  /** The error for a feature that is not read. */
  unsupported(feature: string): UserError {
    return new UserError(`the ${this.#what} file system uses ${feature}, which is not supported`, {
      code: "unsupported-file-system",
      where: printName(this.label),
      hint: "read it with a program that supports it, such as mount or guestfish",
    });
  }
}

/** Bytes that are read at once. */
const piece = 256 * 1024;

/** A stretch of a file: where its bytes are on the part; without a place they are NULs. */
export interface Run {
  readonly at: number | undefined;
  readonly size: number;
}

/** The bytes of runs, one behind the other. */
export async function* readRuns(
  window: DiskWindow,
  runs: Iterable<Run> | AsyncIterable<Run>,
): AsyncGenerator<Uint8Array> {
  for await (const { at, size } of runs) {
    for (let done = 0; done < size; ) {
      const length = Math.min(piece, size - done);
      yield at === undefined ? Buffer.alloc(length) : await window.read(at + done, length);
      done += length;
    }
  }
}
