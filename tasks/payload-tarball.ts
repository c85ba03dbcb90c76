/** What an edit does not touch, as the beginning of the overlay's tarball: for the bundle, and packed once for many. */
import { stat } from "node:fs/promises";
import path from "node:path";
import { only, out, task } from "../src/engine/index.ts";
import { FileTree, mergeLayers, noLimits, readInitrd, writeTarball } from "../src/formats/index.ts";
import { readListing } from "./image/tree-listing.ts";
import { ownLayer } from "./own-layer.ts";
import { payload } from "./payload.ts";

/** Nearly all of it is compressed already: more effort would gain next to nothing. */
const level = 1;

export const payloadTarball = task({
  name: "payload-tarball",
  description: "Pack extensions, gems and extras for the bundle",
  internal: true,
  needs: {
    payload: only(payload, "layer", "tarballListing"),
    own: only(ownLayer, "layer", "listing"),
  },
  /** A gzipped tar archive without its end. */
  outputs: { tarball: out.file("payload.tar.gz") },
  async run({ needs, outputs, scratch, signal }) {
    const trees: FileTree[] = [];
    for (const [name, layer] of Object.entries({ payload: needs.payload.layer, own: needs.own.layer })) {
      if ((await stat(layer)).size === 0) continue;
      const members = await readInitrd(layer, { spoolDir: path.join(scratch, name), limits: noLimits });
      trees.push(...members.map((member) => member.tree));
    }
    const { tree } = mergeLayers(trees);
    const wanted = (await readListing(needs.payload.tarballListing)).addTree(
      await readListing(needs.own.listing),
    );
    const packed = new FileTree([...tree].filter(([name]) => wanted.has(name)));
    await writeTarball(packed, outputs.tarball, { level, signal, end: false });
  },
});
