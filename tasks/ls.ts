/** Lists what is in an image: what the booted machine sees, or one layer. */
import { command, param } from "../src/engine/index.ts";
import { UsageError } from "../src/errors/index.ts";
import {
  chooseView,
  describeEntries,
  entryFacts,
  findPath,
  layerFacts,
  listedPaths,
} from "../src/inspection/index.ts";
import { imageParams, layerName, withImage } from "./image/opened-image.ts";

const layers = param.switch({
  name: "layers",
  description: "with ls: show the layer of each entry, and what it replaces",
  default: false,
});

const recursive = param.switch({
  name: "recursive",
  description: "with ls: list directories with all below them",
  default: false,
});

export const ls = command({
  name: "ls",
  takes: "<IMAGE> [PATH...]",
  offers: "files",
  description: "List the files of an image as the booted machine sees them",
  params: { ...imageParams, layers, recursive },
  needsProject: () => false,
  async run(context) {
    const { words, show, value } = context;
    const [named, ...paths] = words;
    if (named === undefined) {
      throw new UsageError("`ls` needs an image", {
        code: "ls-usage",
        hint: "usage: task ls IMAGE [PATH...]",
      });
    }
    const [isRecursive, withLayers] = [await value(recursive), await value(layers)];
    await withImage(context, named, async (image) => {
      const view = await chooseView(image, await value(layerName));
      const wanted = paths.length === 0 ? ["/"] : paths;
      const listed = new Set(
        wanted.flatMap((one) => listedPaths(view.tree, findPath(view.tree, one), isRecursive)),
      );
      const entries = entryFacts(view, [...listed]);
      const document = { image: named, kind: image.kind, layers: layerFacts(image), entries };
      show(document, describeEntries(entries, withLayers));
    });
  },
});
