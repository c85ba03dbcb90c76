/** Writing a stream of bytes to a file while counting and hashing them, in one pass. */
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";

/** What was written: size in bytes, sha256 in hex. */
export interface Written {
  readonly size: number;
  readonly sha256: string;
}

export interface WriteOptions {
  readonly signal?: AbortSignal;
}

type Bytes = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/**
 * Writes `source`, through `stages`, to the file `path` (absolute, mode 0644 whatever the umask, replaced when it is there).
 * When the source fails or the signal fires the half-written file stays: the caller names it as it likes.
 */
export async function writeDigested(
  path: string,
  source: Bytes,
  stages: readonly Transform[] = [],
  options: WriteOptions = {},
): Promise<Written> {
  const hash = createHash("sha256");
  let size = 0;
  const tap = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      hash.update(chunk);
      size += chunk.length;
      done(null, chunk);
    },
  });
  const handle = await open(path, "w");
  // The mode given to open() is cut by the umask; this one is not.
  await handle.chmod(0o644);
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  await pipeline([Readable.from(gather(source)), ...stages, tap, handle.createWriteStream()], signal);
  return { size, sha256: hash.digest("hex") };
}

const gathered = 64 * 1024;

/** Joins small pieces to pieces of about 64 KiB: archives are full of short headers. Pieces are copied. */
async function* gather(source: Bytes): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of source) {
    held.push(chunk);
    length += chunk.length;
    if (length < gathered) continue;
    yield Buffer.concat(held);
    held = [];
    length = 0;
  }
  if (length > 0) yield Buffer.concat(held);
}
