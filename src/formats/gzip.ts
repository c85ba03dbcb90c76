/**
 * gzip members as an initrd may hold them: the plain 10-byte header, nothing that depends on the build.
 *
 * Format: RFC 1952, section 2.3.
 */
import { Transform } from "node:stream";
import { createGzip, type Gzip, gzipSync } from "node:zlib";

/** Whether the bytes start like a gzip member (deflate). */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8;
}

/** The two streams, one after the other, that make one gzip member. `level` is 1 to 9. */
export function gzipStages(level = 9): readonly Transform[] {
  if (!Number.isInteger(level) || level < 1 || level > 9) throw new RangeError(`gzip level ${level}`);
  const gzip: Gzip = createGzip({ level, chunkSize: 64 * 1024 });
  return [gzip, plainHeader(level)];
}

/** The bytes as one gzip member. */
export function gzipBytes(bytes: Uint8Array): Buffer {
  const packed = gzipSync(bytes, { level: 9 });
  header(9).copy(packed);
  return packed;
}

/**
 * Node writes no name and no time, but its "operating system" byte is the build machine's:
 * here it is 3 (Unix), and the "extra flags" byte follows the level as RFC 1952 has it.
 */
function header(level: number): Buffer {
  return Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, level === 9 ? 2 : level === 1 ? 4 : 0, 3]);
}

function plainHeader(level: number): Transform {
  const first = header(level);
  let toSkip = first.length;
  return new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      if (toSkip === first.length) this.push(first);
      const skipped = Math.min(toSkip, chunk.length);
      toSkip -= skipped;
      done(null, chunk.subarray(skipped));
    },
  });
}
