/** What a build would do, found out with the build's own decisions; it writes nothing. */

import { UserError } from "../../errors/index.ts";
import { digestsOfNeeds, needsOf } from "../bind/adjacency.ts";
import { requireSetInputs } from "../bind/graph.ts";
import { type Decision, decide } from "../decide/decision.ts";
import type { Reason } from "../decide/reason.ts";
import { resultKeyOf } from "../decide/result-key.ts";
import type { AbsolutePath, TaskId } from "../define/names.ts";
import type { Listing } from "../files/listing.ts";
import type { ResultKey } from "../state/remote-cache.ts";
import { bind } from "./build.ts";
import type { BuildRequest, Workspace } from "./build-request.ts";
import { DeferredResults } from "./deferred-results.ts";

/** What a build would do with one task, without doing it. */
export interface Forecast {
  readonly id: TaskId;
  /** `unknown` in a partial forecast only. */
  readonly verdict: "fresh" | "restore" | "run" | "maybe" | "unknown";
  readonly reasons: readonly Reason[];
  /** The name of its result among machines; undefined where that is not known yet, or the result is not shared. */
  readonly key?: ResultKey;
  /** How long its last run took, if there was one. */
  readonly lastSeconds?: number;
}

interface ForecastRequest extends Pick<BuildRequest, "targets" | "variant" | "values" | "matrix" | "force"> {
  /** A task that cannot be decided, as its input is missing, has the verdict `unknown` instead of an error. */
  readonly partial?: true;
}

/** What a build would do, in the order of the graph; writes nothing. */
export async function forecast(workspace: Workspace, request: ForecastRequest): Promise<readonly Forecast[]> {
  const graph = await bind(workspace, request);
  if (request.partial !== true) requireSetInputs(graph);
  const made = new Map<TaskId, Listing>();
  const forecasts: Forecast[] = [];
  const foundTools = new Map<string, AbsolutePath>();
  const deferred = new DeferredResults(request.targets, workspace.state, false);
  for (const [id, bound] of graph) {
    const seconds = workspace.state.stamps.last(id)?.seconds;
    const last = seconds === undefined ? {} : { lastSeconds: seconds };
    const uncertain = needsOf(bound).filter((need) => !made.has(need));
    if (uncertain.length > 0) {
      forecasts.push({
        id,
        verdict: "maybe",
        reasons: uncertain.map((need) => ({ kind: "need-reruns", need: graph.get(need)?.task.name ?? need })),
        ...last,
      });
      continue;
    }
    const needs = digestsOfNeeds(bound, made);
    const forced = request.force === "all" || request.force.has(bound.task.name);
    let decision: Decision;
    try {
      decision = await decide(bound, needs, forced, { ...workspace, foundTools });
    } catch (error) {
      if (request.partial !== true || !(error instanceof UserError)) throw error;
      forecasts.push({ id, verdict: "unknown", reasons: [], ...last });
      continue;
    }
    const key = resultKeyOf(bound, decision.parts, graph);
    const named = key === undefined ? last : { key, ...last };
    const later =
      decision.kind === "fresh" || forced ? undefined : deferred.known(bound, decision.fingerprint);
    if (later !== undefined) {
      made.set(id, later.outputs);
      forecasts.push({ id, verdict: "fresh", reasons: [], ...named });
    } else if (decision.kind === "run") {
      forecasts.push({ id, verdict: "run", reasons: decision.reasons, ...named });
    } else {
      made.set(id, decision.outputs);
      forecasts.push({
        id,
        verdict: decision.kind,
        reasons: decision.kind === "fresh" ? [] : decision.reasons,
        ...named,
      });
    }
  }
  return forecasts;
}
