/** COPYING in the image: the project's own text, and each component with the licence that it states. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { type Component, componentsOf, describeLicence, imageAlone } from "../src/bom/index.ts";
import { only, out, task, whenText } from "../src/engine/index.ts";
import { FileTree, treeFromDirectory } from "../src/formats/index.ts";
import { convertDebs, namesPackages } from "./convert-debs.ts";
import { fetchExtras } from "./fetch-extras.ts";
import { fetchGems } from "./fetch-gems.ts";
import { fetchIso } from "./fetch-iso.ts";
import { fetchTcz } from "./fetch-tcz.ts";
import { unpackedExtras } from "./image/bill-sources.ts";
import { readCoreFacts } from "./image/core-facts.ts";
import { limitParams, limitsOf } from "./settings/limit-options.ts";
import { builtinList, copyingText, mirrorList } from "./settings/project-options.ts";
import { undated } from "./settings/undated.ts";

export const copying = task({
  name: "copying",
  description: "Write which licences the parts of the image have",
  internal: true,
  needs: {
    iso: only(fetchIso, "boot", "core"),
    tcz: only(fetchTcz, "builtin", "mirror"),
    gems: only(fetchGems, "gems"),
    extras: only(fetchExtras, "extras"),
    debs: whenText([builtinList, mirrorList], namesPackages, convertDebs),
  },
  inputs: { text: copyingText },
  params: limitParams,
  outputs: { copying: out.file("COPYING") },
  async run({ needs, inputs, params, outputs, scratch, note }) {
    const { kernel, kernelRelease } = await readCoreFacts(needs.iso.core);
    const machine = new FileTree();
    const directories = [
      ["tmp/builtin", needs.tcz.builtin],
      ["tmp/tinycorelinux", needs.tcz.mirror],
      ["opt/gems", needs.gems.gems],
    ] as const;
    for (const [target, directory] of directories)
      machine.addTree(await treeFromDirectory(directory, { mtime: undated }), target);
    const limits = limitsOf(params);
    const components = await componentsOf(
      {
        ...{ machine, iso: await treeFromDirectory(needs.iso.boot, { mtime: undated }), kernel },
        release: kernelRelease,
      },
      {
        ...imageAlone({ spoolDir: scratch, limits, note }),
        infos: await readInfos(needs.debs?.extensions),
        extras: await unpackedExtras(needs.extras.extras, { limits }),
      },
    );
    const text = (await readFile(inputs.text, "utf8")).trimEnd();
    await writeFile(outputs.copying, `${text}\n\n${describe(components)}`);
  },
});

/** Texts of the `.info` files in a directory (absolute), by the extension's file name; none without one. */
export async function readInfos(directory: string | undefined): Promise<ReadonlyMap<string, string>> {
  const infos = new Map<string, string>();
  for (const name of directory === undefined ? [] : (await readdir(directory)).sort())
    if (name.endsWith(".tcz.info"))
      infos.set(name.slice(0, -".info".length), await readFile(path.join(directory ?? "", name), "utf8"));
  return infos;
}

function describe(components: readonly Component[]): string {
  // Packages are inside of extensions, which state their licences.
  const parts = components.filter(({ kind }) => kind !== "deb");
  const paragraphs = parts.map(({ name, version, licences }) => {
    const stated = licences.map(describeLicence).sort().join("; ") || "not stated in the image";
    return `${version === undefined ? name : `${name} ${version}`}\n${wrapped(stated)}`;
  });
  return `The parts of this image, and the licences that they state:\n\n${paragraphs.join("")}`;
}

/** Indented lines of at most 100 characters, broken at blanks. */
function wrapped(text: string): string {
  const lines = text.match(/\S(?:.{0,94}\S)?(?=\s|$)/g) ?? [text];
  return lines.map((line) => `    ${line}\n`).join("");
}
