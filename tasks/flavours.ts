/** The kinds of image: each flavour has its own steps, in the order of the pipeline. Steps of all flavours, such as fetch-iso, are in none. */
import type { Flavour } from "../src/engine/index.ts";
import { accountPasswords } from "./account-passwords.ts";
import { backup } from "./backup.ts";
import { billOfMaterials, bundleBill, remasterBill } from "./bill-of-materials.ts";
import { bundle } from "./bundle.ts";
import { bundleTables } from "./bundle-tables.ts";
import { copying } from "./copying.ts";
import { devAccess } from "./dev-access.ts";
import { disk } from "./disk.ts";
import { diskData } from "./disk-data.ts";
import { extractUtilLinux } from "./extract-util-linux.ts";
import { fetchExtras } from "./fetch-extras.ts";
import { fetchGems } from "./fetch-gems.ts";
import { fetchInfo } from "./fetch-info.ts";
import { fetchTcz } from "./fetch-tcz.ts";
import { imageContents } from "./image-contents.ts";
import { isoFromBundle } from "./iso-from-bundle.ts";
import { isoTemplate } from "./iso-template.ts";
import { linkerTables } from "./linker-tables.ts";
import { overlay } from "./overlay.ts";
import { overlayTarball } from "./overlay-tarball.ts";
import { ownExtensions } from "./own-extensions.ts";
import { ownLayer } from "./own-layer.ts";
import { ownSingle } from "./own-single.ts";
import { payload } from "./payload.ts";
import { payloadTarball } from "./payload-tarball.ts";
import { pxe } from "./pxe.ts";
import { readme } from "./readme.ts";
import { rebuildIso } from "./rebuild-iso.ts";
import { remaster } from "./remaster.ts";
import { remasterDisk } from "./remaster-disk.ts";
import { remasterDiskData } from "./remaster-disk-data.ts";
import { remasterExtensions } from "./remaster-extensions.ts";
import { remasterOverlay } from "./remaster-overlay.ts";
import { remasterPayload } from "./remaster-payload.ts";
import { remasterTables } from "./remaster-tables.ts";
import { remasterTemplate } from "./remaster-template.ts";
import { comps, compsCheck } from "./rpm/comps.ts";
import { importBoot } from "./rpm/import.ts";
import { installer, renderedSpec, spec } from "./rpm/installer.ts";
import { kick, kickstart } from "./rpm/kick.ts";
import { revisor } from "./rpm/revisor.ts";
import { rpmIso } from "./rpm/rpm-iso.ts";
import { rpmMetadata } from "./rpm/rpm-metadata.ts";
import { rpmOciTemplate, rpmTemplate } from "./rpm/rpm-template.ts";
import { rpmUpdate } from "./rpm/rpm-update.ts";
import { sampleRpm, sampleRpmPackages } from "./rpm/sample-rpm.ts";
import { rpmStore } from "./rpm-store.ts";
import { serve } from "./serve.ts";
import { ociWanted } from "./settings/image-options.ts";
import { setupFiles } from "./setup-files.ts";
import { store } from "./store.ts";
import { takenExtensions } from "./taken-extensions.ts";
import { ociTemplate, template } from "./template.ts";
import { unpackBundle } from "./unpack-bundle.ts";
import { update } from "./update.ts";

export const flavours = {
  razor: {
    description: "the Razor Microkernel, or a system like it, whose extensions are all in the initrd",
    aliases: { iso: rebuildIso },
    steps: [
      fetchTcz,
      fetchGems,
      fetchExtras,
      extractUtilLinux,
      payload,
      ownExtensions,
      ownLayer,
      ownSingle,
      takenExtensions,
      accountPasswords,
      payloadTarball,
      devAccess,
      setupFiles,
      overlay,
      overlayTarball,
      linkerTables,
      imageContents,
      copying,
      isoTemplate,
      bundle,
      rebuildIso,
      fetchInfo,
      billOfMaterials,
      unpackBundle,
      bundleTables,
      isoFromBundle,
      bundleBill,
      pxe,
      diskData,
      disk,
      update,
      readme,
      backup,
      template,
      ociTemplate,
      store,
      serve,
    ],
  },
  remaster: {
    description: "Tiny Core with your extensions, boot codes and files, and nothing else",
    aliases: { iso: remaster, disk: remasterDisk },
    steps: [
      remasterExtensions,
      remasterPayload,
      remasterOverlay,
      remasterTables,
      remasterTemplate,
      remaster,
      remasterBill,
      remasterDiskData,
      remasterDisk,
    ],
  },
  rpm: {
    description: "an installer's tree and ISO out of repositories of RPMs",
    aliases: { iso: rpmIso, template: rpmTemplate, store: rpmStore, update: rpmUpdate },
    steps: [
      sampleRpmPackages,
      sampleRpm,
      rpmMetadata,
      rpmUpdate,
      importBoot,
      spec,
      renderedSpec,
      installer,
      comps,
      compsCheck,
      revisor,
      kick,
      kickstart,
      rpmIso,
      rpmTemplate,
      rpmOciTemplate,
      rpmStore,
    ],
  },
} as const satisfies Readonly<Record<string, Flavour>>;

/** Templates, each with its OCI image, which is built if that is wanted. */
export const ociTemplates = [
  [template, ociTemplate, ociWanted],
  [rpmTemplate, rpmOciTemplate, ociWanted],
] as const;
