/** The files that a build puts into the workspace: what the user came for. */
import path from "node:path";
import { displayPath, type Graph, outputsOnDisk, type State, type Task } from "../../engine/index.ts";

export interface Artifact {
  /** Relative to the workspace. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** The files that the named targets put into the workspace, as they stand there. */
export async function artifactsOf(
  state: State,
  tasks: readonly Task[],
  graph: Graph,
): Promise<readonly Artifact[]> {
  const artifacts: Artifact[] = [];
  for (const bound of graph.values()) {
    if (!tasks.includes(bound.task)) continue;
    for (const { output, entry, within } of await outputsOnDisk(bound, state)) {
      if (output.place !== "workspace" || entry.type !== "file") continue;
      artifacts.push({
        path: path.join(displayPath(state.workspace, output.path), within),
        bytes: entry.size,
        sha256: entry.digest,
      });
    }
  }
  return artifacts;
}
