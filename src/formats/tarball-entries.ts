/**
 * Goes through a tarball entry by entry (plain or gzip; ustar, pax and GNU long names), with the `tar` package's
 * parser.
 */
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import type { ReadEntry } from "tar";
import { messageOf, systemErrorCode, UserError } from "../errors/index.ts";
import { createEntryLimit, createLimit, type UnpackLimits } from "./limits.ts";
import { sniff } from "./magic.ts";
import { isUtf8Name, printName } from "./names.ts";
import { openRegularFile } from "./regular-file.ts";
import { type RawNames, TarNames } from "./tar-names.ts";

export interface EntryVisitor {
  /** Called at each entry, before its bytes; may throw. Its names are text, in which U+FFFD stands for bytes that are no UTF-8. */
  enter(entry: ReadEntry, names: RawNames | undefined): void;
  /** Takes the bytes of the entry that was entered last. */
  take(bytes: Buffer): void;
  /** Called between pieces of input, to let go of what was taken. */
  flush(): Promise<void>;
}

/**
 * Visits every entry of the tarball at `path` (absolute); `label` is how errors name it, and `plain` says that it must not be
 * compressed.
 * @throws UserError `bad-tarball` (damaged, cut off, no tarball), `bomb`, and what the visitor throws
 */
export async function visitTarball(
  path: string,
  visitor: EntryVisitor,
  limits: UnpackLimits = {},
  { label = path, plain = false }: { readonly label?: string | undefined; readonly plain?: boolean } = {},
): Promise<void> {
  const { Parser } = await import("tar");
  const where = printName(label);
  const handle = await openRegularFile(path, label);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(blockSize), 0, blockSize, 0);
    const gzip = sniff(buffer.subarray(0, bytesRead)) === "gzip";
    if (gzip && plain) throw new Error("it is compressed with gzip, but should not be");
    let failure: unknown;
    const fail = (error: unknown) => {
      failure ??= error;
    };
    const guarded = (step: () => void) => {
      if (failure !== undefined) return;
      try {
        step();
      } catch (error) {
        fail(error);
      }
    };
    const names = new TarNames();
    const count = createEntryLimit(limits, where);
    const parser = new Parser({
      strict: true,
      // An entry that is resumed gives its bytes during write(), so at most one piece of input is held.
      onReadEntry: (entry) => {
        const raw = names.next();
        guarded(() => {
          count(entry.path);
          refuseOtherReading(entry, raw);
          visitor.enter(entry, raw);
        });
        entry.on("data", (bytes) => guarded(() => visitor.take(bytes)));
        entry.resume();
      },
    });
    parser.on("error", fail);
    parser.on("ignoredEntry", (entry: ReadEntry) =>
      fail(new Error(`${printName(entry.path)} has the unsupported type ${entry.type}`)),
    );
    const source = handle.createReadStream({ start: 0, autoClose: false, highWaterMark: 256 * 1024 });
    const unpacked = gzip ? [createGunzip({ chunkSize: 256 * 1024 })] : [];
    const check = createLimit(gzip ? limits : { ...limits, maxRatio: Number.POSITIVE_INFINITY }, where);
    let size = 0;
    let onlyNuls = true;
    const feed = new Transform({
      async transform(chunk: Buffer, _encoding, done) {
        try {
          if (size === 0) refuseOtherFormat(chunk);
          size += chunk.length;
          onlyNuls &&= chunk.every((byte) => byte === 0);
          check(source.bytesRead, size);
          names.push(chunk);
          parser.write(chunk);
          if (failure !== undefined && !onlyNuls) throw failure;
          await visitor.flush();
          done();
        } catch (error) {
          done(error instanceof Error ? error : new Error(messageOf(error)));
        }
      },
    });
    // Nothing comes out of the last stage; resuming it lets the pipeline end.
    await pipeline([source, ...unpacked, feed.resume()]);
    parser.end();
    // An archive without entries is two blocks of NULs; the parser does not know it for an archive.
    if (failure !== undefined && !onlyNuls) throw failure;
    if (size === 0) throw new Error("it is empty");
    await visitor.flush();
  } catch (cause) {
    if (cause instanceof UserError || isSystemError(cause)) throw cause;
    throw new UserError(`the tarball cannot be read: ${messageOf(cause)}`, {
      code: "bad-tarball",
      where,
      hint: "download the file again: it is damaged, incomplete or not a tarball",
      cause,
    });
  } finally {
    await handle.close();
  }
}

const blockSize = 512;

/** zlib's errors carry a code too, but no system call. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && "syscall" in error && systemErrorCode(error) !== undefined;
}

/** Refuses entries that two parsers read differently: the checked entry could differ from the written one. */
function refuseOtherReading(entry: ReadEntry, raw: RawNames | undefined): void {
  if (raw === undefined) return;
  if (isUtf8Name(raw.path) && entry.path !== raw.path) {
    throw new Error(`one member is called both ${printName(entry.path)} and ${printName(raw.path)}`);
  }
  if (entry.size !== raw.size) {
    throw new Error(`the size of ${printName(raw.path)} is both ${entry.size} and ${raw.size}`);
  }
}

function refuseOtherFormat(chunk: Buffer): void {
  const magic = sniff(chunk);
  if (magic !== "tar" && magic !== "gem" && magic !== "unknown") throw new Error(`it is ${magic}`);
  if (chunk.length < blockSize) throw new Error("it is truncated");
}
