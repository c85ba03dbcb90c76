/**
 * The overlay: what the user edits, made a layer of the initrd. This is the step that each edit takes, so it reads
 * overlay-src and next to nothing else.
 */

import { readFile } from "node:fs/promises";
import path from "node:path";
import { file, files, inVariants, only, out, task, whenText } from "../src/engine/index.ts";
import { systemErrorCode } from "../src/errors/index.ts";
import { bytesContent, FileTree, fixUpLayer } from "../src/formats/index.ts";
import { accountPasswords, drawsPasswords } from "./account-passwords.ts";
import { devAccess } from "./dev-access.ts";
import { editTools } from "./edit-tools.ts";
import { fetchIso } from "./fetch-iso.ts";
import { readAccountList } from "./image/account-list.ts";
import { addAccounts } from "./image/accounts.ts";
import { readCoreFacts } from "./image/core-facts.ts";
import { readCore } from "./image/core-tree.ts";
import { editsDirectory, readEditList } from "./image/edit-list.ts";
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
import { checkScripts } from "./image/part-faults.ts";
import { linkRubyLibrary } from "./image/ruby-library.ts";
import { readListing } from "./image/tree-listing.ts";
import { adaptToVariant, refusePasswords } from "./image/variant.ts";
import { versionTree } from "./image/version-tree.ts";
import { ownLayer } from "./own-layer.ts";
import { payload } from "./payload.ts";
import { accountsFile } from "./settings/account-options.ts";
import { editKinds, editsFile, substitutedVersion } from "./settings/edit-options.ts";
import { epoch, layout } from "./settings/image-options.ts";
import { isOldProject } from "./settings/old-project.ts";
import { emptyDirectories, modesByPath, overlayDirectory, overlayModes } from "./settings/project-options.ts";
import { shownPath } from "./settings/shown-path.ts";
import { setupFiles } from "./setup-files.ts";
import { takenExtensions, takesFiles } from "./taken-extensions.ts";

const settingsFile = "lists/microkernel.yaml";
const ownersFile = "lists/owners.lst";

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
    passwords: whenText([accountsFile], drawsPasswords, accountPasswords),
    taken: whenText([editsFile], takesFiles, takenExtensions),
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
    editFiles: files("**", { root: editsDirectory, optional: true }),
  },
  params: { epoch, layout, emptyDirectories, overlayModes, editKinds, substitutedVersion },
  optionalTools: ({ editKinds: kinds }) => ({
    patch: kinds.includes("patch") ? "needed" : "unused",
    unshare: kinds.some((kind) => kind !== "patch") ? "needed" : "unused",
  }),
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
  async run({ $, needs, inputs, params, outputs, variant, note, signal, scratch }) {
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
    let removed: readonly string[] = [];
    if (edits !== undefined) {
      const { initrd, kernelRelease } = await readCoreFacts(needs.iso.core);
      const tools = editTools({
        ...{
          $,
          scratch,
          directory: inputs.editFiles.root,
          taken: needs.taken?.extensions,
          mtime,
          kernelRelease,
        },
        isNarrow: initrd !== "corepure64.gz",
        values: { VERSION: params.substitutedVersion, VARIANT: variant, KERNEL: kernelRelease },
      });
      const image = { tree: given, core: coreFiles, between: fetched, mtime };
      removed = await applyEdits(image, await readEditList(edits, editsFile), tools);
    }
    if (accounts !== undefined) {
      await addAccounts(given, await readAccountList(accounts, accountsFile), {
        ...{ core: coreFiles, variant, mtime, hashes: await readHashes(needs.passwords?.hashes) },
        has: (name) => [given, core, fetched].some((tree) => tree.has(name)),
      });
    }
    if (variant === "prod") await refusePasswords(given, directory);
    await checkScripts(given, directory, note);
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
      { before, tree, removed, variant, layered: params.layout === "layered" },
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

/** The hashes in the output of `account-passwords` (absolute path); none without it. */
async function readHashes(file: string | undefined): Promise<Readonly<Record<string, string>>> {
  return file === undefined ? {} : (JSON.parse(await readFile(file, "utf8")) as Record<string, string>);
}

/** The text of an optional input (absolute path). */
async function textOf(input: string): Promise<string | undefined> {
  return await readFile(input, "utf8").catch((error: unknown) => {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw error;
  });
}
