/**
 * The large part of the image that an edit does not touch: extensions, gems, extracted tools, extras. Packed once, as a
 * layer of the initrd and as the beginning of the overlay's tarball.
 */
import { readdir } from "node:fs/promises";
import path from "node:path";
import { out, task } from "../src/engine/index.ts";
import {
  FileTree,
  treeFromDirectory,
  treeFromTarball,
  writeLayer,
  writeTarball,
} from "../src/formats/index.ts";
import { extractUtilLinux } from "./extract-util-linux.ts";
import { fetchExtras } from "./fetch-extras.ts";
import { fetchGems } from "./fetch-gems.ts";
import { fetchIso } from "./fetch-iso.ts";
import { fetchTcz } from "./fetch-tcz.ts";
import { imagePolicy, inheritFolders, settleOwners } from "./image/image-tree.ts";
import { mcollectiveTree } from "./image/mcollective.ts";
import { readListing, writeListing } from "./image/tree-listing.ts";
import { epoch } from "./settings/options.ts";

/** What is packed here is compressed already: more effort would gain next to nothing. */
const level = 1;

export const payload = task({
  name: "payload",
  description: "Pack extensions, gems and extras, once for many edits",
  internal: true,
  needs: { iso: fetchIso, tcz: fetchTcz, gems: fetchGems, extras: fetchExtras, utilLinux: extractUtilLinux },
  params: { epoch },
  outputs: {
    /** A gzipped cpio archive. */
    layer: out.file("payload.cpio.gz"),
    /** A gzipped tar archive without its end. */
    tarball: out.file("payload.tar.gz"),
    layerListing: out.file("layer.json"),
    tarballListing: out.file("tarball.json"),
    /** open-vm-tools with the image's owners and modes; empty where it is switched off. */
    openVmTools: out.directory("open-vm-tools"),
  },
  async run({ needs, params, outputs, scratch, signal }) {
    const mtime = Number(params.epoch);
    const extras = await readdir(needs.extras.extras);
    const extra = (start: string): string | undefined => {
      const name = extras.find((candidate) => candidate.startsWith(start));
      return name === undefined ? undefined : path.join(needs.extras.extras, name);
    };
    const place = async (folder: string, target: string, into: FileTree): Promise<void> => {
      const policy: typeof imagePolicy = (name, entry) =>
        imagePolicy(target === "" ? name : `${target}/${name}`, entry);
      into.addTree(await treeFromDirectory(folder, { mtime, policy }), target === "" ? undefined : target);
    };

    const tree = new FileTree();
    await place(needs.tcz.builtin, "tmp/builtin", tree);
    await place(needs.tcz.mirror, "tmp/tinycorelinux", tree);
    await place(needs.gems.gems, "opt/gems", tree);
    await place(needs.utilLinux.tree, "", tree);
    const rubygems = extra("rubygems-");
    if (rubygems !== undefined) {
      const only = path.basename(rubygems);
      const found = await treeFromDirectory(needs.extras.extras, { mtime, filter: (name) => name === only });
      tree.addTree(found, "opt");
    }
    const mcollective = extra("mcollective-");
    if (mcollective !== undefined) {
      tree.addTree(await mcollectiveTree(mcollective, path.join(scratch, "mcollective"), mtime));
    }
    tree.addSymlink("usr/sbin/dmidecode", "/usr/local/sbin/dmidecode", { mtime });
    tree.ensureParents({ mtime });
    const core = await readListing(needs.iso.listing);
    inheritFolders(settleOwners(tree), core);
    await writeTarball(tree, outputs.tarball, { level, signal, end: false });
    await writeListing(tree, outputs.tarballListing);

    // open-vm-tools has a tarball of its own in the bundle: only the initrd's layer holds it.
    const whole = tree.clone();
    const openVmTools = extra("mk-open-vm-tools");
    if (openVmTools !== undefined) {
      const found = await treeFromTarball(openVmTools, path.join(scratch, "open-vm-tools"), {
        links: "image",
      });
      for (const [name, node] of settleOwners(found)) if (name !== ".") whole.set(name, { ...node, mtime });
      inheritFolders(whole.ensureParents({ mtime }), core);
      const tools = new FileTree([...whole].filter(([name]) => found.has(name))).ensureParents({ mtime });
      await writeTarball(
        inheritFolders(tools, core),
        path.join(outputs.openVmTools, "mk-open-vm-tools.tar.gz"),
      );
    }
    await writeLayer(whole, outputs.layer, { level, signal });
    await writeListing(whole, outputs.layerListing);
  },
});
