/** Writes bytes to a stream as they are, no faster than they are taken. */
import { once } from "node:events";
import type { Writable } from "node:stream";

/** Resolves when all is written; rejects when the signal fires, as when the reader closes the pipe. */
export async function writeBytes(
  output: Writable,
  bytes: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  for await (const piece of bytes) {
    signal.throwIfAborted();
    if (!output.write(piece)) await once(output, "drain", { signal });
  }
}
