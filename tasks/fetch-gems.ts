/** The gems of `gem.list` and their runtime dependencies, fetched and verified without Ruby. */
import { copyFile, readFile } from "node:fs/promises";
import path from "node:path";
import { file, out, task, when } from "../src/engine/index.ts";
import { openGemIndex, parseGemList, resolveGems } from "../src/fetch/index.ts";
import { gemServerUri, source } from "./options.ts";
import { sampleSource } from "./sample-source.ts";
import { sourceEnv, sourceInputs, sourceParams, withSource } from "./source.ts";
import { lockInput } from "./source-lock.ts";

export const fetchGems = task({
  name: "fetch-gems",
  description: "Fetch the gems of lists/gem.list and what they need at run time",
  variants: "shared",
  needs: { sample: when(source, "sample", sampleSource) },
  inputs: {
    ...sourceInputs,
    list: file("lists/gem.list", { byLine: true }),
    lock: lockInput((name) => name.endsWith(".gem")),
  },
  params: { ...sourceParams, gemServerUri },
  passEnv: sourceEnv,
  pool: "network",
  outputs: { gems: out.directory("gems") },
  async run(context) {
    const { inputs, outputs, params } = context;
    const requests = parseGemList(await readFile(inputs.list, "utf8"), "lists/gem.list");
    await withSource(context, async (opened) => {
      const server = params.gemServerUri ?? opened.gems;
      const index = openGemIndex(server, opened.transport);
      const { artefacts } = await resolveGems({
        requests,
        server,
        index,
        lock: opened.lock,
        policy: opened.policy,
      });
      const lines = await opened.fetch(artefacts);
      for (const [name, line] of lines) await opened.place(line, path.join(outputs.gems, name));
    });
    await copyFile(inputs.list, path.join(outputs.gems, "gem.list"));
  },
});
