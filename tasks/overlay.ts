/**
 * The overlay: what the user edits, made a layer of the initrd. This is the step that each edit takes, so it reads
 * overlay-src and next to nothing else.
 */

import { readFile } from "node:fs/promises";
import path from "node:path";
import { file, files, inVariants, only, out, task } from "../src/engine/index.ts";
import { systemErrorCode } from "../src/errors/index.ts";
import { bytesContent, FileTree, fixUpLayer } from "../src/formats/index.ts";
import { devAccess } from "./dev-access.ts";
import { fetchIso } from "./fetch-iso.ts";
import { readAccountList } from "./image/account-list.ts";
import { addAccounts } from "./image/accounts.ts";
import { readCore } from "./image/core-tree.ts";
import { readEditList } from "./image/edit-list.ts";
import { editorFiles } from "./image/editor-files.ts";
import { applyEdits } from "./image/edits.ts";
import { inheritDirectories, refuseClashes } from "./image/image-tree.ts";
import { nameLayers } from "./image/layout.ts";
import { describeLostModes } from "./image/lost-modes.ts";
import { dropPlugins, installedMcollective } from "./image/mcollective.ts";
import { microkernelConfiguration } from "./image/microkernel-settings.ts";
import { overlayLayer, writeOverlayLayer } from "./image/overlay-layer.ts";
import { ignoredInProjects, overlayTree } from "./image/overlay-tree.ts";
import { addDevices, applyOwners, parseOwnerList } from "./image/owner-list.ts";
import { linkRubyLibrary } from "./image/ruby-library.ts";
import { readListing } from "./image/tree-listing.ts";
import { adaptToVariant, refusePasswords } from "./image/variant.ts";
import { versionTree } from "./image/version-tree.ts";
import { ownLayer } from "./own-layer.ts";
import { payload } from "./payload.ts";
import { epoch, layout } from "./settings/image-options.ts";
import { isOldProject } from "./settings/old-project.ts";
import { emptyDirectories, modesByPath, overlayDirectory, overlayModes } from "./settings/project-options.ts";
import { shownPath } from "./settings/shown-path.ts";
import { setupFiles } from "./setup-files.ts";

const settingsFile = "lists/microkernel.yaml";
const accountsFile = "lists/accounts.yaml";
const ownersFile = "lists/owners.lst";
const editsFile = "lists/edits.yaml";

/** The Microkernel's configuration in the image, and the program that reads it. */
const configuration = { path: "tmp/mk_conf.yaml", reader: "usr/local/bin/rz_mk_init.rb" } as const;

export const overlay = task({
  name: "overlay",
  description: "Stage the overlay and pack razor-microkernel-overlay.tar.gz",
  group: "build",
  needs: {
    iso: only(fetchIso, "listing", "boot", "core"),
    payload: only(payload, "layerListing", "rubyVersion"),
    own: only(ownLayer, "listing"),
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
    accounts: file(accountsFile, { optional: true }),
    owners: file(ownersFile, { optional: true }),
    edits: file(editsFile, { optional: true }),
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
     * `conflict`, one sentence, if layers were wanted and the kernel would unpack something else than the layers mean.
     */
    single: out.directory("single", { private: true }),
  },
  async run({ needs, inputs, params, outputs, variant, note, signal, scratch }) {
    const mtime = Number(params.epoch);
    const core = await readListing(needs.iso.listing);
    const fetched = (await readListing(needs.payload.layerListing)).addTree(
      await readListing(needs.own.listing),
    );
    const setup = await readListing(needs.setup.listing);
    const directory = shownPath(inputs.tree.root);
    const mcollectiveDirectory = installedMcollective(fetched);
    const modes = modesByPath(params.overlayModes);
    const given = await overlayTree(inputs.tree.root, { mtime, variant, mcollectiveDirectory, modes });
    if (mcollectiveDirectory === undefined) dropPlugins(given);
    await addConfiguration(given, inputs.settings, mtime);
    await adaptToVariant(given, variant, needs.access?.passwordHash, directory);
    linkRubyLibrary(given, await readFile(needs.payload.rubyVersion, "utf8"), mtime);
    const accounts = await textOf(inputs.accounts);
    const owners = parseOwnerList((await textOf(inputs.owners)) ?? "", ownersFile);
    const edits = await textOf(inputs.edits);
    const coreFiles =
      accounts === undefined && edits === undefined && owners.length === 0
        ? new FileTree()
        : await readCore(needs.iso, path.join(scratch, "core"));
    if (edits !== undefined) await applyEdits(given, coreFiles, await readEditList(edits, editsFile), mtime);
    if (accounts !== undefined) {
      await addAccounts(given, await readAccountList(accounts, accountsFile), {
        ...{ core: coreFiles, variant, mtime },
        has: (name) => [given, core, fetched].some((tree) => tree.has(name)),
      });
    }
    if (variant === "prod") await refusePasswords(given, directory);
    addDevices(given, owners, mtime);
    given.ensureParents({ mtime });
    const lower = nameLayers({ "Core's initrd": core, "the payload": fetched, "the setup files": setup });
    const { before, layer: tree } = fixUpLayer(lower.stack, given);
    inheritDirectories(tree, core);
    inheritDirectories(before, core);
    const owned = await applyOwners(tree, owners, coreFiles);
    const unnamed = new Map([...modes].filter(([name]) => !owned.has(name)));
    // Files of an old project keep theirs.
    const lost = isOldProject(inputs.tree.root)
      ? undefined
      : describeLostModes((name) => tree.get(name) ?? given.get(name), unnamed, directory);
    if (lost !== undefined) note(lost);
    refuseClashes(tree, directory, fetched, "what the build fetches");
    refuseClashes(setup, "the setup files", tree, directory);
    await writeOverlayLayer(
      { before, tree, variant, layered: params.layout === "layered" },
      lower,
      { "the version": versionTree("", mtime, core) },
      outputs,
      { note, signal },
    );
  },
});

/** Renders the configuration, unless the overlay has its own, or no Microkernel; `settings` is absolute. */
async function addConfiguration(tree: FileTree, settings: string, mtime: number): Promise<void> {
  if (tree.has(configuration.path) || !tree.has(configuration.reader)) return;
  const text = (await textOf(settings)) ?? "";
  tree.addFile(configuration.path, bytesContent(await microkernelConfiguration(text, settingsFile)), {
    mtime,
  });
}

/** The text of an optional input (absolute path). */
async function textOf(input: string): Promise<string | undefined> {
  return await readFile(input, "utf8").catch((error: unknown) => {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  });
}
