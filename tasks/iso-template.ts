/**
 * The ISO around the initrd: boot files, volume, loader. It depends on how much room the edited layer is given and not
 * on what is in it, so an edit does not run an ISO writer.
 */
import { constants, copyFile, cp, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { file, only, out, task } from "../src/engine/index.ts";
import { type IsoBoot, type IsoGap, writeIsoTemplate, writeLayer } from "../src/formats/index.ts";
import { bootLoaders } from "./boot-loaders.ts";
import { copying } from "./copying.ts";
import { fetchIso } from "./fetch-iso.ts";
import { writeApplicationId } from "./image/application-id.ts";
import { menusWithCodes } from "./image/boot-codes.ts";
import { adaptBootMenu } from "./image/boot-menu.ts";
import { closedMenus } from "./image/closed-menu.ts";
import { readCoreFacts } from "./image/core-facts.ts";
import {
  bootPath,
  type ImageIdentity,
  type IsoPlan,
  microkernelIdentity,
  named,
} from "./image/image-identity.ts";
import { imageNames } from "./image/image-names.ts";
import { sha256Of } from "./image/iso-metadata.ts";
import { paddingAfter, wholeSectors } from "./image/layers.ts";
import { packSingle } from "./image/layout.ts";
import { type PackContext, packerFor } from "./image/members.ts";
import { overlayLayer, readRemoved } from "./image/overlay-layer.ts";
import { imageReadme } from "./image/readme.ts";
import { readListing } from "./image/tree-listing.ts";
import { versionTree } from "./image/version-tree.ts";
import { imageContents } from "./image-contents.ts";
import { linkerTables } from "./linker-tables.ts";
import { overlay } from "./overlay.ts";
import { ownLayer, ownLayerFile } from "./own-layer.ts";
import { ownSingle } from "./own-single.ts";
import { payload } from "./payload.ts";
import { bootMenu, compress, epoch, isoVersion } from "./settings/image-options.ts";
import { license } from "./settings/project-options.ts";
import { readmeFile } from "./settings/readme.ts";
import { setupFiles } from "./setup-files.ts";

export const isoTemplate = task({
  name: "iso-template",
  description: "Build the ISO without its initrd",
  internal: true,
  needs: {
    core: only(fetchIso, "boot", "core", "listing"),
    payload: only(payload, "layer"),
    own: only(ownLayer, "room"),
    ownSingle,
    setup: only(setupFiles, "layer"),
    linkerTables: only(linkerTables, "layer"),
    overlay: only(overlay, "room", "single"),
    loaders: bootLoaders,
    contents: imageContents,
    copying,
  },
  inputs: { license, readme: file(readmeFile, { optional: true }) },
  params: { isoVersion, epoch, compress, bootMenu, imageNames },
  tools: ["xorriso"],
  // Packs only where the initrd is a single archive.
  optionalTools: packerFor("useful"),
  outputs: {
    head: out.file("head"),
    tail: out.file("tail"),
    plan: out.file("plan.json"),
    /** The layer that says which version the image is. */
    versionLayer: out.file("version.cpio.gz"),
    /** The whole initrd, where it is to be a single archive; else empty. */
    single: out.directory("single", { private: true }),
  },
  async run(context) {
    const { needs, inputs, params, outputs } = context;
    const { initrd } = await readCoreFacts(needs.core.core);
    const version = versionTree(
      params.isoVersion,
      Number(params.epoch),
      await readListing(needs.core.listing),
    );
    await writeLayer(version, outputs.versionLayer, { signal: context.signal });
    const readme = await imageReadme(inputs.readme, needs.contents.list, {
      version: params.isoVersion,
      variant: context.variant,
      epoch: Number(params.epoch),
    });
    if (readme !== undefined) await writeFile(path.join(context.scratch, "README"), readme);
    const overlaid = (await readdir(needs.overlay.single)).includes(overlayLayer)
      ? path.join(needs.overlay.single, overlayLayer)
      : undefined;
    await makeTemplate({
      core: needs.core,
      layers: [
        needs.payload.layer,
        ...(overlaid === undefined ? [] : [path.join(needs.ownSingle.single, ownLayerFile)]),
        needs.setup.layer,
        needs.linkerTables.layer,
        ...(overlaid === undefined ? [] : [overlaid]),
        outputs.versionLayer,
      ],
      room: (await roomOf(needs.overlay.room)) + (await roomOf(needs.own.room)),
      single: overlaid !== undefined,
      removed: await readRemoved(needs.overlay.single),
      compress: params.compress,
      loaders: needs.loaders.loaders,
      bootMenu: params.bootMenu,
      files: {
        COPYING: needs.copying.copying,
        LICENSE: inputs.license,
        ...(readme === undefined ? {} : { README: path.join(context.scratch, "README") }),
      },
      identity: named(microkernelIdentity(params.isoVersion, Number(params.epoch)), params.imageNames, {
        version: params.isoVersion,
        variant: context.variant,
        arch: initrd === "corepure64.gz" ? "x86_64" : "x86",
      }),
      epoch: Number(params.epoch),
      places: outputs,
      context,
    });
  },
});

/** Bytes that a file (absolute path) tells. */
async function roomOf(file: string): Promise<number> {
  return Number(await readFile(file, "utf8"));
}

/** What an ISO is made of beside its edited layer; all paths are absolute. */
interface TemplateParts {
  /** The boot directory, and the facts. */
  readonly core: { readonly boot: string; readonly core: string };
  /** Layers on Core's initrd, lowest first, as far as they exist; all of them, if the initrd is to be a single archive. */
  readonly layers: readonly string[];
  /** Bytes for further layers that are not there yet. */
  readonly room: number;
  /** Whether the initrd is made here, as one archive; and how much effort it is worth. */
  readonly single: boolean;
  /** Paths that a single archive is not to have, though a layer has them. */
  readonly removed?: readonly string[];
  readonly compress: string;
  /** Directory with what boots beside isolinux. */
  readonly loaders: string;
  /** `closed` for menus that take no boot codes. */
  readonly bootMenu: string;
  /** Files and directories by their paths in the ISO; a later one is laid over an earlier one. */
  readonly files: Readonly<Record<string, string>>;
  /** Boot codes for every entry of the menus. */
  readonly bootCodes?: readonly string[];
  readonly identity: ImageIdentity;
  /** Seconds since 1970. */
  readonly epoch: number;
  readonly places: TemplatePlaces;
  readonly context: PackContext & { readonly note: (message: string) => void };
}

/** Where its parts go: the ISO before and behind the initrd, the plan, and a directory for the initrd. */
export interface TemplatePlaces {
  readonly head: string;
  readonly tail: string;
  readonly plan: string;
  readonly single: string;
}

/** Makes the ISO without its initrd, for which it leaves room. */
export async function makeTemplate(parts: TemplateParts): Promise<void> {
  const { places, epoch: mtime, context } = parts;
  const { $, scratch } = context;
  const { kernel, initrd } = await readCoreFacts(parts.core.core);
  const core = path.join(parts.core.boot, initrd);
  const { layers, identity } = parts;
  if (parts.single) {
    const whole = await packSingle(
      core,
      layers,
      { compress: parts.compress, removed: parts.removed ?? [] },
      context,
    );
    await copyFile(whole, path.join(places.single, initrd), constants.COPYFILE_FICLONE);
  }
  const chunks = parts.single ? [path.join(places.single, initrd)] : [core, ...layers];
  const sizes = await Promise.all(chunks.map(async (chunk) => (await stat(chunk)).size));
  const initrdSize = wholeSectors(
    sizes.reduce((sum, size) => sum + size + paddingAfter(size), parts.single ? 0 : parts.room),
  );

  if (identity.volume.note !== undefined) context.note(identity.volume.note);
  const root = path.join(scratch, "iso");
  const boot = await copyBootFiles(parts.core.boot, initrd, parts.loaders, root);
  for (const [name, from] of Object.entries(parts.files)) await layOver(from, path.join(root, name));
  if (parts.bootCodes !== undefined && parts.bootCodes.length > 0) {
    for (const [name, text] of await menusWithCodes(root, parts.bootCodes))
      await writeFile(path.join(root, name), text);
  }
  if (parts.bootMenu === "closed") {
    for (const [name, text] of await closedMenus(path.join(root, "boot")))
      await writeFile(path.join(root, "boot", name), text);
  }
  const plan: IsoPlan = {
    initrdSize,
    initrd,
    kernel,
    kernelSha256: await sha256Of(path.join(root, "boot", kernel)),
  };
  await writeFile(places.plan, `${JSON.stringify(plan, undefined, 2)}\n`);
  await writeIsoTemplate($, {
    root,
    gaps: [{ path: bootPath(initrd), size: initrdSize }, ...descriptionGap(identity, plan)],
    scratch: path.join(scratch, "image.iso"),
    head: places.head,
    tail: places.tail,
    adapt: (iso) => writeApplicationId(iso, identity.application),
    volumeId: identity.volume.id,
    applicationId: identity.application,
    systemId: "LINUX",
    epoch: mtime,
    boot,
  });
}

/** The room for the image's description behind the initrd; its size must not depend on the initrd's digest. */
function descriptionGap({ description }: ImageIdentity, plan: IsoPlan): readonly IsoGap[] {
  if (description === undefined) return [];
  return [{ path: description.path, size: description.bytes(plan, "0".repeat(64)).length }];
}

/** Copies a file, or a directory with all that is in it, to a path of the ISO; a file there is replaced. */
async function layOver(from: string, to: string): Promise<void> {
  await mkdir(path.dirname(to), { recursive: true });
  await cp(from, to, { recursive: true, mode: constants.COPYFILE_FICLONE });
}

/**
 * Lays out the boot files below the ISO's `root`, with open menus: Core's of the directory `core` without its initrd,
 * and those of the directory `loaders`. Returns what starts the ISO. Paths are absolute.
 */
export async function copyBootFiles(
  core: string,
  initrd: string,
  loaders: string,
  root: string,
): Promise<IsoBoot> {
  await copyBoot(core, path.join(root, "boot"), initrd);
  await adaptBootMenu(path.join(root, "boot/isolinux/isolinux.cfg"));
  return await placeLoaders(loaders, root);
}

/** The boot files without the initrd, which is made here; the loader's binary is a copy, since a writer may patch it. */
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
