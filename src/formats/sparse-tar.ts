/**
 * What is in a sparse file, read out of a GNU tar archive of it: node cannot ask a file system for its holes, and reading 20 GB of NULs
 * takes longer than all else.
 *
 * Source: the GNU tar manual, "Sparse Formats", PAX format, version 1.0.
 */
import { type FileHandle, open } from "node:fs/promises";

/** A stretch of a sparse file, in bytes. */
interface Extent {
  readonly offset: number;
  readonly length: number;
}

/** What is in a sparse file of `size` bytes: stretches in ascending order, whose bytes lie one behind the other in another file. */
export interface SparseMap {
  readonly size: number;
  readonly extents: readonly Extent[];
}

const blockSize = 512;
/** File systems keep whole blocks; a smaller hole is not worth a stretch of its own. */
const grain = 4096;
const pieceSize = 1024 * 1024;

/**
 * Reads the archive at `archive` (absolute), made by `tar --format=posix --sparse --sparse-version=1.0` of one file, and writes the
 * stretches of that file that are not all NULs to `out`. The result does not depend on where the file system had its holes.
 */
export async function takeOutExtents(archive: string, out: string): Promise<SparseMap> {
  const from = await open(archive, "r");
  const to = await open(out, "w");
  try {
    const { size, stretches } = await readMap(from);
    const extents: { offset: number; length: number }[] = [];
    const buffer = Buffer.allocUnsafe(pieceSize);
    for (const { offset, length, at } of stretches) {
      for (let done = 0; done < length; ) {
        const { bytesRead } = await from.read(buffer, 0, Math.min(pieceSize, length - done), at + done);
        if (bytesRead === 0) throw new Error(`${archive} is cut off`);
        for (let block = 0; block < bytesRead; block += grain) {
          const piece = buffer.subarray(block, Math.min(bytesRead, block + grain));
          if (piece.every((byte) => byte === 0)) continue;
          const place = offset + done + block;
          const last = extents.at(-1);
          if (last !== undefined && last.offset + last.length === place) last.length += piece.length;
          else extents.push({ offset: place, length: piece.length });
          await to.write(piece);
        }
        done += bytesRead;
      }
    }
    return { size, extents };
  } finally {
    await from.close();
    await to.close();
  }
}

interface Stretch extends Extent {
  /** Offset in the archive. */
  readonly at: number;
}

/** The map of the archive's first member. */
async function readMap(
  from: FileHandle,
): Promise<{ readonly size: number; readonly stretches: readonly Stretch[] }> {
  const extended = await readHeader(from, 0);
  if (extended.type !== "x") throw new Error("the archive does not begin with an extended header");
  const records = (await readBytes(from, blockSize, extended.size)).toString("utf8");
  const numberOf = (key: string): number => Number(new RegExp(` ${key}=(\\d+)\n`).exec(records)?.[1]);
  const size = numberOf("GNU.sparse.realsize");
  if (numberOf("GNU.sparse.major") !== 1 || Number.isNaN(size)) {
    // A file without holes is archived as it is.
    const at = wholeBlocks(extended.size) + 2 * blockSize;
    const member = await readHeader(from, wholeBlocks(extended.size) + blockSize);
    const whole = numberOf("size") || member.size;
    return { size: whole, stretches: [{ offset: 0, length: whole, at }] };
  }
  let at = wholeBlocks(extended.size) + 2 * blockSize;
  let text = "";
  const next = async (): Promise<number> => {
    while (!text.includes("\n")) {
      text += (await readBytes(from, at, blockSize)).toString("latin1");
      at += blockSize;
    }
    const end = text.indexOf("\n");
    const number = Number(text.slice(0, end));
    text = text.slice(end + 1);
    if (!Number.isSafeInteger(number)) throw new Error("the archive's map of holes is damaged");
    return number;
  };
  const count = await next();
  const map: Extent[] = [];
  for (let index = 0; index < count; index++) map.push({ offset: await next(), length: await next() });
  // The map fills whole blocks; the bytes of the stretches follow.
  return {
    size,
    stretches: map.map((extent) => {
      const stretch = { ...extent, at };
      at += extent.length;
      return stretch;
    }),
  };
}

async function readHeader(
  from: FileHandle,
  at: number,
): Promise<{ readonly type: string; readonly size: number }> {
  const header = await readBytes(from, at, blockSize);
  const digits = header.toString("latin1", 124, 136).replace(/[\0 ].*$/, "");
  return { type: String.fromCharCode(header[156] ?? 0), size: Number.parseInt(digits, 8) };
}

async function readBytes(from: FileHandle, at: number, length: number): Promise<Buffer> {
  const { bytesRead, buffer } = await from.read(Buffer.alloc(length), 0, length, at);
  if (bytesRead < length) throw new Error("the archive is cut off");
  return buffer;
}

function wholeBlocks(size: number): number {
  return Math.ceil(size / blockSize) * blockSize;
}
