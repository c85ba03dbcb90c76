/** What is neither extension nor gem: RubyGems itself, MCollective, open-vm-tools. Each may be switched off. */
import path from "node:path";
import { out, task, when } from "../src/engine/index.ts";
import type { Artefact } from "../src/fetch/index.ts";
import { mcollectiveUrl, openVmToolsUrl, rubyGemsUrl, source } from "./options.ts";
import { sampleSource } from "./sample-source.ts";
import { sourceEnv, sourceInputs, sourceParams, withSource } from "./source.ts";
import type { ExtraName } from "./source-locations.ts";
import { lockInput } from "./source-lock.ts";

export const fetchExtras = task({
  name: "fetch-extras",
  description: "Fetch RubyGems, MCollective and open-vm-tools, as far as the source has them",
  variants: "shared",
  needs: { sample: when(source, "sample", sampleSource) },
  inputs: { ...sourceInputs, lock: lockInput((name) => /\.(tgz|tar\.gz)$/.test(name)) },
  params: { ...sourceParams, rubyGemsUrl, mcollectiveUrl, openVmToolsUrl },
  passEnv: sourceEnv,
  pool: "network",
  outputs: {
    /** The tarballs; one that is switched off is not there. */
    extras: out.directory("extras"),
  },
  async run(context) {
    const { outputs, params } = context;
    const given: Readonly<Record<ExtraName, string | undefined>> = {
      rubygems: params.rubyGemsUrl,
      mcollective: params.mcollectiveUrl,
      "open-vm-tools": params.openVmToolsUrl,
    };
    await withSource(context, async (opened) => {
      const plan = Object.entries(given).flatMap(([name, url]): readonly [ExtraName, Artefact][] => {
        const chosen = url === "none" ? undefined : (url ?? opened.extras[name as ExtraName]);
        return chosen === undefined ? [] : [[name as ExtraName, tarballArtefact(chosen)]];
      });
      const lines = await opened.fetch(plan.map(([, artefact]) => artefact));
      for (const [name, artefact] of plan) {
        const fileName = name === "open-vm-tools" ? "mk-open-vm-tools.tar.gz" : artefact.name;
        await opened.place(lines.get(artefact.name), path.join(outputs.extras, fileName));
      }
    });
  },
});

function tarballArtefact(url: string): Artefact {
  const name = decodeURIComponent(path.posix.basename(new URL(url, "file:///").pathname));
  return { name, url, kind: "tarball" };
}
