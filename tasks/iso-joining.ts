/**
 * An ISO joined out of its skeleton and the layers of its initrd. Where these come from is not known here.
 */
import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import type { AnyTaskContext, Piece } from "../src/engine/index.ts";
import { paddingAfter } from "./image/layers.ts";
import { type IsoPlan, metadataOf, type SkeletonPlaces } from "./iso-skeleton.ts";

/** What an initrd is joined of; paths are absolute. */
export interface InitrdParts {
  readonly core: { readonly boot: string };
  /** Files of one or more archives on Core's initrd and below the version, lowest first. */
  readonly layers: readonly string[];
  readonly skeleton: Pick<SkeletonPlaces, "plan" | "versionLayer" | "single">;
}

/** The pieces of an initrd, in order, and the plan that they follow. */
export interface InitrdPieces {
  readonly initrd: readonly Piece[];
  readonly plan: IsoPlan;
}

/** The initrd, filled up to the room that the ISO has for it; the single archive where there is one. */
export async function joinInitrd({ core, layers, skeleton }: InitrdParts): Promise<InitrdPieces> {
  const plan = JSON.parse(await readFile(skeleton.plan, "utf8")) as IsoPlan;
  const single = (await readdir(skeleton.single)).includes(plan.initrd);
  const files = single
    ? [path.join(skeleton.single, plan.initrd)]
    : [path.join(core.boot, plan.initrd), ...layers, skeleton.versionLayer];
  const initrd: Piece[] = [];
  let left = plan.initrdSize;
  for (const file of files) {
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
  // Avoids an unhandled rejection when joining fails first; the failure is reported when it is awaited.
  metadata.catch(() => undefined);
  await join(target, [{ file: skeleton.head }, ...initrd, { bytes: metadata }, { file: skeleton.tail }]);
}
