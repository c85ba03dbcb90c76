/** Lays out files of an image in a directory. */
import path from "node:path";
import { command, param } from "../src/engine/index.ts";
import { UsageError, UserError } from "../src/errors/index.ts";
import { printName, type TreeNode } from "../src/formats/index.ts";
import { createShell, ProcessGroups } from "../src/host/index.ts";
import { chooseView, extractEntries, findPath, pathsBelow } from "../src/inspection/index.ts";
import { imageParams, layerName, withImage } from "./image/opened-image.ts";
import { to } from "./settings/to-option.ts";

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
  group: "look",
  params: { ...imageParams, to, keep },
  needsProject: () => false,
  async run(context) {
    const { words, cwd, show, value } = context;
    const [named, ...paths] = words;
    const directory = await value(to);
    if (named === undefined || directory === undefined || directory === "") {
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
      const { entries, manifest } = await extractEntries(tree, [...chosen], path.resolve(cwd, directory), {
        isRoot: process.geteuid?.() === 0,
        keep: await value(keep),
        label: file,
        hint: "remove its contents, name another directory, or add --keep-existing",
        makeDevice,
      });
      const inDirectory = manifest === undefined ? undefined : path.join(directory, path.basename(manifest));
      const note = inDirectory === undefined ? "" : `; owners and devices are in ${printName(inDirectory)}`;
      show(
        {
          image: named,
          directory: directory,
          entries,
          ...(inDirectory === undefined ? {} : { manifest: inDirectory }),
        },
        [`${entries} entries in ${printName(directory)}${note}`],
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
