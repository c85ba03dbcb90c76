/** The layer that each edit packs, and whether the initrd can be made of layers with it. Where its files come from is not known here. */
import { copyFile, readdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { type FileTree, printName, writeLayers } from "../../src/formats/index.ts";
import { roomFor } from "./layers.ts";
import { describeFallback, findConflict, type NamedLayers, nameLayers } from "./layout.ts";
import { writeLinkedFiles } from "./linked-files.ts";

/** The layer's file name. */
export const overlayLayer = "overlay.cpio.gz";

interface OverlayParts {
  /** What is to be removed before the layer, and the layer, as `fixUpLayer` returns them. */
  readonly before: FileTree;
  readonly tree: FileTree;
  /** Paths of lower layers that the image is not to have. */
  readonly removed?: readonly string[];
  readonly variant: string;
  /** Whether the initrd is to be made of layers, if they do not conflict. */
  readonly layered: boolean;
}

/** Absolute paths: files, and the existing directory `single`. */
interface OverlayPlaces {
  readonly layer: string;
  readonly linked: string;
  readonly room: string;
  readonly single: string;
}

/** Writes the layer, its linked files and its room. `lower` and `upper` are the layers below and above it. */
export async function writeOverlayLayer(
  { before, tree, removed = [], variant, layered }: OverlayParts,
  lower: NamedLayers,
  upper: Readonly<Record<string, FileTree>>,
  places: OverlayPlaces,
  { note, signal }: { readonly note: (message: string) => void; readonly signal: AbortSignal },
): Promise<void> {
  await writeLayers(before.size === 0 ? [tree] : [before, tree], places.layer, { signal });
  await writeLinkedFiles(tree, places.linked, signal);
  await writeFile(places.room, `${roomFor((await stat(places.layer)).size, variant)}\n`);
  const ours = { "what the overlay removes first": before, "the overlay": tree };
  const conflict = describeRemoved(removed) ?? findConflict(nameLayers({ ...ours, ...upper }, lower));
  if (layered && conflict === undefined) return;
  await copyFile(places.layer, path.join(places.single, overlayLayer));
  if (conflict === undefined) return;
  await writeFile(path.join(places.single, "conflict"), conflict);
  if (removed.length > 0) await writeFile(path.join(places.single, removedFile), JSON.stringify(removed));
  if (layered) note(describeFallback(conflict));
}

/** The file with the removed paths, where there are any. */
const removedFile = "removed.json";

/** The paths that the image is not to have, by the output `single` (absolute) of the step that wrote the overlay's layer. */
export async function readRemoved(single: string): Promise<readonly string[]> {
  const names = await readdir(single);
  if (!names.includes(removedFile)) return [];
  return JSON.parse(await readFile(path.join(single, removedFile), "utf8")) as readonly string[];
}

/** An archive can only add: without these paths the initrd has to be packed whole. */
function describeRemoved(removed: readonly string[]): string | undefined {
  const [first, ...others] = removed;
  if (first === undefined) return undefined;
  const more = others.length === 0 ? "" : ` and ${others.length} more`;
  return `edits remove ${printName(first)}${more} of what lies below the overlay`;
}
