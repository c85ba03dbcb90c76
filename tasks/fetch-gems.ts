/** The gems of `gem.list` and their runtime dependencies, fetched and verified without Ruby. */

import { copyFile, readFile } from "node:fs/promises";
import path from "node:path";
import { file, out, task } from "../src/engine/index.ts";
import {
  type Artifact,
  type GemRequest,
  openGemIndex,
  parseGemList,
  resolveGems,
  type Wanted,
} from "../src/fetch/index.ts";
import { FetchedTimes } from "./image/fetched-times.ts";
import { gemList } from "./settings/project-options.ts";
import { shownPath } from "./settings/shown-path.ts";
import {
  type Source,
  sourceEnv,
  sourceInputs,
  sourceNeeds,
  sourceParams,
  withSource,
} from "./source/index.ts";
import { absoluteLocation } from "./source/kinds/source-name.ts";
import { lockInput } from "./source/source-lock.ts";
import { gemServerUri, settingNames } from "./source/source-options.ts";

export const fetchGems = task({
  name: "fetch-gems",
  description: "Fetch the gems of lists/gem.list and their runtime dependencies",
  group: "fetch",
  variants: "shared",
  needs: sourceNeeds,
  inputs: {
    ...sourceInputs,
    list: file(gemList, { byLine: true }),
    lock: lockInput((name) => name.endsWith(".gem")),
  },
  params: { ...sourceParams, gemServerUri },
  passEnv: sourceEnv,
  pool: "network",
  outputs: {
    gems: out.directory("gems"),
    /** When each of them was made, for `readTimes`, by its file name. */
    times: out.file("times.json"),
  },
  async run(context) {
    const { inputs, outputs, params } = context;
    const label = shownPath(inputs.list);
    const requests = parseGemList(await readFile(inputs.list, "utf8"), label);
    await withSource(context, async (opened) => {
      const unresolved: Wanted[] = [];
      const plan = await planGems(opened, requests, params.gemServerUri, (wanted) => unresolved.push(wanted));
      const lines = await opened.fetch(plan, unresolved);
      const times = new FetchedTimes(opened.kind.lock);
      for (const [name, line] of lines) {
        await opened.place(line, path.join(outputs.gems, name));
        times.add(name, line);
      }
      await times.write(outputs.times);
    });
    if (requests.length > 0) await copyFile(inputs.list, path.join(outputs.gems, "gem.list"));
  },
});

/** The gems to fetch: pinned releases where they still fit, from the source's gem server or another. */
export async function planGems(
  opened: Pick<Source, "gems" | "lock" | "policy" | "transport">,
  requests: readonly GemRequest[],
  serverUri: string | undefined,
  onUnpinned?: (wanted: Wanted) => void,
): Promise<readonly Artifact[]> {
  const { lock, policy, transport } = opened;
  const server = serverUri === undefined ? opened.gems : absoluteLocation(serverUri);
  const index = openGemIndex(server, transport);
  const told = onUnpinned === undefined ? {} : { onUnpinned };
  const { artifacts } = await resolveGems({
    requests,
    server,
    index,
    lock,
    policy,
    settings: settingNames,
    ...told,
  });
  return artifacts;
}
