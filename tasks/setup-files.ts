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
import { availableConnectors, installedMcollective } from "./image/mcollective.ts";
import {
  chooseConnector,
  type McollectiveSecrets,
  readMcollectiveSettings,
  serverConfiguration,
} from "./image/mcollective-settings.ts";
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
  async run({ needs, inputs, params, outputs, scratch, variant, note, signal }) {
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
      const settings = await readMcollectiveSettings(await settingsText(inputs.mcollective), settingsFile);
      const connector = chooseConnector(settings, availableConnectors(beneath), settingsFile);
      const given = { password: params.mcollectivePassword, psk: params.mcollectivePsk };
      const secrets = variant === "prod" ? withoutSecrets(given, note) : given;
      const text = serverConfiguration(settings, secrets, connector);
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

/** Everyone who has a production image can read it, and its MCollective is not started. */
function withoutSecrets(given: McollectiveSecrets, note: (line: string) => void): McollectiveSecrets {
  if (given.password !== undefined || given.psk !== undefined) {
    note("MCollective is not started in a production image: its password and key are left out of server.cfg");
  }
  return { password: undefined, psk: undefined };
}
