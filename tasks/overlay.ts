/**
 * The overlay: what the user edits, made a layer of the initrd. This is the step that each edit takes, so it reads
 * overlay-src and next to nothing else.
 */
import { stat, writeFile } from "node:fs/promises";
import { displayPath, files, inVariants, only, out, task } from "../src/engine/index.ts";
import { mendLayer, writeLayers } from "../src/formats/index.ts";
import { devAccess } from "./dev-access.ts";
import { fetchIso } from "./fetch-iso.ts";
import { editorFiles } from "./image/editor-files.ts";
import { inheritFolders, refuseClashes } from "./image/image-tree.ts";
import { roomFor } from "./image/layers.ts";
import { installedMcollective } from "./image/mcollective.ts";
import { ignoredInProjects, overlayTree } from "./image/overlay-tree.ts";
import { readListing, writeListing } from "./image/tree-listing.ts";
import { adaptToVariant } from "./image/variant.ts";
import { payload } from "./payload.ts";
import { epoch, overlayFolder } from "./settings/options.ts";
import { setupFiles } from "./setup-files.ts";

export const overlay = task({
  name: "overlay",
  description: "Stage the overlay and pack razor-microkernel-overlay.tar.gz",
  needs: {
    iso: only(fetchIso, "listing"),
    payload: only(payload, "layerListing"),
    setup: only(setupFiles, "listing"),
    access: inVariants(["dev", "debug"], devAccess),
  },
  inputs: { tree: files("**", { root: overlayFolder, ignore: [...ignoredInProjects, ...editorFiles] }) },
  params: { epoch },
  outputs: {
    /** A gzipped cpio archive. */
    layer: out.file("overlay.cpio.gz"),
    listing: out.file("overlay.json"),
    /** What the layer begins with, where files of Core must go before others can take their place. */
    beforeListing: out.file("before.json"),
    /** Bytes that an initrd keeps free for the layer, so that few edits change the size of anything. */
    room: out.file("room"),
  },
  async run({ needs, inputs, params, outputs, variant, signal }) {
    const mtime = Number(params.epoch);
    const core = await readListing(needs.iso.listing);
    const fetched = await readListing(needs.payload.layerListing);
    const setup = await readListing(needs.setup.listing);
    const folder = displayPath(process.cwd(), inputs.tree.root);
    const mcollectiveFolder = installedMcollective(fetched);
    const given = await overlayTree(inputs.tree.root, { mtime, variant, mcollectiveFolder });
    await adaptToVariant(given, variant, needs.access?.passwordHash, folder);
    given.ensureParents({ mtime });
    const { before, layer: tree } = mendLayer([core, fetched, setup], given);
    inheritFolders(tree, core);
    inheritFolders(before, core);
    refuseClashes(tree, folder, fetched, "what the build fetches");
    refuseClashes(setup, "the setup files", tree, folder);
    await writeLayers(before.size === 0 ? [tree] : [before, tree], outputs.layer, { signal });
    await writeListing(tree, outputs.listing);
    await writeListing(before, outputs.beforeListing);
    await writeFile(outputs.room, `${roomFor((await stat(outputs.layer)).size)}\n`);
  },
});
