/**
 * Layered initrd images: any sequence of NULs, plain cpio archives and gzip members.
 * It knows nothing of what the layers are for.
 */
import type { WriteOptions, Written } from "./digesting.ts";
import type { FileTree } from "./tree.ts";

export interface LayerOptions extends WriteOptions {
  /** gzip level 1 to 9 (default 9), or "none" for a plain archive. */
  readonly level?: number | "none";
}

/** Writes `tree` as one initrd layer to `outPath` (absolute). */
export async function writeLayer(
  _tree: FileTree,
  _outPath: string,
  _options: LayerOptions = {},
): Promise<Written> {
  throw new Error("not written yet");
}

/** Joins layer files (absolute paths), in order, to one initrd at `outPath`. */
export async function joinLayers(
  _paths: readonly string[],
  _outPath: string,
  _options: WriteOptions = {},
): Promise<Written> {
  throw new Error("not written yet");
}
