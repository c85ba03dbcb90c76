/**
 * The descriptions of the extensions in `tmp/builtin`, which the image does not carry: a bill of materials has versions and
 * licences from them. Nothing else needs them, so no other build asks for them.
 */
import path from "node:path";
import { file, out, task } from "../src/engine/index.ts";
import { extensionArtifacts } from "../src/fetch/index.ts";
import { fetchIso } from "./fetch-iso.ts";
import { readList, resolveExtensions } from "./fetch-tcz.ts";
import { readCoreFacts } from "./image/core-facts.ts";
import { ownIndex, readIndex } from "./own-index.ts";
import { ownByName } from "./packaging/own-extensions.ts";
import { builtinList, mirrorList } from "./settings/project-options.ts";
import { developmentOnly } from "./source/development-pins.ts";
import { sourceEnv, sourceInputs, sourceNeeds, sourceParams, withSource } from "./source/index.ts";
import { lockInput } from "./source/source-lock.ts";

export const fetchInfo = task({
  name: "fetch-info",
  description: "Fetch the descriptions of the builtin extensions",
  internal: true,
  needs: { iso: fetchIso, own: ownIndex, ...sourceNeeds },
  inputs: {
    ...sourceInputs,
    builtin: file(builtinList, { byLine: true }),
    mirror: file(mirrorList, { byLine: true }),
    lock: lockInput((name) => /\.tcz(\.|$)/.test(name)),
  },
  params: sourceParams,
  passEnv: sourceEnv,
  pool: "network",
  outputs: {
    /** `NAME.tcz.info`, as far as the mirror has them. */
    infos: out.directory("infos"),
  },
  async run(context) {
    const { inputs, needs, outputs, variant, note } = context;
    const { kernelRelease } = await readCoreFacts(needs.iso.core);
    await withSource(context, async (opened) => {
      const { closure } = await resolveExtensions(opened, {
        kernel: kernelRelease,
        own: ownByName(await readIndex(needs.own.index), kernelRelease),
        builtin: await readList(inputs.builtin),
        mirrored: await readList(inputs.mirror),
        exclude: variant === "prod" ? developmentOnly : [],
      });
      const all = extensionArtifacts(opened.mirror, [], closure.builtin);
      const wanted = all.filter(({ name }) => name.endsWith(".info"));
      const blocked = new Set((await opened.blocked(wanted)).map(({ name }) => name));
      if (blocked.size > 0)
        note(
          `${blocked.size} of ${wanted.length} descriptions are neither pinned nor in the cache, so their extensions' licences are not known`,
        );
      const lines = await opened.fetch(wanted.filter(({ name }) => !blocked.has(name)));
      for (const [name, line] of lines) await opened.place(line, path.join(outputs.infos, name));
    });
  },
});
