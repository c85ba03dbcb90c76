/** The kickstart file of the ISO: the project's template, rendered and checked. */
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { command, file, out, task } from "../../src/engine/index.ts";
import { epoch, isoVersion } from "../settings/image-options.ts";
import { treeUrl } from "../settings/rpm-options.ts";
import { shownPath } from "../settings/shown-path.ts";
import { renderKickstart } from "./kickstart-file.ts";
import { kickstartFile } from "./rpm-files.ts";

export const kick = command({
  name: "kick",
  description: "Check the kickstart file, and show it as the ISO has it",
  group: "build",
  params: { isoVersion, epoch, treeUrl },
  async run({ build, print }) {
    const { directory } = await build(kickstart);
    for (const name of await readdir(directory)) {
      const text = await readFile(path.join(directory, name), "utf8");
      for (const line of text.trimEnd().split("\n")) print(line);
    }
  },
});

export const kickstart = task({
  name: "kickstart",
  description: "Render and check the kickstart file",
  internal: true,
  variants: "shared",
  inputs: { template: file(kickstartFile, { optional: true }) },
  params: { isoVersion, epoch, treeUrl },
  outputs: {
    /** `ks.cfg`, unless the project has none. */
    directory: out.directory("kickstart"),
  },
  async run({ inputs, params, outputs }) {
    if (!existsSync(inputs.template)) return;
    const fields = {
      version: params.isoVersion,
      date: new Date(Number(params.epoch) * 1000).toISOString().slice(0, 10),
      ...(params.treeUrl === "" ? {} : { url: params.treeUrl }),
    };
    const text = renderKickstart(await readFile(inputs.template, "utf8"), fields, shownPath(inputs.template));
    await writeFile(path.join(outputs.directory, "ks.cfg"), text);
  },
});
