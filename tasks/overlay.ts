/**
 * The overlay: everything that the project puts over Core's files. What is edited often (overlay-src, settings,
 * accounts) is packed here; the rest comes packed from the payload and is joined to it.
 */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { file, files, inVariants, out, task } from "../src/engine/index.ts";
import { UserError } from "../src/errors/index.ts";
import {
  bytesContent,
  FileTree,
  joinLayers,
  treeFromDirectory,
  treeFromTarball,
  writeLayer,
  writeTarball,
} from "../src/formats/index.ts";
import { devAccess } from "./dev-access.ts";
import { fetchIso } from "./fetch-iso.ts";
import { imagePolicy, inheritFolders, refuseClashes } from "./image/image-tree.ts";
import { serverConfiguration } from "./image/mcollective.ts";
import { readListing, writeListing } from "./image/tree-listing.ts";
import { adaptToVariant } from "./image/variant.ts";
import { payload } from "./payload.ts";
import { epoch, mcollectivePassword, mcollectivePsk } from "./settings/options.ts";

export const overlay = task({
  name: "overlay",
  description: "Stage the overlay and pack razor-microkernel-overlay.tar.gz",
  needs: { iso: fetchIso, payload, access: inVariants(["dev", "debug"], devAccess) },
  inputs: {
    tree: files("**", { root: "overlay-src" }),
    mcollective: file("lists/mcollective.yaml"),
  },
  params: { epoch, mcollectivePassword, mcollectivePsk },
  outputs: {
    tarball: out.file("razor-microkernel-overlay.tar.gz"),
    mcollectiveSetup: out.file("mcollective-setup-files.tar.gz"),
    /** The part that is edited, and the setup files, as a gzipped cpio archive. */
    layer: out.file("overlay.cpio.gz"),
    listing: out.file("overlay.json"),
  },
  async run({ needs, inputs, params, outputs, variant, scratch, signal }) {
    const mtime = Number(params.epoch);
    const core = await readListing(needs.iso.listing);
    const beneath = await readListing(needs.payload.layerListing);

    const tree = await treeFromDirectory(inputs.tree.root, { mtime, policy: imagePolicy });
    await adaptToVariant(tree, variant, needs.access?.passwordHash);
    inheritFolders(tree.ensureParents({ mtime }), core);
    refuseClashes(tree, "overlay-src", beneath, "what the build fetches");

    const part = path.join(scratch, "overlay.tar.gz");
    // A folder that the payload has made already stands in the tarball once.
    await writeTarball(without(tree, await readListing(needs.payload.tarballListing)), part, { signal });
    await joinLayers([needs.payload.tarball, part], outputs.tarball, { signal });

    const mcollective = new FileTree();
    if (beneath.has("usr/local/mcollective")) {
      const settings = await readSettings(await readFile(inputs.mcollective, "utf8"));
      const text = serverConfiguration({
        ...settings,
        password: params.mcollectivePassword,
        psk: params.mcollectivePsk,
      });
      mcollective
        .addFile("usr/local/etc/mcollective/server.cfg", bytesContent(text), { mtime, mode: 0o600 })
        .ensureParents({ mtime });
      inheritFolders(mcollective, core);
    }
    await writeTarball(mcollective, outputs.mcollectiveSetup, { signal });

    const layer = tree.clone();
    for (const setup of [mcollective, await accessTree(needs.access?.setup, scratch)]) {
      refuseClashes(setup, "the setup files", tree, "overlay-src");
      layer.addTree(inheritFolders(setup, core));
    }
    await writeLayer(layer, outputs.layer, { signal });
    await writeListing(layer, outputs.listing);
  },
});

async function accessTree(tarball: string | undefined, scratch: string): Promise<FileTree> {
  if (tarball === undefined) return new FileTree();
  return treeFromTarball(tarball, path.join(scratch, "access"));
}

function without(tree: FileTree, other: FileTree): FileTree {
  return new FileTree([...tree].filter(([name]) => !other.has(name)));
}

async function readSettings(text: string) {
  const { parse } = await import("yaml");
  const where = "lists/mcollective.yaml";
  const settings = (parse(text) ?? {}) as Readonly<Record<string, unknown>>;
  const word = (key: string): string => {
    const value = settings[key];
    if (typeof value === "string" && /^[\x21-\x7e]+$/.test(value)) return value;
    throw new UserError(`"${key}" is missing or not a word`, { code: "mcollective-settings", where });
  };
  const { port } = settings;
  if (typeof port !== "number" || !Number.isInteger(port) || port < 1 || port > 65535) {
    throw new UserError('"port" is not a port number', { code: "mcollective-settings", where });
  }
  return {
    host: word("host"),
    port,
    user: word("user"),
    collective: word("collective"),
    logLevel: word("log_level"),
  };
}
