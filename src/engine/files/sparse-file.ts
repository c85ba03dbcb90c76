/**
 * Files that are far larger than what is in them, such as a disk's image: only what is in them is written and hashed, all else is a hole.
 */
import { createHash, type Hash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { type Digest, digestFrom } from "../define/names.ts";
import type { SparsePiece } from "../define/task-context-types.ts";

/** What a hole may begin and end at: file systems keep whole blocks. */
const blockSize = 4096;
const bufferSize = 256 * blockSize;

/** What was written: a digest of size, places and bytes, and the number of bytes that went to the disk. */
interface SparseFile {
  readonly digest: Digest;
  readonly written: number;
}

/**
 * Writes a file of `size` bytes to `target` (absolute; mode 0644): the pieces at their offsets, holes between them and for blocks that
 * are all NULs. The pieces ascend and do not overlap. Files may be read while others write them: the caller makes sure of that.
 */
export async function writeSparseFile(
  target: string,
  size: number,
  pieces: readonly SparsePiece[],
  signal: AbortSignal,
): Promise<SparseFile> {
  const hash = createHash("sha256").update(`sparse ${size}\n`);
  const out = await open(target, "w");
  try {
    await out.chmod(0o644);
    await out.truncate(size);
    const buffer = Buffer.allocUnsafe(bufferSize);
    let end = 0;
    let written = 0;
    for (const piece of pieces) {
      signal.throwIfAborted();
      if (piece.offset < end) throw new Error(`the pieces of ${target} overlap at ${piece.offset}`);
      const sum = createHash("sha256");
      let at = piece.offset;
      for await (const chunk of bytesOf(piece, buffer)) {
        signal.throwIfAborted();
        sum.update(chunk);
        written += await writeBlocks(out, chunk, at);
        at += chunk.length;
      }
      addPiece(hash, piece.offset, at - piece.offset, sum);
      end = at;
    }
    if (end > size) throw new Error(`the pieces of ${target} need ${end} bytes, but it has ${size}`);
    return { digest: digestFrom(hash.digest("hex")), written };
  } finally {
    await out.close();
  }
}

/** Each piece counts with its length, so that no other pieces have the same digest. */
function addPiece(hash: Hash, offset: number, length: number, sum: Hash): void {
  hash.update(`${offset} ${length} ${sum.digest("hex")}\n`);
}

/** The bytes of a piece, in chunks that are valid until the next one is asked for. */
async function* bytesOf(piece: SparsePiece, buffer: Buffer): AsyncGenerator<Buffer> {
  if ("bytes" in piece) {
    yield Buffer.from(piece.bytes.buffer, piece.bytes.byteOffset, piece.bytes.byteLength);
    return;
  }
  const handle = await open(piece.file, "r");
  try {
    let from = piece.from ?? 0;
    let left = piece.length ?? (await handle.stat()).size - from;
    while (left > 0) {
      const { bytesRead } = await handle.read(buffer, 0, Math.min(left, buffer.length), from);
      if (bytesRead === 0) throw new Error(`${piece.file} ends ${left} bytes too early`);
      yield buffer.subarray(0, bytesRead);
      from += bytesRead;
      left -= bytesRead;
    }
  } finally {
    await handle.close();
  }
}

const hole = Buffer.alloc(blockSize);

/** Writes the stretches of a chunk that are not blocks of NULs, and returns how many bytes that are. `at` is the chunk's offset. */
async function writeBlocks(out: FileHandle, chunk: Buffer, at: number): Promise<number> {
  let written = 0;
  let start: number | undefined;
  const flush = async (end: number): Promise<void> => {
    if (start === undefined) return;
    for (let done = start; done < end; ) {
      const { bytesWritten } = await out.write(chunk, done, end - done, at + done);
      done += bytesWritten;
    }
    written += end - start;
    start = undefined;
  };
  for (let block = 0; block < chunk.length; block += blockSize) {
    const length = Math.min(blockSize, chunk.length - block);
    if (hole.compare(chunk, block, block + length, 0, length) === 0) await flush(block);
    else start ??= block;
  }
  await flush(chunk.length);
  return written;
}
