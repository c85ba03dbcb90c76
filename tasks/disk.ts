/** A disk's image with the Microkernel, which starts under BIOS and UEFI and keeps what is written to it. */
import { out, task } from "../src/engine/index.ts";
import { assembleDisk, assemblyParams, assemblyTools, diskName } from "./disk-assembly.ts";
import { diskData } from "./disk-data.ts";
import { diskLoaders } from "./disk-loaders.ts";
import { diskFormat } from "./settings/disk-options.ts";
import { isoVersion } from "./settings/image-options.ts";

const shown = (variant: string, version: string, format: string): string =>
  `build-files/${diskName(`rz_mk_${variant}-disk.${version}`, format)}`;

export const disk = task({
  name: "disk",
  description: "Build the image of a disk that boots: BIOS and UEFI, with a partition for data",
  group: "build",
  needs: { loaders: diskLoaders, data: diskData },
  params: { ...assemblyParams, isoVersion },
  optionalTools: assemblyTools,
  outputs: {
    image: out.artifact(({ variant, value }) => shown(variant, value(isoVersion), value(diskFormat)), {
      sparse: true,
    }),
  },
  async run(context) {
    const { needs, params, outputs, variant } = context;
    const name = shown(variant, params.isoVersion, params.diskFormat);
    await assembleDisk({ ...needs, shown: name }, outputs.image, context);
  },
});
