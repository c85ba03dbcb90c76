/** A disk's image with a remastered Core. */
import { out, task } from "../src/engine/index.ts";
import { assembleDisk, assemblyParams, assemblyTools, diskName } from "./disk-assembly.ts";
import { diskLoaders } from "./disk-loaders.ts";
import { remasterDiskData } from "./remaster-disk-data.ts";
import { diskFormat } from "./settings/disk-options.ts";
import { remasterFile } from "./settings/remaster-options.ts";

const shown = (variant: string, format: string): string =>
  `build-files/${diskName(`remaster-${variant}`, format)}`;

export const remasterDisk = task({
  name: "remaster-disk",
  description: "Remaster Tiny Core on a disk: an image that boots, with your extensions in its tce directory",
  group: "build",
  needs: { loaders: diskLoaders, data: remasterDiskData },
  // The file is read by the defaults of other parameters.
  params: { ...assemblyParams, remasterFile },
  optionalTools: assemblyTools,
  outputs: {
    image: out.artifact(({ variant, value }) => shown(variant, value(diskFormat)), { sparse: true }),
  },
  async run(context) {
    const { needs, params, outputs, variant } = context;
    await assembleDisk({ ...needs, shown: shown(variant, params.diskFormat) }, outputs.image, context);
  },
});
