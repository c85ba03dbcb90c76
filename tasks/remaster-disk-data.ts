/** The data partition of a disk with a remastered Core. */
import { only, task } from "../src/engine/index.ts";
import { diskLoaders } from "./disk-loaders.ts";
import { makeDataPartition, partitionOutputs, partitionParams, partitionTools } from "./disk-partition.ts";
import { fetchIso } from "./fetch-iso.ts";
import { userFileInputs, userFileParams, userFiles } from "./image/user-files.ts";
import { joinInitrd } from "./iso-joining.ts";
import { remasterExtensions } from "./remaster-extensions.ts";
import { remasterOverlay } from "./remaster-overlay.ts";
import { remasterPayload } from "./remaster-payload.ts";
import { remasterTables } from "./remaster-tables.ts";
import { remasterTemplate } from "./remaster-template.ts";

export const remasterDiskData = task({
  name: "remaster-disk-data",
  description: "Make the data partition of a disk with a remastered Core",
  internal: true,
  needs: {
    core: only(fetchIso, "boot"),
    extensions: only(remasterExtensions, "root"),
    payload: only(remasterPayload, "layer"),
    tables: only(remasterTables, "layer"),
    overlay: only(remasterOverlay, "layer"),
    template: only(remasterTemplate, "plan", "single"),
    loaders: only(diskLoaders, "plan"),
  },
  inputs: userFileInputs,
  params: { ...partitionParams, ...userFileParams },
  optionalTools: partitionTools,
  outputs: partitionOutputs,
  async run(context) {
    const { core, extensions, payload, tables, overlay, template, loaders } = context.needs;
    const layers = [payload.layer, tables.layer, overlay.layer];
    const initrd = await joinInitrd({ core, layers, template });
    const files = { "": extensions.root, ...(await userFiles(context)) };
    await makeDataPartition({ boot: core.boot, initrd, files, plan: loaders.plan }, context);
  },
});
