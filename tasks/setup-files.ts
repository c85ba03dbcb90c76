/**
 * What sets services up beside overlay-src: MCollective's settings, and in dev and debug ssh's. Packed apart, since it
 * holds secrets and no edit of a script touches it.
 */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { file, files, inVariants, only, out, task } from "../src/engine/index.ts";
import { systemErrorCode, UserError } from "../src/errors/index.ts";
import {
  bytesContent,
  FileTree,
  noLimits,
  treeFromTarball,
  writeLayer,
  writeTarball,
} from "../src/formats/index.ts";
import { devAccess } from "./dev-access.ts";
import { fetchIso } from "./fetch-iso.ts";
import { inheritDirectories, normalizeOwners, recordedModes, refuseClashes } from "./image/image-tree.ts";
import { writeLinkedFiles } from "./image/linked-files.ts";
import { installedMcollective, serverConfiguration } from "./image/mcollective.ts";
import { readListing, writeListing } from "./image/tree-listing.ts";
import { payload } from "./payload.ts";
import { mcollectivePassword, mcollectivePsk } from "./settings/access-options.ts";
import { limitParams, limitsOf } from "./settings/limit-options.ts";
import { setupDirectory } from "./settings/project-options.ts";
import { undated } from "./settings/undated.ts";

const settingsFile = "lists/mcollective.yaml";

/** Their names in a bundle, and in an old project that has its own. */
const tarballs = { mcollective: "mcollective-setup-files.tar.gz", ssh: "ssh-setup-files.tar.gz" } as const;

export const setupFiles = task({
  name: "setup-files",
  description: "Pack the setup files of MCollective and ssh",
  internal: true,
  needs: {
    iso: only(fetchIso, "listing"),
    payload: only(payload, "layerListing"),
    access: inVariants(["dev", "debug"], devAccess),
  },
  inputs: {
    mcollective: file(settingsFile, { optional: true }),
    own: files(Object.values(tarballs), { root: setupDirectory, optional: true }),
  },
  params: { mcollectivePassword, mcollectivePsk, ...limitParams },
  outputs: {
    /** A tarball for each service that the image has. */
    setups: out.directory("setups", { private: true }),
    /** A gzipped cpio archive of all. */
    layer: out.file("setup.cpio.gz", { private: true }),
    listing: out.file("setup.json"),
    /** What tables of libraries and modules depend on. */
    linked: out.file("linked.cpio"),
  },
  async run({ needs, inputs, params, outputs, scratch, signal }) {
    const mtime = undated;
    const core = await readListing(needs.iso.listing);
    const beneath = await readListing(needs.payload.layerListing);
    /** An old project's own setup tarball, with our owners and its files' modes. */
    const own = async (name: string): Promise<FileTree | undefined> => {
      if (!inputs.own.paths.includes(name)) return undefined;
      const tree = await treeFromTarball(path.join(inputs.own.root, name), path.join(scratch, name), {
        ...limitsOf(params),
        // Tiny Core loads extensions below /tmp/tcloop and links their files from there: links in the image are data.
        links: "image",
      });
      for (const [at, node] of tree) tree.set(at, { ...node, mtime });
      tree.delete(".");
      return normalizeOwners(tree, recordedModes).ensureParents({ mtime });
    };
    const layer = new FileTree();
    const place = async (name: string, tree: FileTree): Promise<void> => {
      refuseClashes(tree, name, layer, tarballs.mcollective);
      layer.addTree(inheritDirectories(tree, core));
      await writeTarball(tree, path.join(outputs.setups, name), { signal });
    };
    if (installedMcollective(beneath) !== undefined) {
      const settings = await readSettings(await settingsText(inputs.mcollective));
      const { mcollectivePassword: password, mcollectivePsk: psk } = params;
      const text = serverConfiguration({ ...settings, password, psk });
      const ours = new FileTree()
        .addFile("usr/local/etc/mcollective/server.cfg", bytesContent(text), { mtime, mode: 0o600 })
        .ensureParents({ mtime });
      await place(tarballs.mcollective, (await own(tarballs.mcollective)) ?? ours);
    }
    if (needs.access !== undefined) {
      const ours = await treeFromTarball(needs.access.setup, path.join(scratch, "access"), noLimits);
      await place(tarballs.ssh, (await own(tarballs.ssh)) ?? ours);
    }
    await writeLayer(layer, outputs.layer, { signal });
    await writeListing(layer, outputs.listing);
    await writeLinkedFiles(layer, outputs.linked, signal);
  },
});

/** A project without MCollective needs no settings of it; one with it does. */
async function settingsText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    if (systemErrorCode(cause) !== "ENOENT") throw cause;
    throw new UserError("the image has MCollective, and its settings are missing", {
      code: "mcollective-settings",
      where: settingsFile,
      hint: "write the file, or leave MCollective out: --mcollective-url none",
      cause,
    });
  }
}

async function readSettings(text: string) {
  const { parse } = await import("yaml");
  const where = settingsFile;
  const settings = (parse(text) ?? {}) as Readonly<Record<string, unknown>>;
  const word = (key: string): string => {
    const value = settings[key];
    if (typeof value === "string" && /^[\x21-\x7e]+$/.test(value)) return value;
    throw new UserError(`"${key}" must be one word`, {
      code: "mcollective-settings",
      where,
      hint: "write it as KEY: value, without blanks in the value",
    });
  };
  const { port } = settings;
  if (typeof port !== "number" || !Number.isInteger(port) || port < 1 || port > 65535) {
    throw new UserError('"port" is not a port number', {
      code: "mcollective-settings",
      where,
      hint: "write an integer from 1 to 65535",
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
