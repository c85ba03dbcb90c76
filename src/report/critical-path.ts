/** The chain of tasks that decided how long a build took. */
import type { ReportRun, ReportTask } from "./data.ts";

/** Ids of the tasks, first one first: of each task the need that ended last. Empty where nothing is known to have run. */
export function criticalPath(run: ReportRun, graph: readonly ReportTask[]): readonly string[] {
  const ends = new Map<string, number>();
  for (const { category, name, end } of run.spans) if (category === "task") ends.set(name, end);
  const needsOf = new Map(graph.map(({ id, needs }) => [id, needs]));
  const path: string[] = [];
  let at = lastOf([...ends.keys()], ends);
  while (at !== undefined && !path.includes(at)) {
    path.unshift(at);
    at = lastOf(needsOf.get(at) ?? [], ends);
  }
  return path;
}

function lastOf(ids: readonly string[], ends: ReadonlyMap<string, number>): string | undefined {
  let last: string | undefined;
  for (const id of ids) if (ends.has(id) && (ends.get(id) ?? 0) > (ends.get(last ?? "") ?? -1)) last = id;
  return last;
}
