/**
 * A bundle taken apart: Core's ISO, and one layer with what its scripts would put over Core's root. Bundles of the old
 * scripts have the same layout; owners and modes are by rule, whatever they recorded.
 */
import { createWriteStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { file, out, task } from "../src/engine/index.ts";
import { UserError } from "../src/errors/index.ts";
import {
  describeProblem,
  type FileTree,
  mendLayer,
  mergeLayers,
  treeFromTarball,
  writeLayers,
} from "../src/formats/index.ts";
import { openCoreIso } from "./image/core-iso.ts";
import { inheritFolders, settleOwners } from "./image/image-tree.ts";
import { findTrap } from "./image/layout.ts";
import { readListing } from "./image/tree-listing.ts";
import { versionTree } from "./image/version-tree.ts";
import { overlayMember, readBundleFacts } from "./settings/bundle-facts.ts";
import { bundleFile } from "./settings/image-options.ts";

/** Nearly all of it is compressed already. */
const level = 1;

export const unpackBundle = task({
  name: "unpack-bundle",
  description: "Take a bundle apart: Core's ISO, and the image's files as one layer",
  internal: true,
  variants: "shared",
  inputs: { bundle: file(bundleFile) },
  tools: ["xorriso"],
  outputs: {
    iso: out.file("Core-current.iso"),
    boot: out.directory("boot"),
    core: out.file("core.json"),
    listing: out.file("initrd.json"),
    layer: out.file("image.cpio.gz"),
    /** Empty, or one sentence: what the kernel would not make of the layer as it is meant. */
    trap: out.file("trap"),
    /** GRUB's files and the MBR's code; old bundles have none. */
    loaders: out.directory("loaders"),
    /** COPYING and LICENSE, as far as the bundle has them. */
    texts: out.directory("texts"),
  },
  async run({ $, inputs, outputs, scratch, signal }) {
    // What a bundle holds has the bundle's own time, as in the image that its scripts make.
    const { epoch: mtime } = await readBundleFacts(inputs.bundle);
    const bundle = await treeFromTarball(inputs.bundle, path.join(scratch, "bundle"));
    await copyOut(bundle, coreIso(bundle, inputs.bundle), outputs.iso);
    for (const text of ["COPYING", "LICENSE"]) {
      if (bundle.get(text)?.type === "file") await copyOut(bundle, text, path.join(outputs.texts, text));
    }
    for (const name of bundle.paths().filter((one) => /^loaders\/[^/]+$/.test(one))) {
      await copyOut(bundle, name, path.join(outputs.loaders, path.basename(name)));
    }
    await openCoreIso($, outputs.iso, inputs.bundle, outputs, path.join(scratch, "core"));
    const image = await imageOf(bundle, inputs.bundle, path.join(scratch, "image"));
    for (const [name, node] of image) image.set(name, { ...node, mtime });
    const core = await readListing(outputs.listing);
    const { before, layer } = mendLayer([core], image.ensureParents({ mtime }));
    inheritFolders(before, core);
    inheritFolders(layer, core);
    await writeLayers(before.size === 0 ? [layer] : [before, layer], outputs.layer, { level, signal });
    const trap = findTrap([
      ["Core's initrd", core],
      ["what the bundle removes first", before],
      ["the bundle's image", layer],
      ["the version", versionTree("", mtime, core)],
    ]);
    await writeFile(outputs.trap, trap ?? "");
  },
});

/** The one ISO at the top: the old scripts gave it the name that it had on the mirror. */
function coreIso(bundle: FileTree, where: string): string {
  const found = bundle.paths().filter((name) => /^[^/]+\.iso$/i.test(name));
  const [iso] = found;
  if (iso !== undefined && found.length === 1) return iso;
  throw new UserError(
    iso === undefined ? "the bundle has no Core ISO" : `the bundle has several ISOs: ${found.join(", ")}`,
    { code: "not-a-bundle", where, hint: "a bundle has one at its top, Core-current.iso" },
  );
}

/** What lies in `dependencies/`, one tarball over the other in the order of their names, as the scripts unpack them. */
async function imageOf(bundle: FileTree, where: string, scratch: string): Promise<FileTree> {
  const names = bundle.paths().filter((name) => /^dependencies\/[^/]+\.(tar\.gz|tgz)$/.test(name));
  if (!names.includes(overlayMember)) {
    throw new UserError(`the bundle has no ${overlayMember}`, {
      code: "not-a-bundle",
      where,
      hint: "name a bundle, or make it anew",
    });
  }
  const trees: FileTree[] = [];
  for (const name of names) {
    const tarball = path.join(scratch, path.basename(name));
    await copyOut(bundle, name, tarball);
    const tree = await treeFromTarball(tarball, `${tarball}.content`, { links: "image" });
    tree.delete(".");
    trees.push(settleOwners(tree));
  }
  const { tree, problems } = mergeLayers(trees);
  const serious = problems.find(({ kind }) => kind !== "directory-changed");
  if (serious === undefined) return tree;
  throw new UserError(
    `the bundle's tarballs do not lie well on one another: ${describeProblem(serious, (layer) => names[layer] ?? "")}`,
    { code: "layer-trap", where, hint: "make the bundle anew" },
  );
}

async function copyOut(tree: FileTree, name: string, to: string): Promise<void> {
  await mkdir(path.dirname(to), { recursive: true });
  await pipeline(tree.stream(name), createWriteStream(to));
}
