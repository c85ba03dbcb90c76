/**
 * The bootable ISO: Core's initrd with the image's layers behind it, Core's boot files, and what the ISO says of itself.
 * Nothing that is packed already is packed again.
 */
import { constants, copyFile, cp, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { file, out, task } from "../src/engine/index.ts";
import { UserError } from "../src/errors/index.ts";
import {
  bytesContent,
  describeProblem,
  FileTree,
  type IsoBoot,
  joinLayers,
  mergeLayers,
  writeIso,
  writeLayer,
} from "../src/formats/index.ts";
import { bootLoaders } from "./boot-loaders.ts";
import { fetchIso } from "./fetch-iso.ts";
import { writeApplicationId } from "./image/application-id.ts";
import { adaptBootMenu } from "./image/boot-menu.ts";
import { readCoreFacts } from "./image/core-facts.ts";
import { inheritFolders } from "./image/image-tree.ts";
import { isoMetadata, versionFile, volumeId } from "./image/iso-metadata.ts";
import { readListing } from "./image/tree-listing.ts";
import { overlay } from "./overlay.ts";
import { payload } from "./payload.ts";
import { epoch, isoVersion } from "./settings/options.ts";

const applicationId = "Razor Microkernel";

export const rebuildIso = task({
  name: "rebuild-iso",
  description: "Make the bootable ISO",
  needs: { core: fetchIso, loaders: bootLoaders, payload, overlay },
  inputs: { copying: file("COPYING"), license: file("LICENSE") },
  params: { isoVersion, epoch },
  tools: ["xorriso"],
  outputs: {
    iso: out.artifact(({ variant, value }) => `build-files/rz_mk_${variant}-image.${value(isoVersion)}.iso`),
  },
  async run({ $, needs, inputs, params, outputs, scratch, signal }) {
    const mtime = Number(params.epoch);
    const { kernel, initrd } = await readCoreFacts(needs.core.core);
    const core = await readListing(needs.core.listing);

    const versionTree = new FileTree()
      .addFile("tmp/mk-version.yaml", bytesContent(versionFile(params.isoVersion)), { mtime })
      .addDirectory("tmp", { mtime, mode: 0o1777 });
    inheritFolders(versionTree, core);
    const versionLayer = path.join(scratch, "version.cpio.gz");
    await writeLayer(versionTree, versionLayer, { signal });

    refuseTraps([
      ["Core's initrd", core],
      ["the payload", await readListing(needs.payload.layerListing)],
      ["the overlay", await readListing(needs.overlay.listing)],
      ["the version", versionTree],
    ]);

    const root = path.join(scratch, "iso");
    await copyBoot(needs.core.boot, path.join(root, "boot"), initrd);
    const layers = [
      path.join(needs.core.boot, initrd),
      needs.payload.layer,
      needs.overlay.layer,
      versionLayer,
    ];
    const joined = await joinLayers(layers, path.join(root, "boot", initrd), { signal });
    await adaptBootMenu(path.join(root, "boot/isolinux/isolinux.cfg"));
    await copyFile(inputs.copying, path.join(root, "COPYING"));
    await copyFile(inputs.license, path.join(root, "LICENSE"));
    const metadata = await isoMetadata({
      version: params.isoVersion,
      kernel: path.join(root, "boot", kernel),
      initrdName: initrd,
      initrdSha256: joined.sha256,
      epoch: mtime,
    });
    await writeFile(path.join(root, "iso-metadata.yaml"), metadata);
    await writeIso($, {
      root,
      out: outputs.iso,
      volumeId: volumeId(params.isoVersion),
      applicationId,
      systemId: "LINUX",
      epoch: mtime,
      boot: await placeLoaders(needs.loaders.loaders, root),
    });
    await writeApplicationId(outputs.iso, applicationId);
  },
});

/** The boot files without the initrd, which is made anew; the loader's binary is a copy, since a writer may patch it. */
async function copyBoot(from: string, to: string, initrd: string): Promise<void> {
  await mkdir(path.dirname(to), { recursive: true });
  await cp(from, to, {
    recursive: true,
    mode: constants.COPYFILE_FICLONE,
    filter: (source) => path.basename(source) !== initrd,
  });
  await rm(path.join(to, "isolinux/boot.cat"), { force: true });
}

/** Puts GRUB's files, where there are any, below the ISO's root; returns what starts the ISO. */
async function placeLoaders(loaders: string, root: string): Promise<IsoBoot> {
  const present = await readdir(loaders);
  const bios = { isolinux: "boot/isolinux/isolinux.bin", catalog: "boot/isolinux/boot.cat" };
  const disk = present.includes("mbr.bin") ? { mbr: path.join(loaders, "mbr.bin") } : {};
  if (!present.includes("efi.img")) return { ...bios, ...disk };
  await mkdir(path.join(root, "boot/grub"), { recursive: true });
  for (const name of ["efi.img", "grub.cfg"]) {
    await copyFile(path.join(loaders, name), path.join(root, "boot/grub", name));
  }
  return { ...bios, ...disk, efi: "boot/grub/efi.img" };
}

/** The kernel applies layer after layer, with traps for the unwary: an image that would not be what it seems is refused. */
function refuseTraps(layers: readonly (readonly [name: string, tree: FileTree])[]): void {
  const { problems } = mergeLayers(layers.map(([, tree]) => tree));
  // A folder of ours that has a mode by rule (such as /tmp) may well change what Core had.
  const serious = problems.filter((problem) => problem.kind !== "directory-changed");
  const [first, ...others] = serious;
  if (first === undefined) return;
  const name = (layer: number): string => layers[layer]?.[0] ?? "";
  throw new UserError(
    `the layers of the initrd do not lie well on one another: ${describeProblem(first, name)}` +
      (others.length === 0 ? "" : `, and ${others.length} more like this`),
    {
      code: "layer-trap",
      where: first.path,
      hint: "change overlay-src so that the path keeps the type that Core gives it",
    },
  );
}
