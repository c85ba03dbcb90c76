/** The extensions of which `lists/edits.yaml` takes files: fetched, or made, with what they need. Needed only where an edit takes any. */
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { file, out, task } from "../src/engine/index.ts";
import { extensionArtifacts, fillKernel, loadExtensions, orderExtensions } from "../src/fetch/index.ts";
import { readCoreFacts } from "./image/core-facts.ts";
import { readEditList } from "./image/edit-list.ts";
import {
  makeWanted,
  packagingInputs,
  packagingNeeds,
  packagingParams,
  packagingTools,
} from "./own-extensions.ts";
import { readIndex } from "./own-index.ts";
import { ownByName } from "./packaging/own-extensions.ts";
import { editsFile } from "./settings/edit-options.ts";
import { sourceEnv, withSource } from "./source/index.ts";
import { settingNames } from "./source/source-options.ts";

/** Whether an edit takes files of an extension. */
export function takesFiles(edits: string): boolean {
  return /^\s*-\s*["']?(take|unpack)["']?\s*:/m.test(edits);
}

export const takenExtensions = task({
  name: "taken-extensions",
  description: "Fetch the extensions of which lists/edits.yaml takes files",
  internal: true,
  variants: "shared",
  needs: packagingNeeds,
  inputs: { ...packagingInputs, edits: file(editsFile, { optional: true }) },
  params: packagingParams,
  passEnv: sourceEnv,
  optionalTools: packagingTools,
  pool: "network",
  outputs: {
    /** The extensions, and `order.json`: for each that an edit names, its file name and those that it needs, these first. */
    extensions: out.directory("extensions"),
  },
  async run(context) {
    const { needs, inputs, outputs, scratch, note } = context;
    const { kernelRelease } = await readCoreFacts(needs.iso.core);
    const own = ownByName(await readIndex(needs.own.index), kernelRelease);
    const { edits } = await readEditList(await readFile(inputs.edits, "utf8"), editsFile);
    const names = new Set(edits.flatMap((edit) => ("from" in edit ? [edit.from] : [])));
    const order: Record<string, readonly string[]> = {};
    await withSource(context, async (opened) => {
      const { mirror, lock, policy, catalogue } = opened;
      const common = { mirror, lock, policy, catalogue, settings: settingNames, own, kernel: kernelRelease };
      for (const given of names) {
        const name = fillKernel(given, kernelRelease, editsFile);
        const root = { name, kind: "tcz", where: editsFile } as const;
        const graph = await loadExtensions({ ...common, builtin: [root], mirrored: [] });
        const closure = orderExtensions(graph);
        for (const { where, message } of closure.warnings) note(`${where}: ${message}`);
        const lines = await opened.fetch(extensionArtifacts(mirror, closure.builtin));
        for (const item of closure.builtin) {
          const target = path.join(outputs.extensions, item.name);
          if (item.kind === "tcz" && !item.node.isOwn) await opened.place(lines.get(item.name), target);
        }
        order[given] = closure.builtin.map((item) => item.name);
        const wanted = [...graph.nodes.values()].filter(({ isOwn }) => isOwn).map((node) => node.name);
        const made = path.join(scratch, "made");
        await mkdir(made, { recursive: true });
        if (wanted.length > 0) await makeWanted(wanted, made, context, opened);
        for (const one of wanted) await copyFile(path.join(made, one), path.join(outputs.extensions, one));
      }
    });
    await writeFile(path.join(outputs.extensions, "order.json"), `${JSON.stringify(order, undefined, 1)}\n`);
  },
});
