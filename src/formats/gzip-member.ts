/**
 * Unpacks exactly one gzip member out of a file in which anything may follow it.
 * It stops before what follows: zlib's own gzip reader would swallow the next member.
 *
 * Format: RFC 1952; of the optional header fields only the name is allowed, as in Linux `lib/decompress_inflate.c`.
 */
import { createReadStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { crc32, createInflateRaw, type InflateRaw } from "node:zlib";
import { messageOf, UserError } from "../errors/index.ts";
import type { FileWindow } from "./cpio-reader.ts";
import { createLimit, type UnpackLimits } from "./limits.ts";
import { encodeName, printName } from "./names.ts";

const footerSize = 8;
const flagName = 0x08;

/**
 * Unpacks the member at `offset` of `file` to the file `spool` (absolute; replaced).
 * Resolves to the offset after the member, the number of bytes unpacked, and how far the member had been read when how much
 * of that had come out: at every 256 KiB, to about as much.
 * `before` are the bytes that earlier members of the file gave, for the limit on all of them.
 * @throws UserError `bad-gzip`, `bomb`
 */
export async function inflateMember(
  file: FileWindow,
  offset: number,
  spool: string,
  limits: UnpackLimits = {},
  before = 0,
): Promise<{ readonly end: number; readonly size: number; readonly points: readonly PackingPoint[] }> {
  const where = `${printName(file.name)}: gzip member at offset ${offset}`;
  const bodyAt = offset + (await headerLength(file, offset, where));
  const out = await open(encodeName(spool), "w", 0o600);
  try {
    const body = await inflateBody(file.path, bodyAt, out, createLimit(limits, where, before), where);
    const footer = await file.read(bodyAt + body.taken, footerSize);
    if (footer.length < footerSize) throw fault("the gzip member is truncated", where);
    if (footer.readUInt32LE(0) !== body.crc || footer.readUInt32LE(4) !== body.size % 2 ** 32) {
      throw fault("the gzip member's checksum is wrong", where);
    }
    const end = bodyAt + body.taken + footerSize;
    return { end, size: body.size, points: [...body.points, { unpacked: body.size, packed: end - offset }] };
  } finally {
    await out.close();
  }
}

async function headerLength(file: FileWindow, offset: number, where: string): Promise<number> {
  const head = await file.read(offset, 10);
  if (head.length < 10 || head[2] !== 8) throw fault("the gzip header is damaged", where);
  const flags = head[3] ?? 0;
  if ((flags & ~flagName) !== 0) {
    throw fault("the gzip header has optional fields, which the kernel does not support", where);
  }
  if (flags === 0) return 10;
  const name = await file.read(offset + 10, 4096);
  const end = name.indexOf(0);
  if (end === -1) throw fault("the gzip header is truncated in the name", where);
  return 10 + end + 1;
}

/** Bytes of a member's content, and bytes of the member that they take. */
export interface PackingPoint {
  readonly unpacked: number;
  readonly packed: number;
}

interface Body {
  readonly points: readonly PackingPoint[];
  /** Compressed bytes, without header and footer. */
  readonly taken: number;
  readonly size: number;
  readonly crc: number;
}

async function inflateBody(
  path: string,
  start: number,
  out: FileHandle,
  check: ReturnType<typeof createLimit>,
  where: string,
): Promise<Body> {
  const inflate = createInflateRaw({ chunkSize: 256 * 1024 });
  const source = createReadStream(encodeName(path), { start, highWaterMark: 64 * 1024 });
  // A raw deflate stream knows its own end; what is written after it stays unread and uncounted in bytesWritten.
  source.on("error", (error) => inflate.destroy(error)).pipe(inflate);
  const points = pointsOf(inflate);
  let size = 0;
  let crc = 0;
  try {
    for await (const chunk of inflate as AsyncIterable<Buffer>) {
      size += chunk.length;
      check(inflate.bytesWritten, size);
      crc = crc32(chunk, crc);
      await writeAll(out, chunk);
    }
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw fault(`the gzip member cannot be unpacked: ${messageOf(cause)}`, where, cause);
  } finally {
    source.unpipe(inflate);
    source.destroy();
  }
  return { taken: inflate.bytesWritten, size, crc, points };
}

/**
 * The points that a stream reaches, as it goes on. They are noted when it makes a chunk: by the time that the chunk is read, it may
 * have taken more of the member, so that the same member would have other points each time.
 */
function pointsOf(inflate: InflateRaw): readonly PackingPoint[] {
  const points: PackingPoint[] = [];
  const push = inflate.push.bind(inflate);
  let unpacked = 0;
  inflate.push = (chunk: Buffer | null, ...rest) => {
    unpacked += chunk?.length ?? 0;
    if (chunk !== null) points.push({ unpacked, packed: inflate.bytesWritten });
    return push(chunk, ...rest);
  };
  return points;
}

async function writeAll(out: FileHandle, chunk: Buffer): Promise<void> {
  let done = 0;
  while (done < chunk.length) done += (await out.write(chunk, done)).bytesWritten;
}

function fault(message: string, where: string, cause?: unknown): UserError {
  return new UserError(message, {
    code: "bad-gzip",
    where,
    hint: "download or build the file again: it is damaged or incomplete",
    cause,
  });
}
