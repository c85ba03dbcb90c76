/** The extensions that the project defines itself: their names, and what they need. Nothing is packed here. */
import { readFile, writeFile } from "node:fs/promises";
import { files, out, task } from "../src/engine/index.ts";
import { type Definition, readDefinitions } from "./packaging/definition.ts";
import { extensionEntries, extensionsDirectory } from "./settings/own-extensions.ts";

export const ownIndex = task({
  name: "own-index",
  description: "Read what the extensions in extensions/ need",
  internal: true,
  variants: "shared",
  inputs: {
    dependencies: files(["*.tcz.dep", "*/dep"], { root: extensionsDirectory, optional: true }),
  },
  params: { extensionEntries },
  outputs: {
    /** An array of `Definition`. */
    index: out.file("index.json"),
  },
  async run({ inputs, params, outputs, note }) {
    const { definitions, notes } = await readDefinitions(
      inputs.dependencies.root,
      params.extensionEntries,
      extensionsDirectory,
    );
    for (const sentence of notes) note(sentence);
    await writeFile(outputs.index, `${JSON.stringify(definitions, undefined, 1)}\n`);
  },
});

/** Reads the index at an absolute path. */
export async function readIndex(file: string): Promise<readonly Definition[]> {
  return JSON.parse(await readFile(file, "utf8")) as readonly Definition[];
}
