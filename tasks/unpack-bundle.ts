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
  contentSize,
  defaultLimits,
  describeProblem,
  FileTree,
  fixUpLayer,
  mergeLayers,
  parentOf,
  treeFromTarball,
  type UnpackLimits,
  writeLayers,
} from "../src/formats/index.ts";
import { openCoreIso } from "./image/core-iso.ts";
import { inheritDirectories, normalizeOwners, relativeModuleLinks } from "./image/image-tree.ts";
import { findConflict, nameLayers } from "./image/layout.ts";
import { writeLinkedFiles } from "./image/linked-files.ts";
import { bundledReadme } from "./image/readme.ts";
import { readListing } from "./image/tree-listing.ts";
import { findPassword } from "./image/variant.ts";
import { versionTree } from "./image/version-tree.ts";
import { overlayMember, readBundleFacts } from "./settings/bundle-facts.ts";
import { bundleFile } from "./settings/image-options.ts";
import { limitParams, limitsOf } from "./settings/limit-options.ts";

/** Nearly all of it is compressed already. */
const level = 1;

export const unpackBundle = task({
  name: "unpack-bundle",
  description: "Unpack a bundle into Core's ISO and one layer of files",
  internal: true,
  variants: "shared",
  inputs: { bundle: file(bundleFile) },
  params: limitParams,
  outputs: {
    iso: out.file("Core-current.iso"),
    boot: out.directory("boot"),
    core: out.file("core.json"),
    listing: out.file("initrd.json"),
    layer: out.file("image.cpio.gz"),
    /** What tables of libraries and modules depend on; nothing for a bundle of ours, which has its tables. */
    linked: out.file("linked.cpio"),
    /** Empty, or the first account with a password, in words. */
    password: out.file("password"),
    /** Empty, or one sentence: what the kernel would not make of the layer as it is meant. */
    conflict: out.file("conflict"),
    /** GRUB's files and the MBR's code; old bundles have none. */
    loaders: out.directory("loaders"),
    /** COPYING, LICENSE and README without its version, as far as the bundle has them. */
    texts: out.directory("texts"),
  },
  async run({ inputs, params, outputs, scratch, signal, note }) {
    const limits = limitsOf(params);
    await takeBundleApart(inputs.bundle, outputs, { scratch, signal, limits, note });
  },
});

/** Where the parts of a bundle go; absolute paths, named as the task's outputs. */
type BundlePlaces = Readonly<
  Record<
    "iso" | "boot" | "core" | "listing" | "layer" | "linked" | "password" | "conflict" | "loaders" | "texts",
    string
  >
>;

/**
 * Takes the bundle at `file` (absolute) apart. `scratch` is an existing directory. Throws a `UserError` for what is no bundle, or holds anything that an image cannot.
 */
export async function takeBundleApart(
  file: string,
  places: BundlePlaces,
  {
    scratch,
    limits,
    signal,
    note,
  }: {
    readonly scratch: string;
    readonly limits: UnpackLimits;
    readonly signal: AbortSignal;
    readonly note: (message: string) => void;
  },
): Promise<void> {
  // What a bundle holds has the bundle's own time, as in the image that its scripts make.
  const { epoch: mtime, oldTarballs } = await readBundleFacts(file, limits);
  const bundle = await treeFromTarball(file, path.join(scratch, "bundle"), limits);
  await copyOut(bundle, coreIso(bundle, file), places.iso);
  for (const text of ["COPYING", "LICENSE", bundledReadme]) {
    if (bundle.get(text)?.type === "file") await copyOut(bundle, text, path.join(places.texts, text));
  }
  for (const name of bundle.paths().filter((one) => /^loaders\/[^/]+$/.test(one))) {
    await copyOut(bundle, name, path.join(places.loaders, path.basename(name)));
  }
  await openCoreIso(places.iso, file, places, { scratch: path.join(scratch, "core"), limits });
  const core = await readListing(places.listing);
  const { names, unused } = tarballsOf(bundle, file, oldTarballs);
  if (unused.length > 0)
    note(`the bundle's scripts do not unpack ${unused.join(", ")}: the image has nothing of it`);
  const image = await imageOf(
    bundle,
    names,
    core,
    { where: file, scratch: path.join(scratch, "image") },
    limits,
  );
  // The old script made these links relative, too.
  if (oldTarballs !== undefined)
    for (const [name, link] of relativeModuleLinks(core, mtime)) if (!image.has(name)) image.set(name, link);
  for (const [name, node] of image) image.set(name, { ...node, mtime });
  const lower = nameLayers({ "Core's initrd": core });
  const { before, layer } = fixUpLayer(lower.stack, image.ensureParents({ mtime }));
  inheritDirectories(before, core);
  inheritDirectories(layer, core);
  await writeLayers(before.size === 0 ? [layer] : [before, layer], places.layer, { level, signal });
  await writeLinkedFiles(oldTarballs === undefined ? new FileTree() : layer, places.linked, signal);
  await writeFile(places.password, (await findPassword(layer)) ?? "");
  const ours = { "what the bundle removes first": before, "the bundle's image": layer };
  const upper = { "the version": versionTree("", mtime, core) };
  const conflict = findConflict(nameLayers({ ...ours, ...upper }, lower));
  await writeFile(places.conflict, conflict ?? "");
}

