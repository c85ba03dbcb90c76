/** Prints the bill of materials of an image: of one that is named, or of the ISO that the project builds. */
import { createReadStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { billOf, formatCycloneDx, formatSpdx, imageAlone } from "../src/bom/index.ts";
import { command } from "../src/engine/index.ts";
import { UsageError } from "../src/errors/index.ts";
import { billOfMaterials } from "./bill-of-materials.ts";
import { billTool } from "./image/bill-sources.ts";
import { withImage } from "./image/opened-image.ts";
import { limitParams, limitsGiven } from "./settings/limit-options.ts";

export const sbom = command({
  name: "sbom",
  takes: "[IMAGE]",
  offers: "files",
  description: "Print the bill of materials of an image (default: of the project's ISO)",
  group: "look",
  params: limitParams,
  formats: ["cyclonedx", "spdx"],
  needsProject: (words) => words.length === 0,
  async run(context) {
    const { words, build, write, value, note, format } = context;
    const [named, ...more] = words;
    if (more.length > 0) {
      throw new UsageError("`sbom` takes at most one image", {
        code: "sbom-usage",
        hint: "usage: task sbom [IMAGE] [--format cyclonedx|spdx]",
      });
    }
    if (named === undefined) {
      const { cyclonedx, spdx } = await build(billOfMaterials);
      await write(createReadStream(format === "spdx" ? spdx : cyclonedx));
      return;
    }
    const limits = await limitsGiven(value);
    const spoolDir = await mkdtemp(path.join(tmpdir(), "razor-mk-sbom-"));
    try {
      await withImage(context, named, async (image, file) => {
        const sources = imageAlone({ spoolDir, limits, note });
        const bill = await billOf(image, { ...sources, file, tool: billTool });
        await write(bytesOf(format === "spdx" ? formatSpdx(bill) : await formatCycloneDx(bill)));
      });
    } finally {
      await rm(spoolDir, { recursive: true, force: true });
    }
  },
});

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
