/**
 * Bills of materials beside an ISO, as CycloneDX and as SPDX: from the image, and from what the project knows of its parts. One
 * task for each step that makes an ISO.
 */
import { writeFile } from "node:fs/promises";
import { type BillSources, billOf, formatCycloneDx, formatSpdx } from "../src/bom/index.ts";
import { only, out, task, whenText } from "../src/engine/index.ts";
import { openImage } from "../src/inspection/index.ts";
import { convertDebs, namesPackages } from "./convert-debs.ts";
import { readInfos } from "./copying.ts";
import { fetchExtras } from "./fetch-extras.ts";
import { fetchInfo } from "./fetch-info.ts";
import { billTool, downloadsOf, unpackedExtras } from "./image/bill-sources.ts";
import { imageFile } from "./image/image-names.ts";
import { isoFromBundle } from "./iso-from-bundle.ts";
import { ownExtensions } from "./own-extensions.ts";
import { rebuildIso } from "./rebuild-iso.ts";
import { remaster } from "./remaster.ts";
import { epoch, imageVariant, isoVersion } from "./settings/image-options.ts";
import { limitParams, limitsOf } from "./settings/limit-options.ts";
import { builtinList, mirrorList } from "./settings/project-options.ts";
import { kindOf } from "./source/kinds/index.ts";
import { lockInput, readPins } from "./source/source-lock.ts";
import { source } from "./source/source-options.ts";

/** What follows the ISO's name without `.iso`: the endings that the two formats recommend. */
export const billEndings = { cyclonedx: ".cdx.json", spdx: ".spdx.json" } as const;

const lock = lockInput(() => true);

export const billOfMaterials = task({
  name: "bill-of-materials",
  description: "Write the ISO's bills of materials",
  internal: true,
  needs: {
    iso: rebuildIso,
    infos: fetchInfo,
    own: ownExtensions,
    extras: only(fetchExtras, "extras"),
    debs: whenText([builtinList, mirrorList], namesPackages, convertDebs),
  },
  inputs: { lock },
  params: { imageFile, epoch, source, ...limitParams },
  outputs: {
    cyclonedx: out.artifact(({ value }) => billPath(value(imageFile), billEndings.cyclonedx)),
    spdx: out.artifact(({ value }) => billPath(value(imageFile), billEndings.spdx)),
  },
  async run({ needs, inputs, params, outputs, scratch, note }) {
    const limits = limitsOf(params);
    const downloads = pinnedDownloads(inputs.lock, params.source);
    const infos = new Map([
      ...(await readInfos(needs.debs?.extensions)),
      ...(await readInfos(needs.infos.infos)),
      ...(await readInfos(needs.own.extensions)),
    ]);
    const extras = await unpackedExtras(needs.extras.extras, { limits, downloads });
    const sources = { downloads, infos, extras, spoolDir: scratch, limits, note };
    await writeBills(needs.iso.iso, Number(params.epoch), sources, outputs);
  },
});

export const bundleBill = task({
  name: "bundle-bill",
  description: "Write the bills of materials of a bundle's ISO",
  internal: true,
  needs: { iso: isoFromBundle },
  params: { isoVersion, epoch, imageVariant, ...limitParams },
  outputs: {
    cyclonedx: out.artifact(({ value }) =>
      billPath(bundleImage(value(imageVariant), value(isoVersion)), billEndings.cyclonedx),
    ),
    spdx: out.artifact(({ value }) =>
      billPath(bundleImage(value(imageVariant), value(isoVersion)), billEndings.spdx),
    ),
  },
  async run({ needs, params, outputs, scratch, note }) {
    const limits = limitsOf(params);
    const sources = { downloads: new Map(), infos: new Map(), extras: [], spoolDir: scratch, limits, note };
    await writeBills(needs.iso.iso, Number(params.epoch), sources, outputs);
  },
});

export const remasterBill = task({
  name: "remaster-bill",
  description: "Write the bills of materials of a remastered ISO",
  internal: true,
  needs: { iso: remaster },
  inputs: { lock },
  params: { epoch, source, ...limitParams },
  outputs: {
    cyclonedx: out.artifact(({ variant }) => `build-files/remaster-${variant}${billEndings.cyclonedx}`),
    spdx: out.artifact(({ variant }) => `build-files/remaster-${variant}${billEndings.spdx}`),
  },
  async run({ needs, inputs, params, outputs, scratch, note }) {
    const limits = limitsOf(params);
    const downloads = pinnedDownloads(inputs.lock, params.source);
    const sources = { downloads, infos: new Map(), extras: [], spoolDir: scratch, limits, note };
    await writeBills(needs.iso.iso, Number(params.epoch), sources, outputs);
  },
});

/** Path of a bill beside the ISO at this path. */
export function billPath(iso: string, ending: string): string {
  return `${iso.replace(/\.iso$/, "")}${ending}`;
}

/** Path of the ISO of a bundle, relative to the workspace. */
function bundleImage(variant: string, version: string): string {
  return `build-files/rz_mk_${variant}-image.${version}.iso`;
}

/** The locks of sources that are made here tell no one where to download from. */
function pinnedDownloads(lockPath: string, name: string): BillSources["downloads"] {
  return kindOf(name).lock.pins === "binding" ? downloadsOf(readPins(lockPath, name)) : new Map();
}

/** `time` is seconds since 1970; paths are absolute. */
async function writeBills(
  iso: string,
  time: number,
  sources: BillSources,
  outputs: { readonly cyclonedx: string; readonly spdx: string },
): Promise<void> {
  const { spoolDir, limits, note } = sources;
  const image = await openImage(iso, { spoolDir, limits, note });
  const bill = await billOf(image, { ...sources, file: iso, time, tool: billTool });
  await writeFile(outputs.cyclonedx, await formatCycloneDx(bill));
  await writeFile(outputs.spdx, formatSpdx(bill));
}
