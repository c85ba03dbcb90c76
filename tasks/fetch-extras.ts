/** What is neither extension nor gem: RubyGems itself, MCollective, open-vm-tools. Each may be switched off. */
import path from "node:path";
import { out, task } from "../src/engine/index.ts";
import type { Artifact } from "../src/fetch/index.ts";
import { FetchedTimes } from "./image/fetched-times.ts";
import {
  type Source,
  sourceEnv,
  sourceInputs,
  sourceNeeds,
  sourceParams,
  withSource,
} from "./source/index.ts";
import type { ExtraName } from "./source/kinds/source-kind.ts";
import { absoluteLocation } from "./source/kinds/source-name.ts";
import { lockInput } from "./source/source-lock.ts";
import { mcollectiveUrl, openVmToolsUrl, rubyGemsUrl } from "./source/source-options.ts";

export const fetchExtras = task({
  name: "fetch-extras",
  description: "Fetch RubyGems, MCollective and open-vm-tools if the source has them",
  group: "fetch",
  variants: "shared",
  needs: sourceNeeds,
  inputs: { ...sourceInputs, lock: lockInput((name) => /\.(tgz|tar\.gz)$/.test(name)) },
  params: { ...sourceParams, rubyGemsUrl, mcollectiveUrl, openVmToolsUrl },
  passEnv: sourceEnv,
  pool: "network",
  outputs: {
    /** The tarballs; one that is switched off is not there. */
    extras: out.directory("extras"),
    /** When each of them was made, for `readTimes`, by its file name. */
    times: out.file("times.json"),
  },
  async run(context) {
    const { outputs, params } = context;
    await withSource(context, async (opened) => {
      const plan = planExtras(opened, params);
      const lines = await opened.fetch(plan.map(([, artifact]) => artifact));
      const times = new FetchedTimes(opened.kind.lock);
      for (const [name, artifact] of plan) {
        const fileName = name === "open-vm-tools" ? "mk-open-vm-tools.tar.gz" : artifact.name;
        await opened.place(lines.get(artifact.name), path.join(outputs.extras, fileName));
        times.add(fileName, lines.get(artifact.name));
      }
      await times.write(outputs.times);
    });
  },
});

/** The user's URLs; `none` leaves an extra out. */
interface ExtraUrls {
  readonly rubyGemsUrl: string | undefined;
  readonly mcollectiveUrl: string | undefined;
  readonly openVmToolsUrl: string | undefined;
}

/** The tarballs to fetch, each under the name of what it is. */
export function planExtras(
  opened: Pick<Source, "extras">,
  urls: ExtraUrls,
): readonly (readonly [ExtraName, Artifact])[] {
  const given: Readonly<Record<ExtraName, string | undefined>> = {
    rubygems: urls.rubyGemsUrl,
    mcollective: urls.mcollectiveUrl,
    "open-vm-tools": urls.openVmToolsUrl,
  };
  return (Object.keys(given) as ExtraName[]).flatMap((name): readonly [ExtraName, Artifact][] => {
    const url = given[name] === "none" ? undefined : (given[name] ?? opened.extras[name]);
    return url === undefined ? [] : [[name, tarballArtifact(absoluteLocation(url))]];
  });
}

function tarballArtifact(url: string): Artifact {
  const name = decodeURIComponent(path.posix.basename(new URL(url, "file:///").pathname));
  return { name, url, kind: "tarball" };
}
