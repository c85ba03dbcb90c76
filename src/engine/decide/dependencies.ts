/**
 * What the finding that nothing has to be done rests on: every path whose status would have to change before a build
 * could find anything else. It knows which paths these are, not what becomes of them.
 */

import path from "node:path";
import type { BoundTask, Graph } from "../bind/bound-task.ts";
import { inputPath } from "../bind/input-path.ts";
import { neededTools, usefulTools } from "../bind/optional-tool.ts";
import { placesOfTool } from "../bind/tool.ts";
import type { ParameterValues } from "../define/parameter-values.ts";
import { directoriesOf } from "../files/file-set.ts";
import type { State } from "../state/state.ts";

export interface UpToDateDependencies {
  /** Absolute paths whose own status counts, links not followed; with what was seen there. */
  readonly looks: ReadonlyMap<string, boolean>;
  /** Absolute paths for which the status behind links counts. */
  readonly followed: readonly string[];
}

/**
 * The dependencies of a build in which every task was fresh. Undefined when some of it is not known: a directory changed so
 * lately that its file set is not remembered, or a default came from what cannot be named.
 */
export async function dependenciesOf(
  graph: Graph,
  state: State,
  values: ParameterValues,
): Promise<UpToDateDependencies | undefined> {
  const followed = new Set<string>();
  for (const bound of graph.values()) {
    const directories = inputDirectories(bound, state);
    if (directories === undefined) return undefined;
    for (const directory of directories) followed.add(directory);
    for (const text of await textsAsked(bound, values)) followed.add(path.resolve(state.workspace, text));
    for (const tool of [...neededTools(bound), ...usefulTools(bound)])
      for (const place of placesOfTool(tool)) followed.add(place);
  }
  const outside = await values.dependsOn();
  if (!outside.isWhole) return undefined;
  for (const one of outside.paths) followed.add(one);
  const logs = state.logFiles.map((file) => [file, true] as const);
  return { looks: new Map([...state.files.looks(), ...logs]), followed: [...followed] };
}

function inputDirectories(bound: BoundTask, state: State): readonly string[] | undefined {
  const all: string[] = [];
  for (const input of Object.values(bound.task.inputs)) {
    if (input.kind === "file") continue;
    const directory = inputPath(input, bound, state.workspace);
    const directories = directoriesOf(input, directory, state.workspace, state.fileLog);
    if (directories === undefined) return undefined;
    all.push(...directories);
  }
  return all;
}

/** The texts that say whether a need applies. */
async function textsAsked(bound: BoundTask, values: ParameterValues): Promise<readonly string[]> {
  const all: string[] = [];
  for (const need of Object.values(bound.task.needs)) {
    if (need.kind !== "conditional" || need.condition.kind !== "text") continue;
    for (const named of need.condition.files)
      all.push(typeof named === "string" ? named : await values.get(named));
  }
  return all;
}
