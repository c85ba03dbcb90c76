/** Output of bounded size: the beginning and the end are kept, in memory while it is short, then in a file. */
import { closeSync, openSync, readSync, writeSync } from "node:fs";

/** Bytes up to which the output stays in memory. */
const inMemory = 64 * 1024;

export class KeptOutput {
  readonly #limit: number;
  readonly #file: string | undefined;
  #chunks: Buffer[] = [];
  /** All bytes that were added. */
  #size = 0;
  #descriptor: number | undefined;
  #closed = false;

  /** Keeps `limit` bytes in `file` (absolute path; created when needed), or in memory without one. */
  constructor(limit: number, file?: string) {
    this.#limit = Math.max(2, limit);
    this.#file = file;
  }

  add(text: string): void {
    if (this.#closed) return;
    const bytes = Buffer.from(text);
    if (this.#size + bytes.length <= Math.min(inMemory, this.#limit)) {
      this.#chunks.push(bytes);
      this.#size += bytes.length;
      return;
    }
    const started = this.#chunks;
    this.#chunks = [];
    if (started.length > 0) {
      this.#size = 0;
      for (const chunk of started) this.#put(chunk);
    }
    this.#put(bytes);
  }

  /** The kept output; a line in the middle says how much was left out. */
  get text(): string {
    if (this.#descriptor === undefined && this.#ring === undefined)
      return Buffer.concat(this.#chunks).toString();
    const kept = this.#read();
    if (this.#size <= this.#limit) return kept.toString("utf8", 0, this.#size);
    const head = kept.subarray(0, this.#headSize);
    const at = this.#placeOf(this.#size);
    const tail = Buffer.concat([kept.subarray(at), kept.subarray(this.#headSize, at)]);
    const left = this.#size - this.#limit;
    return `${wholeCharacters(head)}\n[${sizeText(left)} omitted]\n${wholeCharacters(tail)}`;
  }

  /** Ends it: what is added from here on is not kept, and the file may be removed. */
  close(): void {
    if (this.#closed) return;
    const text = this.text;
    this.#closed = true;
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
    this.#ring = undefined;
    this.#chunks = [Buffer.from(text)];
  }

  /** Ring buffer in memory, where there is no file. */
  #ring: Buffer | undefined;

  get #headSize(): number {
    return Math.floor(this.#limit / 2);
  }

  /** Offset in the file of the byte with this index: the beginning is fixed, the rest is a ring buffer. */
  #placeOf(index: number): number {
    const head = this.#headSize;
    return index < head ? index : head + ((index - head) % (this.#limit - head));
  }

  #put(bytes: Buffer): void {
    // A loop, since one text may wrap around the ring buffer several times.
    let from = 0;
    while (from < bytes.length) {
      const at = this.#placeOf(this.#size);
      const border = this.#size < this.#headSize ? this.#headSize : this.#limit;
      const length = Math.min(bytes.length - from, border - at);
      this.#write(bytes.subarray(from, from + length), at);
      from += length;
      this.#size += length;
    }
  }

  #write(bytes: Buffer, at: number): void {
    if (this.#file === undefined) {
      this.#ring ??= Buffer.alloc(this.#limit);
      bytes.copy(this.#ring, at);
      return;
    }
    this.#descriptor ??= openSync(this.#file, "w+", 0o600);
    for (let done = 0; done < bytes.length; )
      done += writeSync(this.#descriptor, bytes, done, bytes.length - done, at + done);
  }

  #read(): Buffer {
    if (this.#descriptor === undefined) return this.#ring ?? Buffer.alloc(0);
    const kept = Buffer.alloc(Math.min(this.#size, this.#limit));
    for (let done = 0; done < kept.length; ) {
      const read = readSync(this.#descriptor, kept, done, kept.length - done, done);
      if (read === 0) break;
      done += read;
    }
    return kept;
  }
}

/** Decodes UTF-8 without the incomplete characters at either end. */
function wholeCharacters(bytes: Buffer): string {
  let from = 0;
  while (from < 3 && ((bytes[from] ?? 0) & 0xc0) === 0x80) from += 1;
  return bytes.toString("utf8", from).replace(/\ufffd$/, "");
}

function sizeText(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${Math.round(bytes / 1e6)} MB`;
}
