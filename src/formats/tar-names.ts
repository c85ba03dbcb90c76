/**
 * The names in a tarball as the bytes that they are, beside a parser that gives them as text.
 *
 * Format: POSIX pax (ustar and extended headers), and GNU tar's long names (types L and K).
 */
import { decodeName } from "./names.ts";

const blockSize = 512;
/** How GNU tar and libarchive call a pax record with an extended attribute. */
const attribute = /^(?:SCHILY|LIBARCHIVE)\.xattr\.(.+)$/;
/** No file system has longer names; more is not kept. */
const longest = 1024 * 1024;

/** Names as `decodeName` gives them. */
export interface RawNames {
  readonly path: string;
  readonly linkpath: string;
  /** Names of extended attributes, such as `security.capability`. */
  readonly attributes: readonly string[];
  /** Where the entry's content begins, in bytes from the start of the (unpacked) tarball. */
  readonly contentAt: number;
  /** Bytes of content, as read here. */
  readonly size: number;
  /** The pax record that changes the meaning of the entry, such as `GNU.sparse.major`. */
  readonly disguise: string | undefined;
}

/**
 * GNU tar writes a sparse file as an ordinary one, with a map of its holes in the content (GNU tar manual, "Sparse Formats"), star
 * gives the size that the file really has.
 */
const sparseRecord = /^(GNU\.sparse\..*|SCHILY\.realsize)$/;
/** Records that describe a single entry, and must not be in a global header. */
const ofOneEntry = /^(path|linkpath|size|GNU\.sparse\..*|SCHILY\.realsize)$/;

/** Is given a tarball's bytes in order, and has the names of each entry in order; headers that only describe the next have none. */
export class TarNames {
  readonly #names: RawNames[] = [];
  #header = Buffer.alloc(0);
  /** Bytes up to the next header, and those of them that are a name or names. */
  #left = 0;
  #body: { readonly type: string; readonly size: number; readonly pieces: Buffer[] } | undefined;
  /** What the headers before an entry say of it. */
  #said: { readonly [field: string]: Buffer } = {};
  /** A record of a global header that belongs to one entry only. */
  #misplaced: string | undefined;
  /** Number of bytes that were pushed so far. */
  #position = 0;

  /** The names of the next entry. */
  next(): RawNames | undefined {
    return this.#names.shift();
  }

  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#left > 0) {
        const piece = chunk.subarray(at, at + this.#left);
        this.#body?.pieces.push(Buffer.from(piece));
        this.#left -= piece.length;
        at += piece.length;
        this.#position += piece.length;
        if (this.#left === 0) this.#endBody();
        continue;
      }
      const piece = chunk.subarray(at, at + blockSize - this.#header.length);
      this.#header = Buffer.concat([this.#header, piece]);
      at += piece.length;
      this.#position += piece.length;
      if (this.#header.length < blockSize) return;
      const header = this.#header;
      this.#header = Buffer.alloc(0);
      if (header.some((byte) => byte !== 0)) this.#begin(header);
    }
  }

  #begin(header: Buffer): void {
    const type = String.fromCharCode(header[156] ?? 0);
    const own = sizeOf(header.subarray(124, 136));
    const describing = "LKxg".includes(type);
    const said = describing ? undefined : this.#said.size;
    const name = this.#said.path ?? nameOf(header);
    // No content follows a directory, though old tars give it the size that it has on the disk; theirs are files with a slash.
    const isDirectory = type === "5" || ((type === "0" || type === "\0") && name.at(-1) === 0x2f);
    const size = isDirectory ? 0 : said === undefined ? own : Number(said.toString("latin1"));
    this.#left = Math.ceil(size / blockSize) * blockSize;
    if (describing) {
      this.#body = size <= longest ? { type, size, pieces: [] } : undefined;
      return;
    }
    const { path = name, linkpath = textOf(header.subarray(157, 257)) } = this.#said;
    const attributes = Object.keys(this.#said).flatMap((key) => attribute.exec(key)?.[1] ?? []);
    this.#names.push({
      path: decodeName(path),
      linkpath: decodeName(linkpath),
      attributes,
      contentAt: this.#position,
      size,
      disguise: this.#misplaced ?? Object.keys(this.#said).find((key) => sparseRecord.test(key)),
    });
    this.#said = {};
  }

  #endBody(): void {
    if (this.#body === undefined) return;
    const { type, size, pieces } = this.#body;
    this.#body = undefined;
    const bytes = Buffer.concat(pieces).subarray(0, size);
    if (type === "L") this.#said = { ...this.#said, path: textOf(bytes) };
    if (type === "K") this.#said = { ...this.#said, linkpath: textOf(bytes) };
    if (type === "x") this.#said = { ...this.#said, ...recordsOf(bytes) };
    if (type === "g") this.#misplaced ??= Object.keys(recordsOf(bytes)).find((key) => ofOneEntry.test(key));
  }
}

/** Up to the first NUL. */
function textOf(field: Buffer): Buffer {
  const end = field.indexOf(0);
  return end === -1 ? field : field.subarray(0, end);
}

/** ustar puts the beginning of a long name elsewhere; GNU's headers have other things there. */
function nameOf(header: Buffer): Buffer {
  const name = textOf(header.subarray(0, 100));
  if (header.toString("latin1", 257, 265) !== "ustar\u000000") return name;
  // Old extensions keep times behind 130 bytes of it.
  const prefix = textOf(header.subarray(345, 345 + (header[475] === 0 ? 130 : 155)));
  return prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from("/"), name]);
}

/** Octal digits, or, where the first bit is set, a binary number. */
function sizeOf(field: Buffer): number {
  if (((field[0] ?? 0) & 0x80) === 0)
    return Number.parseInt(textOf(field).toString("latin1").trim() || "0", 8);
  return field.subarray(1).reduce((value, byte) => value * 256 + byte, 0);
}

/** pax records: "LENGTH KEY=VALUE\n", the length counting all of it. */
function recordsOf(bytes: Buffer): { readonly [field: string]: Buffer } {
  const fields: { [field: string]: Buffer } = {};
  for (let at = 0; at < bytes.length; ) {
    const blank = bytes.indexOf(0x20, at);
    const length = Number.parseInt(bytes.toString("latin1", at, blank), 10);
    if (blank === -1 || !(length > 0)) break;
    const record = bytes.subarray(blank + 1, at + length - 1);
    const equals = record.indexOf(0x3d);
    fields[record.toString("latin1", 0, equals)] = record.subarray(equals + 1);
    at += length;
  }
  return fields;
}
