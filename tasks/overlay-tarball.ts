/** The overlay as one tarball, for the bundle: the payload's tarball as it is, and what is edited behind it. */
import path from "node:path";
import { only, out, task } from "../src/engine/index.ts";
import { FileTree, mergeLayers, readInitrd, writeTarball } from "../src/formats/index.ts";
import { readListing } from "./image/tree-listing.ts";
import { overlay } from "./overlay.ts";
import { payload } from "./payload.ts";
import { payloadTarball } from "./payload-tarball.ts";

export const overlayTarball = task({
  name: "overlay-tarball",
  description: "Pack razor-microkernel-overlay.tar.gz",
  internal: true,
  needs: {
    overlay: only(overlay, "layer"),
    listing: only(payload, "tarballListing"),
    payload: payloadTarball,
  },
  outputs: { tarball: out.file("razor-microkernel-overlay.tar.gz") },
  async run({ needs, outputs, scratch, signal, join }) {
    const members = await readInitrd(needs.overlay.layer, { spoolDir: path.join(scratch, "layer") });
    const { tree } = mergeLayers(members.map((member) => member.tree));
    const beneath = await readListing(needs.listing.tarballListing);
    // A folder that the payload has made already stands in the tarball once.
    const added = new FileTree([...tree].filter(([name]) => !beneath.has(name)));
    const part = path.join(scratch, "overlay.tar.gz");
    await writeTarball(added, part, { signal });
    await join(outputs.tarball, [{ file: needs.payload.tarball }, { file: part }]);
  },
});