/** The one ISO at the top: the old scripts gave it the name that it had on the mirror. */
function coreIso(bundle: FileTree, where: string): string {
  const found = bundle.paths().filter((name) => /^[^/]+\.iso$/i.test(name));
  const [iso] = found;
  if (iso !== undefined && found.length === 1) return iso;
  throw new UserError(
    iso === undefined ? "the bundle has no Core ISO" : `the bundle has several ISOs: ${found.join(", ")}`,
    { code: "not-a-bundle", where, hint: "a bundle has exactly one ISO at its top, Core-current.iso" },
  );
}

/**
 * The tarballs that the bundle's scripts unpack, in their order, and those that they leave; paths in the bundle at `where`. Ours unpack
 * all in the order of their names.
 */
function tarballsOf(
  bundle: FileTree,
  where: string,
  oldTarballs: readonly string[] | undefined,
): { readonly names: readonly string[]; readonly unused: readonly string[] } {
  const found = bundle.paths().filter((name) => /^dependencies\/[^/]+\.(tar\.gz|tgz)$/.test(name));
  if (!found.includes(overlayMember)) {
    throw new UserError(`the bundle has no ${overlayMember}`, {
      code: "not-a-bundle",
      where,
      hint: "name a bundle, or build it again",
    });
  }
  if (oldTarballs === undefined) return { names: found, unused: [] };
  const names = oldTarballs.map((name) => `dependencies/${name}`).filter((name) => found.includes(name));
  return { names, unused: found.filter((name) => !names.includes(name)) };
}

/**
 * Merges these tarballs of the bundle, a later one over an earlier one. `core` is the tree below; together they may unpack to no more
 * than one archive may.
 */
async function imageOf(
  bundle: FileTree,
  names: readonly string[],
  core: FileTree,
  { where, scratch }: { readonly where: string; readonly scratch: string },
  limits: UnpackLimits,
): Promise<FileTree> {
  const trees: FileTree[] = [];
  let { maxBytes: left } = { ...defaultLimits, ...limits };
  for (const name of names) {
    const tarball = path.join(scratch, path.basename(name));
    await copyOut(bundle, name, tarball);
    const tree = await treeFromTarball(tarball, `${tarball}.content`, {
      ...limits,
      maxBytes: left,
      links: "image",
      label: `${where}: ${name}`,
    });
    left = Math.max(0, left - bytesIn(tree));
    tree.delete(".");
    addParents(tree, mergeLayers(trees).tree, core);
    trees.push(normalizeOwners(tree));
  }
  const { tree, problems } = mergeLayers(trees);
  const serious = problems.find(({ kind }) => kind !== "directory-changed");
  if (serious === undefined) return tree;
  throw new UserError(
    `the bundle's tarballs conflict: ${describeProblem(serious, (layer) => names[layer] ?? "")}`,
    { code: "layer-conflict", where, hint: "build the bundle again" },
  );
}

/** Bytes of all contents; those of a hard-linked file count once. */
function bytesIn(tree: FileTree): number {
  const groups = new Set<string>();
  let total = 0;
  for (const [, node] of tree) {
    if (node.type !== "file") continue;
    if (node.linkGroup !== undefined && groups.has(node.linkGroup)) continue;
    if (node.linkGroup !== undefined) groups.add(node.linkGroup);
    total += contentSize(node.content);
  }
  return total;
}

/**
 * Adds missing parent directories, as tar does, except where a lower tarball has an entry; Core's directories keep their
 * metadata.
 */
function addParents(tree: FileTree, lower: FileTree, core: FileTree): void {
  for (const name of tree.paths()) {
    for (let at = parentOf(name); at !== undefined && !tree.has(at); at = parentOf(at)) {
      if (lower.has(at)) continue;
      const below = core.get(at);
      if (below?.type === "directory") tree.set(at, below);
      else tree.addDirectory(at, { mtime: 0 });
    }
  }
}

async function copyOut(tree: FileTree, name: string, to: string): Promise<void> {
  await mkdir(path.dirname(to), { recursive: true });
  await pipeline(tree.stream(name), createWriteStream(to, { flags: "wx" }));
}
