/** What a build would do, found out with the build's own decisions; it writes nothing. */
import { digestsOfNeeds, needsOf } from "../bind/adjacency.ts";
import { requireSetInputs } from "../bind/graph.ts";
import { decide } from "../decide/decision.ts";
import type { Reason } from "../decide/reason.ts";
import type { AbsolutePath, TaskId } from "../define/names.ts";
import type { Listing } from "../files/listing.ts";
import { bind } from "./build.ts";
import type { BuildRequest, Workspace } from "./build-request.ts";

/** What a build would do with one task, without doing it. */
export interface Forecast {
  readonly id: TaskId;
  readonly verdict: "fresh" | "restore" | "run" | "maybe";
  readonly reasons: readonly Reason[];
}

/** What a build would do, in the order of the graph; writes nothing. */
export async function forecast(
  workspace: Workspace,
  request: Pick<BuildRequest, "targets" | "variant" | "values" | "force">,
): Promise<readonly Forecast[]> {
  const graph = await bind(workspace, request);
  requireSetInputs(graph);
  const made = new Map<TaskId, Listing>();
  const forecasts: Forecast[] = [];
  const foundTools = new Map<string, AbsolutePath>();
  for (const [id, bound] of graph) {
    const uncertain = needsOf(bound).filter((need) => !made.has(need));
    if (uncertain.length > 0) {
      forecasts.push({
        id,
        verdict: "maybe",
        reasons: uncertain.map((need) => ({ kind: "need-reruns", need: graph.get(need)?.task.name ?? need })),
      });
      continue;
    }
    const needs = digestsOfNeeds(bound, made);
    const forced = request.force === "all" || request.force.has(bound.task.name);
    const decision = await decide(bound, needs, forced, { ...workspace, foundTools });
    if (decision.kind === "run") {
      forecasts.push({ id, verdict: "run", reasons: decision.reasons });
    } else {
      made.set(id, decision.outputs);
      forecasts.push({
        id,
        verdict: decision.kind,
        reasons: decision.kind === "fresh" ? [] : decision.reasons,
      });
    }
  }
  return forecasts;
}
