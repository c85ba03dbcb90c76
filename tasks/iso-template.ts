/**
 * The ISO around the initrd: boot files, volume, loader. It depends on how much room the edited layer is given and not
 * on what is in it, so an edit does not run an ISO writer.
 */
import { constants, copyFile, cp, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { only, out, task } from "../src/engine/index.ts";
import { type IsoBoot, writeIsoTemplate, writeLayer } from "../src/formats/index.ts";
import { bootLoaders } from "./boot-loaders.ts";
import { fetchIso } from "./fetch-iso.ts";
import { writeApplicationId } from "./image/application-id.ts";
import { adaptBootMenu } from "./image/boot-menu.ts";
import { closedMenus } from "./image/closed-menu.ts";
import { readCoreFacts } from "./image/core-facts.ts";
import { isoMetadata, sha256Of, volumeId } from "./image/iso-metadata.ts";
import { paddingAfter, wholeSectors } from "./image/layers.ts";
import { packSingle } from "./image/layout.ts";
import { type PackContext, packerFor } from "./image/members.ts";
import { readListing } from "./image/tree-listing.ts";
import { versionTree } from "./image/version-tree.ts";
import { linkerTables } from "./linker-tables.ts";
import { overlay, overlayLayer } from "./overlay.ts";
import { payload } from "./payload.ts";
import { bootMenu, compress, epoch, isoVersion } from "./settings/image-options.ts";
import { texts } from "./settings/project-options.ts";
import { setupFiles } from "./setup-files.ts";

const applicationId = "Razor Microkernel";

/** What the rest of the ISO is made with. */
export interface IsoPlan {
  /** Size of the initrd in bytes, and its file name in the boot directory. */
  readonly initrdSize: number;
  readonly initrd: string;
  readonly kernel: string;
  /** sha256 in hex. */
  readonly kernelSha256: string;
}

export const isoTemplate = task({
  name: "iso-template",
  description: "Build the ISO without its initrd",
  internal: true,
  needs: {
    core: only(fetchIso, "boot", "core", "listing"),
    payload: only(payload, "layer"),
    setup: only(setupFiles, "layer"),
    linkerTables: only(linkerTables, "layer"),
    overlay: only(overlay, "room", "single"),
    loaders: bootLoaders,
  },
  inputs: texts,
  params: { isoVersion, epoch, compress, bootMenu },
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
    const overlaid = (await readdir(needs.overlay.single)).includes(overlayLayer)
      ? path.join(needs.overlay.single, overlayLayer)
      : undefined;
    await makeTemplate({
      core: needs.core,
      layers: [
        needs.payload.layer,
        needs.setup.layer,
        needs.linkerTables.layer,
        ...(overlaid === undefined ? [] : [overlaid]),
      ],
      room: Number(await readFile(needs.overlay.room, "utf8")),
      single: overlaid !== undefined,
      compress: params.compress,
      loaders: needs.loaders.loaders,
      bootMenu: params.bootMenu,
      texts: { COPYING: inputs.copying, LICENSE: inputs.license },
      version: params.isoVersion,
      epoch: Number(params.epoch),
      places: outputs,
      context,
    });
  },
});

/** What an ISO is made of beside its edited layer; all paths are absolute. */
interface TemplateParts {
  /** The boot directory, the facts, and what Core's initrd holds. */
  readonly core: { readonly boot: string; readonly core: string; readonly listing: string };
  /** Layers on Core's initrd, as far as they are there; all of them, where the initrd is to be a single archive. */
  readonly layers: readonly string[];
  /** Bytes for another layer that is not there yet. */
  readonly room: number;
  /** Whether the initrd is made here, as one archive; and how much effort it is worth. */
  readonly single: boolean;
  readonly compress: string;
  /** Directory with what boots beside isolinux. */
  readonly loaders: string;
  /** `closed` for menus that take no boot codes. */
  readonly bootMenu: string;
  /** Files for the ISO's root, by their names there. */
  readonly texts: Readonly<Record<string, string>>;
  readonly version: string;
  /** Seconds since 1970. */
  readonly epoch: number;
  readonly places: TemplatePlaces;
  readonly context: PackContext & { readonly note: (message: string) => void };
}

/** Where its parts go: the ISO before and behind the initrd, the plan, the version's layer, and a directory for the initrd. */
export interface TemplatePlaces {
  readonly head: string;
  readonly tail: string;
  readonly plan: string;
  readonly versionLayer: string;
  readonly single: string;
}

/** Makes the ISO without its initrd, for which it leaves room. */
export async function makeTemplate(parts: TemplateParts): Promise<void> {
  const { places, epoch: mtime, context } = parts;
  const { $, scratch, signal } = context;
  const { kernel, initrd } = await readCoreFacts(parts.core.core);
  const version = versionTree(parts.version, mtime, await readListing(parts.core.listing));
  await writeLayer(version, places.versionLayer, { signal });

  const core = path.join(parts.core.boot, initrd);
  const layers = [...parts.layers, places.versionLayer];
  if (parts.single) {
    const whole = await packSingle(core, layers, parts.compress, context);
    await copyFile(whole, path.join(places.single, initrd), constants.COPYFILE_FICLONE);
  }
  const chunks = parts.single ? [path.join(places.single, initrd)] : [core, ...layers];
  const sizes = await Promise.all(chunks.map(async (chunk) => (await stat(chunk)).size));
  const initrdSize = wholeSectors(
    sizes.reduce((sum, size) => sum + size + paddingAfter(size), parts.single ? 0 : parts.room),
  );

  const volume = volumeId(parts.version);
  if (volume.note !== undefined) context.note(volume.note);
  const root = path.join(scratch, "iso");
  const boot = await copyBootFiles(parts.core.boot, initrd, parts.loaders, root);
  if (parts.bootMenu === "closed") {
    for (const [name, text] of await closedMenus(path.join(root, "boot")))
      await writeFile(path.join(root, "boot", name), text);
  }
  for (const [name, text] of Object.entries(parts.texts)) await copyFile(text, path.join(root, name));
  const plan: IsoPlan = {
    initrdSize,
    initrd,
    kernel,
    kernelSha256: await sha256Of(path.join(root, "boot", kernel)),
  };
  await writeFile(places.plan, `${JSON.stringify(plan, undefined, 2)}\n`);
  await writeIsoTemplate($, {
    root,
    gaps: [
      { path: bootPath(initrd), size: initrdSize },
      {
        path: "iso-metadata.yaml",
        size: metadataOf(plan, parts.version, mtime, "0".repeat(64)).length,
      },
    ],
    scratch: path.join(scratch, "image.iso"),
    head: places.head,
    tail: places.tail,
    adapt: (iso) => writeApplicationId(iso, applicationId),
    volumeId: volume.id,
    applicationId,
    systemId: "LINUX",
    epoch: mtime,
    boot,
  });
}

/** The path of a boot file, such as the kernel, from the root of the ISO or of the directory for network boot. */
export function bootPath(name: string): string {
  return `boot/${name}`;
}

/** `iso-metadata.yaml`; always of the same size, whatever the initrd's digest. */
export function metadataOf(plan: IsoPlan, version: string, mtime: number, initrdSha256: string): Buffer {
  const { kernelSha256 } = plan;
  const [kernel, initrd] = [bootPath(plan.kernel), bootPath(plan.initrd)];
  return Buffer.from(isoMetadata({ version, kernel, kernelSha256, initrd, initrdSha256, epoch: mtime }));
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
