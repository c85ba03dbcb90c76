/** What kinds of image this project makes: each flavour has its steps in the order of the pipeline, and the target that makes its ISO. */
import type { Target } from "../src/engine/index.ts";
import { bundle } from "./bundle.ts";
import { devAccess } from "./dev-access.ts";
import { extractUtilLinux } from "./extract-util-linux.ts";
import { fetchExtras } from "./fetch-extras.ts";
import { fetchGems } from "./fetch-gems.ts";
import { fetchTcz } from "./fetch-tcz.ts";
import { isoFromBundle } from "./iso-from-bundle.ts";
import { isoTemplate } from "./iso-template.ts";
import { linkerTables } from "./linker-tables.ts";
import { overlay } from "./overlay.ts";
import { overlayTarball } from "./overlay-tarball.ts";
import { payload } from "./payload.ts";
import { payloadTarball } from "./payload-tarball.ts";
import { pxe } from "./pxe.ts";
import { rebuildIso } from "./rebuild-iso.ts";
import { remaster } from "./remaster.ts";
import { remasterExtensions } from "./remaster-extensions.ts";
import { remasterOverlay } from "./remaster-overlay.ts";
import { remasterPayload } from "./remaster-payload.ts";
import { remasterTables } from "./remaster-tables.ts";
import { remasterTemplate } from "./remaster-template.ts";
import { setupFiles } from "./setup-files.ts";
import { unpackBundle } from "./unpack-bundle.ts";

/** A kind of image. Steps that all flavours have, such as fetch-iso, are in no flavour. */
interface Flavour {
  /** In the order of the pipeline. */
  readonly steps: readonly Target[];
  /** The steps whose layers make the initrd on Core's own, lowest first. */
  readonly layers: readonly Target[];
}

export const flavours = {
  razor: {
    steps: [
      fetchTcz,
      fetchGems,
      fetchExtras,
      extractUtilLinux,
      payload,
      payloadTarball,
      devAccess,
      setupFiles,
      overlay,
      overlayTarball,
      linkerTables,
      isoTemplate,
      bundle,
      rebuildIso,
      unpackBundle,
      isoFromBundle,
      pxe,
    ],
    layers: [payload, setupFiles, linkerTables, overlay, isoTemplate],
  },
  remaster: {
    steps: [remasterExtensions, remasterPayload, remasterOverlay, remasterTables, remasterTemplate, remaster],
    layers: [remasterPayload, remasterTables, remasterOverlay],
  },
} as const satisfies Readonly<Record<string, Flavour>>;
