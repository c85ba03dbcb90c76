/** Removes artifacts whose parameter values changed during the build, such as a version read before a checkout. */
import { rm } from "node:fs/promises";
import type { Graph } from "../bind/bound-task.ts";
import type { TaskId } from "../define/names.ts";
import type { State } from "../state/state.ts";

/**
 * Removes the artifacts of those tasks in `ran` that take one of the parameters named in `moved`: they may hold newer files
 * than their name and version say. Their stamps go first. Outputs in the cache stay, since no user reads them.
 */
export async function removeMislabelled(
  graph: Graph,
  ran: ReadonlySet<TaskId>,
  moved: readonly string[],
  state: State,
): Promise<void> {
  for (const bound of graph.values()) {
    if (!ran.has(bound.id) || !moved.some((name) => bound.named.has(name))) continue;
    state.stamps.drop(bound.id);
    for (const { place, path } of bound.outputs) {
      if (place !== "workspace") continue;
      await rm(path, { recursive: true, force: true });
      state.files.forgetBelow(path);
    }
  }
}
