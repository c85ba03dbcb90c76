/** Who needs whom in a bound graph, and what a task sees of those it needs. */

import type { Digest, TaskId } from "../define/names.ts";
import type { Listing } from "../files/listing.ts";
import { digestOfOutputs } from "../files/listing.ts";
import { type BoundTask, type Graph, neededSlots } from "./bound-task.ts";

/** The needs of a task that apply in this build. */
export function needsOf(bound: BoundTask): readonly TaskId[] {
  return [...bound.needs.values()].filter((id) => id !== undefined);
}

/** For each task those that need it in this build. */
export function dependentsOf(graph: Graph): ReadonlyMap<TaskId, readonly BoundTask[]> {
  const dependents = new Map<TaskId, BoundTask[]>();
  for (const bound of graph.values()) {
    for (const need of new Set(needsOf(bound))) {
      const known = dependents.get(need);
      if (known === undefined) dependents.set(need, [bound]);
      else known.push(bound);
    }
  }
  return dependents;
}

/** What a task sees of those it needs, by the names that it gives them. */
export function digestsOfNeeds(
  bound: BoundTask,
  made: ReadonlyMap<TaskId, Listing>,
): ReadonlyMap<string, Digest | undefined> {
  return new Map(
    [...bound.needs].map(([name, id]) => {
      const outputs = id && made.get(id);
      return [name, outputs && digestOfOutputs(outputs, neededSlots(bound, name))] as const;
    }),
  );
}
