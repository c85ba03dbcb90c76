/**
 * Layered initrd images, written: one layer from a tree, and layers joined.
 *
 * Format: Linux `buffer-format.rst`: initramfs := ("\0" | cpio archive | compressed cpio archive)*.
 */
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { UserError } from "../errors/index.ts";
import { paddingOf, writeCpio } from "./cpio.ts";
import { type WriteOptions, type Written, writeDigested } from "./digesting.ts";
import { gzipStages } from "./gzip.ts";
import { sniff } from "./magic.ts";
import { encodeName, printName } from "./names.ts";
import type { FileTree } from "./tree.ts";

export interface LayerOptions extends WriteOptions {
  /** gzip level 1 to 9 (default 9), or "none" for a plain archive. */
  readonly level?: number | "none";
}

/**
 * Writes `tree` as one initrd layer, a single archive, to `outPath` (absolute).
 * The bytes depend on the tree and the level only.
 * @throws UserError as `writeCpio`
 */
export async function writeLayer(
  tree: FileTree,
  outPath: string,
  options: LayerOptions = {},
): Promise<Written> {
  const { level = 9 } = options;
  const stages = level === "none" ? [] : gzipStages(level);
  return await writeDigested(outPath, writeCpio(tree), stages, options);
}

/** Writes trees as members of one layer, in order, each gzipped (`level` 1 to 9, default 9). @throws UserError as `writeCpio` */
export async function writeLayers(
  trees: readonly FileTree[],
  outPath: string,
  options: WriteOptions & { readonly level?: number } = {},
): Promise<Written> {
  const members = async function* (): AsyncGenerator<Uint8Array> {
    for (const tree of trees) yield* gzipped(tree, options.level);
  };
  return await writeDigested(outPath, members(), [], options);
}

/** The bytes of one gzip member with a tree's archive. */
async function* gzipped(tree: FileTree, level?: number): AsyncGenerator<Uint8Array> {
  const [gzip, header] = gzipStages(level);
  if (gzip === undefined || header === undefined) return;
  const done = pipeline(Readable.from(writeCpio(tree)), gzip, header);
  // A failure is thrown by the last stage too, which is the one that is read.
  done.catch(() => {});
  yield* header as AsyncIterable<Uint8Array>;
  await done;
}

/**
 * Joins layer files (absolute paths), in order, to one initrd at `outPath`. Each layer keeps its bytes; NULs are put before
 * a plain archive so that it starts at a multiple of four.
 * @throws UserError `not-a-layer` for a file that is neither a cpio archive nor gzip
 */
export async function joinLayers(
  paths: readonly string[],
  outPath: string,
  options: WriteOptions = {},
): Promise<Written> {
  return await writeDigested(outPath, concatenate(paths), [], options);
}

async function* concatenate(paths: readonly string[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const path of paths) {
    if (await startsPlainArchive(path)) {
      const padding = Buffer.alloc(paddingOf(at));
      at += padding.length;
      yield padding;
    }
    for await (const chunk of createReadStream(encodeName(path), { highWaterMark: 256 * 1024 })) {
      at += (chunk as Buffer).length;
      yield chunk as Buffer;
    }
  }
}

async function startsPlainArchive(path: string): Promise<boolean> {
  const handle = await open(encodeName(path), "r");
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(6), 0, 6, 0);
    const magic = sniff(buffer.subarray(0, bytesRead));
    if (magic === "cpio" || magic === "gzip") return magic === "cpio";
  } finally {
    await handle.close();
  }
  throw new UserError("the initrd layer is neither a cpio archive nor a gzip file", {
    code: "not-a-layer",
    where: printName(path),
    hint: "pack the layer with gzip: not every kernel unpacks other compressions",
  });
}
