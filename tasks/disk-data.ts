/** The data partition of a disk with the Microkernel. */
import { only, task } from "../src/engine/index.ts";
import { diskLoaders } from "./disk-loaders.ts";
import { makeDataPartition, partitionOutputs, partitionParams, partitionTools } from "./disk-partition.ts";
import { initrdNeeds, readInitrdMembers } from "./rebuild-iso.ts";

export const diskData = task({
  name: "disk-data",
  description: "Make the data partition of a disk",
  internal: true,
  needs: { ...initrdNeeds, loaders: only(diskLoaders, "plan") },
  params: partitionParams,
  optionalTools: partitionTools,
  outputs: partitionOutputs,
  async run(context) {
    const { needs } = context;
    const initrd = await readInitrdMembers(needs);
    const { plan } = needs.loaders;
    await makeDataPartition({ boot: needs.core.boot, initrd, files: {}, plan }, context);
  },
});
