/** The bytes of one file of a tree: in memory when small, a stretch of a file on disk, or unpacked when they are read. */
import { createHash } from "node:crypto";
import { UserError } from "../errors/index.ts";
import { printName } from "./names.ts";
import { openRegularFile } from "./regular-file.ts";

/**
 * `path` is absolute (a name as of `decodeName`); `offset` and `size` are bytes. `unpack` gives exactly `size` bytes, or throws; it
 * may be called again.
 */
export type FileContent =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "file"; readonly path: string; readonly offset: number; readonly size: number }
  | { readonly kind: "packed"; readonly size: number; readonly unpack: () => AsyncIterable<Uint8Array> };

const chunkSize = 256 * 1024;

/** Content held in memory; a string is UTF-8. */
export function bytesContent(bytes: Uint8Array | string): FileContent {
  return { kind: "bytes", bytes: typeof bytes === "string" ? Buffer.from(bytes, "utf8") : bytes };
}

/** Size in bytes. */
export function contentSize(content: FileContent): number {
  return content.kind === "bytes" ? content.bytes.length : content.size;
}

/**
 * The content's bytes, piece by piece. A piece is the reader's to keep.
 * @throws UserError `content-changed` when the file on disk is shorter than it was
 */
export async function* streamContent(content: FileContent): AsyncGenerator<Uint8Array> {
  if (content.kind === "bytes") {
    if (content.bytes.length > 0) yield content.bytes;
    return;
  }
  if (content.size === 0) return;
  if (content.kind === "packed") {
    yield* content.unpack();
    return;
  }
  const handle = await openRegularFile(content.path);
  try {
    let done = 0;
    while (done < content.size) {
      const chunk = Buffer.allocUnsafe(Math.min(chunkSize, content.size - done));
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, content.offset + done);
      if (bytesRead === 0) throw changed(content.path);
      done += bytesRead;
      yield chunk.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

function changed(path: string): UserError {
  return new UserError("the file shrank while it was being read", {
    code: "content-changed",
    where: printName(path),
    hint: "run the build again when no program writes to the file any more",
  });
}

/** The whole content at once: for small files only. */
export async function readContent(content: FileContent): Promise<Buffer> {
  if (content.kind === "bytes") return Buffer.from(content.bytes);
  const chunks: Uint8Array[] = [];
  for await (const chunk of streamContent(content)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** sha256 of the content, in hex. */
export async function digestContent(content: FileContent): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of streamContent(content)) hash.update(chunk);
  return hash.digest("hex");
}
