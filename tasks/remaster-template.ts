/**
 * The ISO of a remastered Core without its initrd: Core's boot files, all else that the Core ISO has, `cde/`, the user's files and
 * boot codes.
 */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { only, out, task } from "../src/engine/index.ts";
import { readIsoLabel } from "../src/formats/index.ts";
import { bootLoaders } from "./boot-loaders.ts";
import { fetchIso } from "./fetch-iso.ts";
import { onbootOf } from "./image/core-cde.ts";
import { remasterIdentity } from "./image/image-identity.ts";
import { packerFor } from "./image/members.ts";
import { overlayLayer } from "./image/overlay-layer.ts";
import { userFileInputs, userFileParams, userFiles } from "./image/user-files.ts";
import { makeTemplate } from "./iso-template.ts";
import { remasterExtensions } from "./remaster-extensions.ts";
import { remasterOverlay } from "./remaster-overlay.ts";
import { remasterPayload } from "./remaster-payload.ts";
import { remasterTables } from "./remaster-tables.ts";
import { bootMenu, compress } from "./settings/image-options.ts";
import { bootCodes } from "./settings/remaster-options.ts";

export const remasterTemplate = task({
  name: "remaster-template",
  description: "Build the ISO of a remastered Core without its initrd",
  internal: true,
  needs: {
    core: only(fetchIso, "iso", "boot", "core"),
    extensions: only(remasterExtensions, "root"),
    payload: only(remasterPayload, "layer"),
    tables: only(remasterTables, "layer"),
    overlay: only(remasterOverlay, "room", "single"),
    loaders: bootLoaders,
  },
  inputs: userFileInputs,
  params: { compress, bootMenu, bootCodes, ...userFileParams },
  tools: ["xorriso"],
  // Packs only where the initrd is a single archive.
  optionalTools: packerFor("useful"),
  outputs: {
    head: out.file("head"),
    tail: out.file("tail"),
    plan: out.file("plan.json"),
    /** The whole initrd, if it is a single archive; else empty. */
    single: out.directory("single"),
  },
  async run(context) {
    const { needs, params, outputs } = context;
    const isSingle = (await readdir(needs.overlay.single)).includes(overlayLayer);
    const overlaid = isSingle ? [path.join(needs.overlay.single, overlayLayer)] : [];
    const onboot = await onbootOf(path.join(needs.extensions.root, "cde/onboot.lst"));
    const codes = params.bootCodes.split(/\s+/).filter((code) => code !== "");
    await makeTemplate({
      core: needs.core,
      layers: [needs.payload.layer, needs.tables.layer, ...overlaid],
      room: Number(await readFile(needs.overlay.room, "utf8")),
      single: isSingle,
      compress: params.compress,
      loaders: needs.loaders.loaders,
      bootMenu: params.bootMenu,
      bootCodes: onboot.length > 0 ? [...codes, "cde"] : codes,
      files: {
        "": needs.extensions.root,
        ...(await userFiles(context)),
      },
      identity: remasterIdentity(await readIsoLabel(needs.core.iso)),
      epoch: Number(params.epoch),
      places: outputs,
      context,
    });
  },
});
