/** The overlay as one tarball, for the bundle: the payload's tarball as it is, and what is edited behind it. */
import path from "node:path";
import { only, out, task } from "../src/engine/index.ts";
import {
  FileTree,
  mergeLayers,
  noLimits,
  readInitrd,
  writeLayer,
  writeTarball,
} from "../src/formats/index.ts";
import { readListing } from "./image/tree-listing.ts";
import { overlay } from "./overlay.ts";
import { ownLayer } from "./own-layer.ts";
import { payload } from "./payload.ts";
import { payloadTarball } from "./payload-tarball.ts";

/** Its name in a bundle. */
const removeFirst = "first.cpio.gz";

export const overlayTarball = task({
  name: "overlay-tarball",
  description: "Pack razor-microkernel-overlay.tar.gz",
  internal: true,
  needs: {
    overlay: only(overlay, "layer"),
    listing: only(payload, "tarballListing"),
    own: only(ownLayer, "listing"),
    payload: payloadTarball,
  },
  outputs: {
    tarball: out.file("razor-microkernel-overlay.tar.gz", { private: true }),
    /** What an initrd needs before the files, as `removeFirst`; empty for nearly every overlay. */
    first: out.directory("first"),
  },
  async run({ needs, outputs, scratch, signal, join }) {
    const members = await readInitrd(needs.overlay.layer, {
      spoolDir: path.join(scratch, "layer"),
      limits: noLimits,
    });
    const trees = members.map((member) => member.tree);
    const { tree } = mergeLayers(trees);
    // The overlay comes last in its layer; what is before it makes files of Core go.
    if (trees.length > 1) {
      const before = mergeLayers(trees.slice(0, -1)).tree;
      await writeLayer(before, path.join(outputs.first, removeFirst), { signal });
    }
    const beneath = (await readListing(needs.listing.tarballListing)).addTree(
      await readListing(needs.own.listing),
    );
    // A directory that the payload has made already stands in the tarball once.
    const added = new FileTree([...tree].filter(([name]) => !beneath.has(name)));
    const part = path.join(scratch, "overlay.tar.gz");
    await writeTarball(added, part, { signal });
    await join(outputs.tarball, [{ file: needs.payload.tarball }, { file: part }]);
  },
});
