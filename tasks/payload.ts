/**
 * The large part of the image that an edit does not touch: extensions, gems, extracted tools, extras. Packed once, each
 * extension by itself, so that another list or pin packs again only what it changes.
 */
import { readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { out, task } from "../src/engine/index.ts";
import { FileTree, treeFromDirectory, treeFromTarball, writeTarball } from "../src/formats/index.ts";
import { extractUtilLinux } from "./extract-util-linux.ts";
import { fetchExtras } from "./fetch-extras.ts";
import { fetchGems } from "./fetch-gems.ts";
import { fetchIso } from "./fetch-iso.ts";
import { fetchTcz } from "./fetch-tcz.ts";
import { readTimes } from "./image/fetched-times.ts";
import { gemMirror, gemMirrorTree } from "./image/gem-mirror.ts";
import {
  imagePolicy,
  inheritDirectories,
  normalizeOwners,
  recordedModes,
  relativeModuleLinks,
} from "./image/image-tree.ts";
import { installGems } from "./image/installed-gems.ts";
import { writeLinkedFiles } from "./image/linked-files.ts";
import { mcollectiveTree } from "./image/mcollective.ts";
import { packerFor, packMembers, splitMembers } from "./image/members.ts";
import { findRuby } from "./image/ruby-library.ts";
import { readListing, writeListing } from "./image/tree-listing.ts";
import { compress } from "./settings/image-options.ts";
import { limitParams, limitsOf } from "./settings/limit-options.ts";
import { hasGemMirror } from "./settings/project-options.ts";
import { undated } from "./settings/undated.ts";

export const payload = task({
  name: "payload",
  description: "Pack extensions, gems and extras as a layer",
  internal: true,
  needs: { iso: fetchIso, tcz: fetchTcz, gems: fetchGems, extras: fetchExtras, utilLinux: extractUtilLinux },
  params: { compress, hasGemMirror, ...limitParams },
  tools: ["unsquashfs"],
  optionalTools: packerFor("needed"),
  outputs: {
    /** Cpio archives, plain and gzipped: one for each extension, one for the gems, and so on. */
    layer: out.file("payload.cpio.gz"),
    layerListing: out.file("layer.json"),
    /** What tables of libraries and modules depend on. */
    linked: out.file("linked.cpio"),
    /** The version in the path of Ruby's libraries; empty without a Ruby in Tiny Core's place. */
    rubyVersion: out.file("ruby-version"),
    /** All but open-vm-tools. */
    tarballListing: out.file("tarball.json"),
    /** open-vm-tools with the image's owners and its files' modes; empty where it is switched off. */
    openVmTools: out.directory("open-vm-tools"),
  },
  async run(context) {
    const { needs, params, outputs, scratch } = context;
    const limits = limitsOf(params);
    // Directories and links that are made here have no time of their own.
    const mtime = undated;
    const extensionTime = await readTimes(needs.tcz.times);
    const gemTime = await readTimes(needs.gems.times);
    const extraTime = await readTimes(needs.extras.times);
    const extras = await readdir(needs.extras.extras);
    const extra = (start: string): string | undefined => {
      const name = extras.find((candidate) => candidate.startsWith(start));
      return name === undefined ? undefined : path.join(needs.extras.extras, name);
    };
    const optional = path.join(needs.tcz.builtin, "optional");
    const ruby = await findRuby(context.$, optional);
    await writeFile(outputs.rubyVersion, ruby?.inPlace === true ? ruby.version : "");
    const tree = new FileTree();
    /** `timeOf` gives the time of a file by its path in the directory. */
    const place = async (
      directory: string,
      target: string,
      timeOf: (name: string) => number,
    ): Promise<void> => {
      const policy: typeof imagePolicy = (name, entry) =>
        imagePolicy(target === "" ? name : `${target}/${name}`, entry);
      const found = await treeFromDirectory(directory, { mtime, policy });
      for (const [name, node] of found) {
        if (node.type !== "directory") found.set(name, { ...node, mtime: timeOf(name) });
      }
      tree.addTree(found, target === "" ? undefined : target);
    };

    await place(needs.tcz.builtin, "tmp/builtin", (name) => extensionTime(`builtin/${name}`));
    await place(needs.tcz.mirror, "tmp/tinycorelinux", (name) => extensionTime(`mirror/${name}`));
    await place(needs.gems.gems, "opt/gems", gemTime);
    const unpacked = path.join(scratch, "gems");
    const installed = await installGems(needs.gems.gems, ruby, {
      scratch: unpacked,
      limits,
      mtime,
      timeOf: gemTime,
    });
    tree.addTree(installed.tree);
    for (const [gem, why] of installed.left) context.note(`${gem} is installed at each boot: ${why}`);
    if (params.hasGemMirror) {
      const mirror = await gemMirrorTree(needs.gems.gems, { mtime, timeOf: gemTime });
      tree.addTree(mirror.tree);
      for (const [gem, why] of mirror.left)
        context.note(`${gem} is not in the index of ${gemMirror}: ${why}`);
    }
    await place(needs.utilLinux.tree, "", () => extensionTime("util-linux.tcz"));
    const rubygems = extra("rubygems-");
    if (rubygems !== undefined) {
      const only = path.basename(rubygems);
      const found = await treeFromDirectory(needs.extras.extras, {
        mtime: extraTime(only),
        filter: (name) => name === only,
      });
      tree.addTree(found, "opt");
    }
    const mcollective = extra("mcollective-");
    if (mcollective !== undefined) {
      const time = extraTime(path.basename(mcollective));
      tree.addTree(await mcollectiveTree(mcollective, path.join(scratch, "mcollective"), time, limits));
    }
    tree.addSymlink("usr/sbin/dmidecode", "/usr/local/sbin/dmidecode", { mtime });
    const core = await readListing(needs.iso.listing);
    tree.addTree(relativeModuleLinks(core, mtime));
    tree.ensureParents({ mtime });
    inheritDirectories(normalizeOwners(tree), core);
    await writeListing(tree, outputs.tarballListing);

    // open-vm-tools has a tarball of its own in the bundle: only the initrd's layer holds it.
    const whole = tree.clone();
    const openVmTools = extra("mk-open-vm-tools");
    if (openVmTools !== undefined) {
      const found = await treeFromTarball(openVmTools, path.join(scratch, "open-vm-tools"), {
        ...limits,
        links: "image",
        label: path.basename(openVmTools),
      });
      const time = extraTime(path.basename(openVmTools));
      for (const [name, node] of normalizeOwners(found, recordedModes)) {
        if (name !== ".") whole.set(name, { ...node, mtime: node.type === "directory" ? mtime : time });
      }
      inheritDirectories(whole.ensureParents({ mtime }), core);
      const tools = new FileTree([...whole].filter(([name]) => found.has(name))).ensureParents({ mtime });
      await writeTarball(
        inheritDirectories(tools, core),
        path.join(outputs.openVmTools, "mk-open-vm-tools.tar.gz"),
      );
    }
    const members = splitMembers(whole, (name) => (tree.has(name) ? memberOf(name) : "open-vm-tools"));
    await context.join(outputs.layer, await packMembers(members, params.compress, context));
    await writeListing(whole, outputs.layerListing);
    await writeLinkedFiles(whole, outputs.linked, context.signal);
  },
});

/** What is packed together: an extension with its lists and sums, the gems, what is extracted or added. */
function memberOf(name: string): string {
  const extension = /^tmp\/(builtin\/optional|tinycorelinux\/.*)\/([^/]+\.tcz)(\.[^/]+)?$/.exec(name);
  if (extension !== null) return `${extension[1]} ${extension[2]}`;
  if (/^(opt\/gems|tmp\/gem-mirror|usr\/local\/lib\/ruby\/gems)\//.test(name)) return "gems";
  return /^(opt\/|usr\/local\/tce\.installed\/)/.test(name) ? "extras" : "rest";
}
