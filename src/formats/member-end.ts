/**
 * Where an xz stream or a zstd frame ends in a file in which anything may follow it. Nothing is unpacked.
 *
 * Sources: The .xz File Format 1.1.0, 2 to 4; LZMA2 chunks: Linux `lib/xz/xz_dec_lzma2.c`; zstd: RFC 8878, 3.1.1.
 */
import { UserError } from "../errors/index.ts";
import type { FileWindow } from "./cpio-reader.ts";
import { printName } from "./names.ts";

export type PackedKind = "xz" | "zstd";

/**
 * The offset after the member that begins at `offset`; `size` is the file's.
 * @throws UserError `bad-member`
 */
export async function findMemberEnd(
  file: FileWindow,
  offset: number,
  size: number,
  kind: PackedKind,
): Promise<number> {
  const reader = new MemberReader(file, offset, size, kind);
  return await (kind === "xz" ? endOfXz(reader) : endOfZstd(reader));
}

class MemberReader {
  readonly #file: FileWindow;
  readonly #start: number;
  readonly #size: number;
  readonly #kind: PackedKind;
  at: number;

  constructor(file: FileWindow, start: number, size: number, kind: PackedKind) {
    this.#file = file;
    this.#start = start;
    this.#size = size;
    this.#kind = kind;
    this.at = start;
  }

  /** The next bytes, which stay the next. */
  async peek(length: number): Promise<Buffer> {
    const bytes = await this.#file.read(this.at, length);
    if (bytes.length < length) throw this.bad();
    return bytes;
  }

  async byte(): Promise<number> {
    const [byte = 0] = await this.peek(1);
    this.at += 1;
    return byte;
  }

  skip(length: number): void {
    this.at += length;
    if (this.at > this.#size) throw this.bad();
  }

  /** To the next multiple of four from the member's start. */
  align(): void {
    this.skip((4 - ((this.at - this.#start) % 4)) % 4);
  }

  bad(): UserError {
    return new UserError(`this ${this.#kind} part of the initrd is damaged or incomplete`, {
      code: "bad-member",
      where: `${printName(this.#file.name)}: offset ${this.#start}`,
      hint: "download or build the file again",
    });
  }
}

/** Bytes of a block's check, by its id (2.1.1.2). */
const checkSizes = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];

async function endOfXz(reader: MemberReader): Promise<number> {
  const header = await reader.peek(12);
  const check = checkSizes[(header[7] ?? 0) & 0x0f] ?? 0;
  reader.skip(12);
  for (;;) {
    const [first = 0] = await reader.peek(1);
    if (first === 0) break;
    reader.skip((first + 1) * 4);
    await skipLzma2(reader);
    reader.align();
    reader.skip(check);
  }
  reader.skip(1);
  const records = await readNumber(reader);
  for (let left = records * 2; left > 0; left -= 1) await readNumber(reader);
  reader.align();
  // The index's checksum, and the footer.
  reader.skip(4 + 12);
  return reader.at;
}

async function skipLzma2(reader: MemberReader): Promise<void> {
  for (;;) {
    const control = await reader.byte();
    if (control === 0) return;
    if (control > 2 && control < 0x80) throw reader.bad();
    if (control <= 2) reader.skip(2 + (await reader.peek(2)).readUInt16BE(0) + 1);
    else reader.skip(4 + (await reader.peek(4)).readUInt16BE(2) + 1 + (control >= 0xc0 ? 1 : 0));
  }
}

/** A multibyte integer (1.2): seven bits a byte, the lowest first, nine bytes at most. */
async function readNumber(reader: MemberReader): Promise<number> {
  let value = 0;
  for (let index = 0; index < 9; index += 1) {
    const byte = await reader.byte();
    value += (byte & 0x7f) * 2 ** (7 * index);
    if ((byte & 0x80) === 0) return value;
  }
  throw reader.bad();
}

async function endOfZstd(reader: MemberReader): Promise<number> {
  const descriptor = (await reader.peek(5))[4] ?? 0;
  const isSingle = (descriptor & 0x20) !== 0;
  const contentSize = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
  reader.skip(5 + (isSingle ? 0 : 1) + dictionary + contentSize);
  for (let isLast = false; !isLast; ) {
    const block = (await reader.peek(3)).readUIntLE(0, 3);
    isLast = (block & 1) === 1;
    const type = (block >> 1) & 3;
    if (type === 3) throw reader.bad();
    reader.skip(3 + (type === 1 ? 1 : block >> 3));
  }
  reader.skip((descriptor & 4) === 0 ? 0 : 4);
  return reader.at;
}
