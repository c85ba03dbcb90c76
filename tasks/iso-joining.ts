/**
 * An ISO joined out of its skeleton and the layers of its initrd. Where these come from is not known here.
 */
import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import type { AnyTaskContext, Piece } from "../src/engine/index.ts";
import { UserError } from "../src/errors/index.ts";
import { describeProblem, type FileTree, mergeLayers } from "../src/formats/index.ts";
import { paddingAfter } from "./image/layers.ts";
import { readListing } from "./image/tree-listing.ts";
import { type IsoPlan, metadataOf, type SkeletonPlaces } from "./iso-skeleton.ts";

/** What an initrd is joined of; paths are absolute. */
export interface InitrdParts {
  readonly core: { readonly boot: string; readonly listing: string };
  /**
   * On Core's initrd and below the version, lowest first; the names are for messages. One without a file is the beginning
   * of the next one's.
   */
  readonly layers: readonly { readonly name: string; readonly layer?: string; readonly listing: string }[];
  readonly skeleton: Pick<SkeletonPlaces, "plan" | "versionLayer" | "versionListing">;
}

/** The pieces of an initrd, in order, and the plan that they follow. */
export interface InitrdPieces {
  readonly initrd: readonly Piece[];
  readonly plan: IsoPlan;
}

/**
 * The initrd, filled up to the room that the ISO has for it. Throws a `UserError` when the kernel would not make of the
 * layers what they seem to be.
 */
export async function joinInitrd({ core, layers, skeleton }: InitrdParts): Promise<InitrdPieces> {
  const plan = JSON.parse(await readFile(skeleton.plan, "utf8")) as IsoPlan;
  const listings = await Promise.all(
    layers.map(async ({ name, listing }) => [name, await readListing(listing)] as const),
  );
  refuseTraps([
    ["Core's initrd", await readListing(core.listing)],
    ...listings,
    ["the version", await readListing(skeleton.versionListing)],
  ]);
  const initrd: Piece[] = [];
  let left = plan.initrdSize;
  for (const file of [
    path.join(core.boot, plan.initrd),
    ...layers.flatMap(({ layer = [] }) => layer),
    skeleton.versionLayer,
  ]) {
    const { size } = await stat(file);
    const padding = paddingAfter(size);
    initrd.push({ file }, { bytes: Buffer.alloc(padding) });
    left -= size + padding;
  }
  initrd.push({ bytes: Buffer.alloc(left) });
  return { initrd, plan };
}

/** What an ISO is joined of beside its initrd. */
export interface IsoPieces extends InitrdPieces, Pick<AnyTaskContext, "join" | "digest"> {
  readonly skeleton: Pick<SkeletonPlaces, "head" | "tail">;
  readonly version: string;
  /** Seconds since 1970. */
  readonly epoch: number;
}

/** Writes the ISO to `target`, an output's absolute path. */
export async function joinIso(pieces: IsoPieces, target: string): Promise<void> {
  const { initrd, plan, skeleton, version, epoch, join, digest } = pieces;
  const metadata = digest(initrd).then((sum) => metadataOf(plan, version, epoch, sum));
  await join(target, [{ file: skeleton.head }, ...initrd, { bytes: metadata }, { file: skeleton.tail }]);
}

/** The kernel applies layer after layer, with traps for the unwary: an image that would not be what it seems is refused. */
function refuseTraps(layers: readonly (readonly [name: string, tree: FileTree])[]): void {
  const { problems } = mergeLayers(layers.map(([, tree]) => tree));
  // A folder of ours that has a mode by rule (such as /tmp) may well change what Core had.
  const serious = problems.filter((problem) => problem.kind !== "directory-changed");
  const [first, ...others] = serious;
  if (first === undefined) return;
  const name = (layer: number): string => layers[layer]?.[0] ?? "";
  throw new UserError(
    `the layers of the initrd do not lie well on one another: ${describeProblem(first, name)}` +
      (others.length === 0 ? "" : `, and ${others.length} more like this`),
    {
      code: "layer-trap",
      where: first.path,
      hint: "change overlay-src so that the path keeps the type that Core gives it",
    },
  );
}
