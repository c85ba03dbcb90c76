/**
 * The bootable ISO: Core's initrd with the image's layers behind it, Core's boot files, and what the ISO says of itself.
 * All of it is there already: here it is joined.
 */
import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { type NeedPaths, only, out, type Piece, task } from "../src/engine/index.ts";
import { UserError } from "../src/errors/index.ts";
import { describeProblem, type FileTree, mergeLayers } from "../src/formats/index.ts";
import { fetchIso } from "./fetch-iso.ts";
import { paddingAfter } from "./image/layers.ts";
import { readListing } from "./image/tree-listing.ts";
import { type IsoPlan, isoSkeleton, metadataOf } from "./iso-skeleton.ts";
import { overlay } from "./overlay.ts";
import { payload } from "./payload.ts";
import { epoch, isoVersion } from "./settings/options.ts";
import { setupFiles } from "./setup-files.ts";

/** What the initrd is joined of, and what says how. */
export const initrdNeeds = {
  core: only(fetchIso, "boot", "listing"),
  payload: only(payload, "layer", "layerListing"),
  setup: only(setupFiles, "layer", "listing"),
  overlay: only(overlay, "layer", "listing", "beforeListing"),
  skeleton: isoSkeleton,
} as const;

export const rebuildIso = task({
  name: "rebuild-iso",
  description: "Make the bootable ISO",
  needs: initrdNeeds,
  params: { isoVersion, epoch },
  outputs: {
    iso: out.artifact(({ variant, value }) => `build-files/rz_mk_${variant}-image.${value(isoVersion)}.iso`),
  },
  async run({ needs, params, outputs, join, digest }) {
    const { initrd, plan } = await readInitrdPieces(needs);
    const metadata = digest(initrd).then((sum) =>
      metadataOf(plan, params.isoVersion, Number(params.epoch), sum),
    );
    await join(outputs.iso, [
      { file: needs.skeleton.head },
      ...initrd,
      { bytes: metadata },
      { file: needs.skeleton.tail },
    ]);
  },
});

type InitrdPaths = { readonly [K in keyof typeof initrdNeeds]: NeedPaths<(typeof initrdNeeds)[K]> };

/** The pieces of the initrd, in order, filled up to the room that the ISO has for it. Throws a `UserError` for bad layers. */
export async function readInitrdPieces(
  needs: InitrdPaths,
): Promise<{ readonly initrd: readonly Piece[]; readonly plan: IsoPlan }> {
  const { core, payload, setup, overlay, skeleton } = needs;
  const plan = JSON.parse(await readFile(skeleton.plan, "utf8")) as IsoPlan;
  refuseTraps([
    ["Core's initrd", await readListing(core.listing)],
    ["the payload", await readListing(payload.layerListing)],
    ["the setup files", await readListing(setup.listing)],
    ["what the overlay removes first", await readListing(overlay.beforeListing)],
    ["the overlay", await readListing(overlay.listing)],
    ["the version", await readListing(skeleton.versionListing)],
  ]);
  const layers = [
    path.join(core.boot, plan.initrd),
    payload.layer,
    setup.layer,
    overlay.layer,
    skeleton.versionLayer,
  ];
  const initrd: Piece[] = [];
  let left = plan.initrdSize;
  for (const file of layers) {
    const { size } = await stat(file);
    const padding = paddingAfter(size);
    initrd.push({ file }, { bytes: Buffer.alloc(padding) });
    left -= size + padding;
  }
  initrd.push({ bytes: Buffer.alloc(left) });
  return { initrd, plan };
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
