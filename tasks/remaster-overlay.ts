/** The edits of a remastered Core's initrd, as a layer: files of the project, laid out as the initrd's root. */
import { files, only, out, task } from "../src/engine/index.ts";
import { FileTree, fixUpLayer } from "../src/formats/index.ts";
import { fetchIso } from "./fetch-iso.ts";
import { editorFiles } from "./image/editor-files.ts";
import { inheritDirectories } from "./image/image-tree.ts";
import { nameLayers } from "./image/layout.ts";
import { isPresent } from "./image/optional-files.ts";
import { overlayLayer, writeOverlayLayer } from "./image/overlay-layer.ts";
import { overlayTree } from "./image/overlay-tree.ts";
import { checkBootCodes, checkScripts } from "./image/part-faults.ts";
import { readListing } from "./image/tree-listing.ts";
import { remasterPayload } from "./remaster-payload.ts";
import { epoch, layout } from "./settings/image-options.ts";
import { bootCodes, initrdOverlay } from "./settings/remaster-options.ts";
import { shownPath } from "./settings/shown-path.ts";

export const remasterOverlay = task({
  name: "remaster-overlay",
  description: "Pack the edits of the initrd as a layer",
  internal: true,
  needs: {
    core: only(fetchIso, "listing"),
    payload: only(remasterPayload, "before", "listing"),
  },
  inputs: {
    // Links are packed as they are: they mean files of the image.
    tree: files("**", { root: initrdOverlay, ignore: editorFiles, links: "keep", optional: true }),
  },
  params: { epoch, layout, initrdOverlay, bootCodes },
  outputs: {
    layer: out.file(overlayLayer),
    linked: out.file("linked.cpio"),
    /** Bytes that an initrd keeps free for the layer. */
    room: out.file("room"),
    /** Empty if the initrd is made of layers, else the layer once more. */
    single: out.directory("single"),
  },
  async run({ needs, inputs, params, outputs, variant, note, signal }) {
    const mtime = Number(params.epoch);
    const core = await readListing(needs.core.listing);
    const removed = await readListing(needs.payload.before);
    const extensions = await readListing(needs.payload.listing);
    const modes = new Map<string, number>();
    const { root } = inputs.tree;
    const hasEdits = isPresent({
      path: root,
      option: "initrd-overlay",
      given: params.initrdOverlay,
      usual: "initrd-overlay",
    });
    const given = hasEdits
      ? await overlayTree(root, { mtime, variant, mcollectiveDirectory: undefined, modes })
      : new FileTree();
    if (hasEdits) await checkScripts(given, shownPath(root), note);
    given.ensureParents({ mtime });
    const codes = params.bootCodes.split(/\s+/).filter((code) => code !== "");
    checkBootCodes(codes, new FileTree([...core, ...extensions, ...given]), note);
    const lower = nameLayers({
      "Core's initrd": core,
      "what the extensions remove first": removed,
      "the extensions": extensions,
    });
    const { before, layer: tree } = fixUpLayer(lower.stack, given);
    inheritDirectories(tree, core);
    inheritDirectories(before, core);
    await writeOverlayLayer(
      { before, tree, variant, layered: params.layout === "layered" },
      lower,
      {},
      outputs,
      { note, signal },
    );
  },
});
