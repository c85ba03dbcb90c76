/** Finds which layer or extension of an image brings a file. Its exit status is grep's: 0 found, 1 not found, 2 trouble. */
import { command } from "../src/engine/index.ts";
import { UsageError } from "../src/errors/index.ts";
import { printName } from "../src/formats/index.ts";
import { findEntries, type Match } from "../src/inspection/index.ts";
import { withImage } from "./image/opened-image.ts";
import { limitParams } from "./settings/limit-options.ts";

export const find = command({
  name: "find",
  takes: "<IMAGE> <NAME>",
  offers: "files",
  description: "Find the layer or extension that brings a file (exit status as of grep)",
  params: limitParams,
  needsProject: () => false,
  failureStatus: 2,
  async run(context) {
    const { words, show } = context;
    const [named, name] = words;
    if (named === undefined || name === undefined || name === "" || words.length > 2) {
      throw new UsageError("`find` needs an image and a name", {
        code: "find-usage",
        hint: "usage: task find IMAGE NAME, e.g. task find my.iso 'libssl*'",
      });
    }
    return await withImage(context, named, async (image) => {
      const matches = await findEntries(image, name);
      show({ image: named, name, matches }, matches.map(describe));
      return matches.length === 0 ? 1 : 0;
    });
  },
});

function describe({ path, layer, use }: Match): string {
  return `${printName(path)}  [${printName(layer)}${use === "used" ? "" : `; ${notes[use]}`}]`;
}

const notes: Readonly<Record<Exclude<Match["use"], "used">, string>> = {
  replaced: "replaced by a later layer",
  unused: "not used: the path was there before",
  "not loaded": "not loaded at boot",
  beside: "beside the initrd",
};
