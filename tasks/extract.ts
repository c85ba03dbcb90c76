/** Lays out files of an image in a directory. */
import path from "node:path";
import { command, param } from "../src/engine/index.ts";
import { UsageError, UserError } from "../src/errors/index.ts";
import { printName, type TreeNode } from "../src/formats/index.ts";
import { createShell, ProcessGroups } from "../src/host/index.ts";
import { chooseView, extractEntries, findPath, pathsBelow } from "../src/inspection/index.ts";
import { imageParams, layerName, withImage } from "./image/opened-image.ts";

const to = param.optional({
  name: "to",
  description: "with extract: the directory, which must be empty or not exist",
  value: "DIR",
});

const keep = param.switch({
  name: "keep-existing",
  description: "with extract: accept a directory with other files; none is replaced",
  default: false,
});

export const extract = command({
  name: "extract",
  takes: "<IMAGE> [PATH...]",
  offers: "files",
  description: "Extract files of an image into a directory (--to DIR)",
  params: { ...imageParams, to, keep },
  needsProject: () => false,
  async run(context) {
    const { words, cwd, show, value } = context;
    const [named, ...paths] = words;
    const folder = await value(to);
    if (named === undefined || folder === undefined || folder === "") {
      throw new UsageError(`\`extract\` needs ${named === undefined ? "an image" : "a directory"}`, {
        code: "extract-usage",
        hint: "usage: task extract IMAGE [PATH...] --to DIR",
      });
    }
    await withImage(context, named, async (image, file) => {
      const { tree } = await chooseView(image, await value(layerName));
      const chosen = new Set<string>();
      for (const one of paths.length === 0 ? ["/"] : paths) {
        const found = findPath(tree, one);
        if (found !== "") chosen.add(found);
        if (found === "" || tree.get(found)?.type === "directory")
          for (const below of pathsBelow(tree, found)) chosen.add(below);
      }
      const { entries, manifest } = await extractEntries(tree, [...chosen], path.resolve(cwd, folder), {
        isRoot: process.geteuid?.() === 0,
        keep: await value(keep),
        label: file,
        hint: "remove its contents, name another directory, or add --keep-existing",
        makeDevice,
      });
      const inFolder = manifest === undefined ? undefined : path.join(folder, path.basename(manifest));
      const note = inFolder === undefined ? "" : `; owners and devices are in ${printName(inFolder)}`;
      show(
        {
          image: named,
          directory: folder,
          entries,
          ...(inFolder === undefined ? {} : { manifest: inFolder }),
        },
        [`${entries} entries in ${printName(folder)}${note}`],
      );
    });
  },
});

async function makeDevice(file: string, node: TreeNode): Promise<void> {
  const $ = await createShell({ cwd: path.dirname(file), groups: new ProcessGroups(), tools: ["mknod"] });
  const numbers = "major" in node ? [`${node.major}`, `${node.minor}`] : [];
  const letter = node.type === "char" ? "c" : node.type === "block" ? "b" : "p";
  try {
    await $`mknod -m 0600 ${file} ${letter} ${numbers}`;
  } catch (cause) {
    throw new UserError(`cannot make the ${node.type} node`, {
      code: "tool-failed",
      where: printName(file),
      hint: "extract as another user than root: the node is then an entry of .manifest",
      cause,
    });
  }
}
