/**
 * What sets services up beside overlay-src: MCollective's settings, and in dev and debug ssh's. Packed apart, since it
 * holds secrets and no edit of a script touches it.
 */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { file, inVariants, only, out, task } from "../src/engine/index.ts";
import { UserError } from "../src/errors/index.ts";
import { bytesContent, FileTree, treeFromTarball, writeLayer, writeTarball } from "../src/formats/index.ts";
import { devAccess } from "./dev-access.ts";
import { fetchIso } from "./fetch-iso.ts";
import { inheritFolders } from "./image/image-tree.ts";
import { serverConfiguration } from "./image/mcollective.ts";
import { readListing, writeListing } from "./image/tree-listing.ts";
import { payload } from "./payload.ts";
import { epoch, mcollectivePassword, mcollectivePsk } from "./settings/options.ts";

export const setupFiles = task({
  name: "setup-files",
  description: "Pack what sets up MCollective and ssh",
  internal: true,
  needs: {
    iso: only(fetchIso, "listing"),
    payload: only(payload, "layerListing"),
    access: inVariants(["dev", "debug"], devAccess),
  },
  inputs: { mcollective: file("lists/mcollective.yaml") },
  params: { epoch, mcollectivePassword, mcollectivePsk },
  outputs: {
    mcollectiveSetup: out.file("mcollective-setup-files.tar.gz"),
    /** A gzipped cpio archive of all. */
    layer: out.file("setup.cpio.gz"),
    listing: out.file("setup.json"),
  },
  async run({ needs, inputs, params, outputs, scratch, signal }) {
    const mtime = Number(params.epoch);
    const core = await readListing(needs.iso.listing);
    const beneath = await readListing(needs.payload.layerListing);
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

    const layer = mcollective.clone();
    if (needs.access !== undefined) {
      const access = await treeFromTarball(needs.access.setup, path.join(scratch, "access"));
      layer.addTree(inheritFolders(access, core));
    }
    await writeLayer(layer, outputs.layer, { signal });
    await writeListing(layer, outputs.listing);
  },
});

async function readSettings(text: string) {
  const { parse } = await import("yaml");
  const where = "lists/mcollective.yaml";
  const settings = (parse(text) ?? {}) as Readonly<Record<string, unknown>>;
  const word = (key: string): string => {
    const value = settings[key];
    if (typeof value === "string" && /^[\x21-\x7e]+$/.test(value)) return value;
    throw new UserError(`"${key}" is missing or not a word`, {
      code: "mcollective-settings",
      where,
      hint: "write it as KEY: value, without blanks",
    });
  };
  const { port } = settings;
  if (typeof port !== "number" || !Number.isInteger(port) || port < 1 || port > 65535) {
    throw new UserError('"port" is not a port number', {
      code: "mcollective-settings",
      where,
      hint: "write a whole number from 1 to 65535",
    });
  }
  return {
    host: word("host"),
    port,
    user: word("user"),
    collective: word("collective"),
    logLevel: word("log_level"),
  };
}
