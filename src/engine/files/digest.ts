/** Turning values and files into digests. */

import { createHash, hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import type { Digest } from "../define/names.ts";
import { digestFrom } from "../define/names.ts";

/** From this size (bytes) on a file is read in pieces, so that others get their turn in between. */
const piecesThreshold = 1024 * 1024;

/** From this size on a file is hashed on hasha's worker thread: to start it takes as long as to hash some 16 MiB. */
const workerThreshold = 16 * 1024 * 1024;

export function digestOfBytes(bytes: string | Uint8Array): Digest {
  return digestFrom(hash("sha256", bytes, "hex"));
}

/**
 * Digest of a list of strings that no other list shares: each part is preceded by its length, so that moving
 * a character from one part to the next changes the result.
 */
export function digestOfParts(parts: readonly string[]): Digest {
  let text = "";
  for (const part of parts) text += `${Buffer.byteLength(part)}:${part}\n`;
  return digestOfBytes(text);
}

/** sha256 of a file's content; `size` (bytes) decides where and how it is read. */
export function digestOfFile(path: string, size: number): Digest | Promise<Digest> {
  if (size < piecesThreshold) return digestOfBytes(readFileSync(path));
  return size < workerThreshold ? digestInPieces(path) : digestOfLargeFile(path);
}

/** The same, on this thread and in no more memory than a piece takes: for while much else is in memory too. */
export async function digestInPieces(path: string): Promise<Digest> {
  const sum = createHash("sha256");
  const handle = await open(path, "r");
  try {
    const piece = Buffer.allocUnsafe(256 * 1024);
    for (;;) {
      const { bytesRead } = await handle.read(piece, 0, piece.length);
      if (bytesRead === 0) return digestFrom(sum.digest("hex"));
      sum.update(piece.subarray(0, bytesRead));
    }
  } finally {
    await handle.close();
  }
}

async function digestOfLargeFile(path: string): Promise<Digest> {
  const { hashFile } = await import("hasha");
  return digestFrom(await hashFile(path, { algorithm: "sha256" }));
}
