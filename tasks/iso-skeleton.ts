/**
 * The ISO around the initrd: boot files, volume, loader. It depends on how much room the edited layer is given and not
 * on what is in it, so an edit does not run an ISO writer.
 */
import { constants, copyFile, cp, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { file, only, out, task } from "../src/engine/index.ts";
import { bytesContent, FileTree, type IsoBoot, writeIsoSkeleton, writeLayer } from "../src/formats/index.ts";
import { bootLoaders } from "./boot-loaders.ts";
import { fetchIso } from "./fetch-iso.ts";
import { writeApplicationId } from "./image/application-id.ts";
import { adaptBootMenu } from "./image/boot-menu.ts";
import { readCoreFacts } from "./image/core-facts.ts";
import { inheritFolders } from "./image/image-tree.ts";
import { isoMetadata, sha256Of, versionFile, volumeId } from "./image/iso-metadata.ts";
import { paddingAfter, roomFor } from "./image/layers.ts";
import { readListing, writeListing } from "./image/tree-listing.ts";
import { overlay } from "./overlay.ts";
import { payload } from "./payload.ts";
import { epoch, isoVersion } from "./settings/options.ts";
import { setupFiles } from "./setup-files.ts";

const applicationId = "Razor Microkernel";

/** What the rest of the ISO is made with. */
export interface IsoPlan {
  /** Size of the initrd in bytes, and its file name in the boot folder. */
  readonly initrdSize: number;
  readonly initrd: string;
  readonly kernel: string;
  /** sha256 in hex. */
  readonly kernelSha256: string;
}

export const isoSkeleton = task({
  name: "iso-skeleton",
  description: "Make the ISO without its initrd",
  internal: true,
  needs: {
    core: only(fetchIso, "boot", "core", "listing"),
    payload: only(payload, "layer"),
    setup: only(setupFiles, "layer"),
    overlay: only(overlay, "room"),
    loaders: bootLoaders,
  },
  inputs: { copying: file("COPYING"), license: file("LICENSE") },
  params: { isoVersion, epoch },
  tools: ["xorriso"],
  outputs: {
    head: out.file("head"),
    tail: out.file("tail"),
    plan: out.file("plan.json"),
    /** The layer that says which version the image is. */
    versionLayer: out.file("version.cpio.gz"),
    versionListing: out.file("version.json"),
  },
  async run({ $, needs, inputs, params, outputs, scratch, signal }) {
    const mtime = Number(params.epoch);
    const { kernel, initrd } = await readCoreFacts(needs.core.core);
    const version = new FileTree()
      .addFile("tmp/mk-version.yaml", bytesContent(versionFile(params.isoVersion)), { mtime })
      .addDirectory("tmp", { mtime, mode: 0o1777 });
    inheritFolders(version, await readListing(needs.core.listing));
    await writeLayer(version, outputs.versionLayer, { signal });
    await writeListing(version, outputs.versionListing);

    const layers = [
      path.join(needs.core.boot, initrd),
      needs.payload.layer,
      needs.setup.layer,
      outputs.versionLayer,
    ];
    const sizes = await Promise.all(layers.map(async (layer) => (await stat(layer)).size));
    const edited = Number(await readFile(needs.overlay.room, "utf8"));
    const initrdSize = roomFor(edited + sizes.reduce((sum, size) => sum + size + paddingAfter(size), 0));

    const root = path.join(scratch, "iso");
    await copyBoot(needs.core.boot, path.join(root, "boot"), initrd);
    await adaptBootMenu(path.join(root, "boot/isolinux/isolinux.cfg"));
    await copyFile(inputs.copying, path.join(root, "COPYING"));
    await copyFile(inputs.license, path.join(root, "LICENSE"));
    const plan: IsoPlan = {
      initrdSize,
      initrd,
      kernel,
      kernelSha256: await sha256Of(path.join(root, "boot", kernel)),
    };
    await writeFile(outputs.plan, `${JSON.stringify(plan, undefined, 2)}\n`);
    await writeIsoSkeleton($, {
      root,
      gaps: [
        { path: `boot/${initrd}`, size: initrdSize },
        {
          path: "iso-metadata.yaml",
          size: metadataOf(plan, params.isoVersion, mtime, "0".repeat(64)).length,
        },
      ],
      scratch: path.join(scratch, "image.iso"),
      head: outputs.head,
      tail: outputs.tail,
      adapt: (iso) => writeApplicationId(iso, applicationId),
      volumeId: volumeId(params.isoVersion),
      applicationId,
      systemId: "LINUX",
      epoch: mtime,
      boot: await placeLoaders(needs.loaders.loaders, root),
    });
  },
});

/** `iso-metadata.yaml`; always of the same size, whatever the initrd's digest. */
export function metadataOf(plan: IsoPlan, version: string, mtime: number, initrdSha256: string): Buffer {
  const { kernel, kernelSha256, initrd } = plan;
  return Buffer.from(isoMetadata({ version, kernel, kernelSha256, initrd, initrdSha256, epoch: mtime }));
}

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
