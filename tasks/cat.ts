/** Writes a file of an image to standard output. */
import { command } from "../src/engine/index.ts";
import { UsageError } from "../src/errors/index.ts";
import { streamContent } from "../src/formats/index.ts";
import { chooseView, fileAt } from "../src/inspection/index.ts";
import { imageParams, layerName, withImage } from "./image/opened-image.ts";

export const cat = command({
  name: "cat",
  takes: "<IMAGE> <PATH>",
  offers: "files",
  description: "Write a file of an image to standard output",
  params: imageParams,
  needsProject: () => false,
  async run(context) {
    const { words, write, value } = context;
    const [named, path] = words;
    if (named === undefined || path === undefined || words.length > 2) {
      throw new UsageError("`cat` needs an image and one path", {
        code: "cat-usage",
        hint: "usage: task cat IMAGE PATH",
      });
    }
    await withImage(context, named, async (image) => {
      const { tree } = await chooseView(image, await value(layerName));
      await write(streamContent(fileAt(tree, path).content));
    });
  },
});
