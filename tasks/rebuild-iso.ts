/**
 * The bootable ISO: Core's initrd with the image's layers behind it, Core's boot files, and what the ISO says of itself.
 * All of it is there already: here it is joined.
 */
import { type Chunk, type NeedPaths, only, out, task } from "../src/engine/index.ts";
import { fetchIso } from "./fetch-iso.ts";
import { type IsoPlan, microkernelIdentity } from "./image/image-identity.ts";
import { imageFile } from "./image/image-names.ts";
import { joinInitrd, joinIso } from "./iso-joining.ts";
import { isoTemplate } from "./iso-template.ts";
import { linkerTables } from "./linker-tables.ts";
import { overlay } from "./overlay.ts";
import { ownLayer } from "./own-layer.ts";
import { payload } from "./payload.ts";
import { epoch, isoVersion } from "./settings/image-options.ts";
import { setupFiles } from "./setup-files.ts";

/** What the initrd is joined of, and what says how. */
export const initrdNeeds = {
  core: only(fetchIso, "boot"),
  payload: only(payload, "layer"),
  own: only(ownLayer, "layer"),
  setup: only(setupFiles, "layer"),
  linkerTables: only(linkerTables, "layer"),
  overlay: only(overlay, "layer"),
  template: isoTemplate,
} as const;

export const rebuildIso = task({
  name: "rebuild-iso",
  description: "Build the bootable ISO",
  group: "build",
  needs: initrdNeeds,
  params: { isoVersion, epoch, imageFile },
  outputs: {
    iso: out.artifact(({ value }) => value(imageFile)),
  },
  async run({ needs, params, outputs, join, digest }) {
    const { description } = microkernelIdentity(params.isoVersion, Number(params.epoch));
    const chunks = await readInitrdMembers(needs);
    await joinIso({ ...chunks, template: needs.template, description, join, digest }, outputs.iso);
  },
});

export type InitrdPaths = { readonly [K in keyof typeof initrdNeeds]: NeedPaths<(typeof initrdNeeds)[K]> };

/** The pieces of the initrd, in order, filled up to the room that the ISO has for it. */
export async function readInitrdMembers(
  needs: InitrdPaths,
): Promise<{ readonly initrd: readonly Chunk[]; readonly plan: IsoPlan }> {
  return await joinInitrd(initrdParts(needs));
}

/** What the initrd consists of. */
export function initrdParts({ core, payload, own, setup, linkerTables, overlay, template }: InitrdPaths) {
  const layers = [
    payload.layer,
    own.layer,
    setup.layer,
    linkerTables.layer,
    overlay.layer,
    template.versionLayer,
  ];
  return { core, layers, template };
}
