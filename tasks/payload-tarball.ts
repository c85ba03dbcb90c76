/** What an edit does not touch, as the beginning of the overlay's tarball: for the bundle, and packed once for many. */
import path from "node:path";
import { only, out, task } from "../src/engine/index.ts";
import { FileTree, mergeLayers, noLimits, readInitrd, writeTarball } from "../src/formats/index.ts";
import { readListing } from "./image/tree-listing.ts";
import { payload } from "./payload.ts";

/** Nearly all of it is compressed already: more effort would gain next to nothing. */
const level = 1;

export const payloadTarball = task({
  name: "payload-tarball",
  description: "Pack extensions, gems and extras for the bundle",
  internal: true,
  needs: { payload: only(payload, "layer", "tarballListing") },
  /** A gzipped tar archive without its end. */
  outputs: { tarball: out.file("payload.tar.gz") },
  async run({ needs, outputs, scratch, signal }) {
    const members = await readInitrd(needs.payload.layer, {
      spoolDir: path.join(scratch, "layer"),
      limits: noLimits,
    });
    const { tree } = mergeLayers(members.map((member) => member.tree));
    const wanted = await readListing(needs.payload.tarballListing);
    const packed = new FileTree([...tree].filter(([name]) => wanted.has(name)));
    await writeTarball(packed, outputs.tarball, { level, signal, end: false });
  },
});
