/**
 * The overlay: what the user edits, made a layer of the initrd. This is the step that each edit takes, so it reads
 * overlay-src and next to nothing else.
 */

import { readFile } from "node:fs/promises";
import { file, files, inVariants, only, out, task } from "../src/engine/index.ts";
import { systemErrorCode } from "../src/errors/index.ts";
import { bytesContent, type FileTree, fixUpLayer } from "../src/formats/index.ts";
import { devAccess } from "./dev-access.ts";
import { fetchIso } from "./fetch-iso.ts";
import { editorFiles } from "./image/editor-files.ts";
import { inheritDirectories, refuseClashes } from "./image/image-tree.ts";
import { describeLostModes } from "./image/lost-modes.ts";
import { installedMcollective } from "./image/mcollective.ts";
import { microkernelConfiguration } from "./image/microkernel-settings.ts";
import { overlayLayer, writeOverlayLayer } from "./image/overlay-layer.ts";
import { ignoredInProjects, overlayTree } from "./image/overlay-tree.ts";
import { linkRubyLibrary } from "./image/ruby-library.ts";
import { readListing } from "./image/tree-listing.ts";
import { adaptToVariant } from "./image/variant.ts";
import { versionTree } from "./image/version-tree.ts";
import { payload } from "./payload.ts";
import { epoch, layout } from "./settings/image-options.ts";
import { isOldProject } from "./settings/old-project.ts";
import { emptyDirectories, modesByPath, overlayDirectory, overlayModes } from "./settings/project-options.ts";
import { shownPath } from "./settings/shown-path.ts";
import { setupFiles } from "./setup-files.ts";

const settingsFile = "lists/microkernel.yaml";

/** The Microkernel's configuration in the image, and the program that reads it. */
const configuration = { path: "tmp/mk_conf.yaml", reader: "usr/local/bin/rz_mk_init.rb" } as const;

export const overlay = task({
  name: "overlay",
  description: "Stage the overlay and pack razor-microkernel-overlay.tar.gz",
  group: "build",
  needs: {
    iso: only(fetchIso, "listing"),
    payload: only(payload, "layerListing", "rubyVersion"),
    setup: only(setupFiles, "listing"),
    access: inVariants(["dev", "debug"], devAccess),
  },
  inputs: {
    // Links are packed as they are: they mean files of the image.
    tree: files("**", {
      root: overlayDirectory,
      ignore: [...ignoredInProjects, ...editorFiles],
      links: "keep",
    }),
    settings: file(settingsFile, { optional: true }),
  },
  params: { epoch, layout, emptyDirectories, overlayModes },
  outputs: {
    /** A gzipped cpio archive; before it another, where files of Core must go before others can take their place. */
    layer: out.file(overlayLayer, { private: true }),
    /** What tables of libraries and modules depend on: few edits change it. */
    linked: out.file("linked.cpio"),
    /** Bytes that an initrd keeps free for the layer, so that few edits change the size of anything. */
    room: out.file("room"),
    /**
     * Empty where the initrd is made of layers. Else the layer once more, for the step that makes one archive of all; and
     * `trap`, one sentence, where layers were wanted and the kernel would not make of them what they say.
     */
    single: out.directory("single", { private: true }),
  },
  async run({ needs, inputs, params, outputs, variant, note, signal }) {
    const mtime = Number(params.epoch);
    const core = await readListing(needs.iso.listing);
    const fetched = await readListing(needs.payload.layerListing);
    const setup = await readListing(needs.setup.listing);
    const directory = shownPath(inputs.tree.root);
    const mcollectiveDirectory = installedMcollective(fetched);
    const modes = modesByPath(params.overlayModes);
    const given = await overlayTree(inputs.tree.root, { mtime, variant, mcollectiveDirectory, modes });
    await addConfiguration(given, inputs.settings, mtime);
    await adaptToVariant(given, variant, needs.access?.passwordHash, directory);
    linkRubyLibrary(given, await readFile(needs.payload.rubyVersion, "utf8"), mtime);
    given.ensureParents({ mtime });
    const { before, layer: tree } = fixUpLayer([core, fetched, setup], given);
    inheritDirectories(tree, core);
    inheritDirectories(before, core);
    // Files of an old project keep theirs.
    const lost = isOldProject(inputs.tree.root)
      ? undefined
      : describeLostModes((name) => tree.get(name) ?? given.get(name), modes, directory);
    if (lost !== undefined) note(lost);
    refuseClashes(tree, directory, fetched, "what the build fetches");
    refuseClashes(setup, "the setup files", tree, directory);
    await writeOverlayLayer(
      { before, tree, variant, layered: params.layout === "layered" },
      [
        ["Core's initrd", core],
        ["the payload", fetched],
        ["the setup files", setup],
      ],
      [["the version", versionTree("", mtime, core)]],
      outputs,
      { note, signal },
    );
  },
});

/** Renders the configuration, unless the overlay has its own, or no Microkernel; `settings` is absolute. */
async function addConfiguration(tree: FileTree, settings: string, mtime: number): Promise<void> {
  if (tree.has(configuration.path) || !tree.has(configuration.reader)) return;
  const text = await readFile(settings, "utf8").catch((error: unknown) => {
    if (systemErrorCode(error) === "ENOENT") return "";
    throw error;
  });
  tree.addFile(configuration.path, bytesContent(await microkernelConfiguration(text, settingsFile)), {
    mtime,
  });
}
