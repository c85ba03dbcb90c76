/** A bound graph brought up to date: what is fresh is found at once, the rest takes its turns. */
import { needsOf } from "../bind/adjacency.ts";
import type { BoundTask, Graph } from "../bind/bound-task.ts";
import { markUnchanged } from "../decide/unchanged-tasks.ts";
import type { TaskId } from "../define/names.ts";
import type { Stamp } from "../state/stamp.ts";
import type { BuildRequest, Workspace } from "./build-request.ts";
import { LookAhead } from "./look-ahead.ts";
import { RunContext, type RunServices } from "./run-context.ts";
import { schedule } from "./schedule.ts";
import { freshEvent } from "./task-events.ts";
import { TaskTurns } from "./task-turns.ts";

/** The pool of what runs on other machines; no task's own pool can have this name. */
const remotePool = "@remote";

/** Brings every task of the graph up to date; false when one failed or was skipped. Tells of each through `onEvent`. */
export async function runGraph(
  graph: Graph,
  workspace: Workspace,
  request: BuildRequest,
  services: RunServices,
): Promise<boolean> {
  const run = new RunContext(graph, workspace, request, services);
  const turns = new TaskTurns(run);
  const { watcher, signal } = request;
  const { made, nodes, deferred, remote, elsewhere, cancellation, seen } = run;
  const onFresh = (bound: BoundTask, stamp: Stamp): void => request.onEvent(freshEvent(bound, stamp));
  // A watch needs the inputs that each task saw, so it decides every task individually.
  if (watcher === undefined) {
    const isForced = run.isForced.bind(run);
    const context = { ...run.decisionContext, signal, isForced, onFresh, deferred };
    await markUnchanged(graph, made, context);
  }
  for (const [id, bound] of graph)
    if (!made.has(id))
      nodes.set(
        id,
        needsOf(bound).filter((need) => !made.has(need)),
      );
  const lookAhead = remote === undefined ? undefined : lookAheadOf(run, remote);
  const poolWidth = (pool: string): number =>
    Math.max(1, Math.min(run.jobs, workspace.taskfile.pools?.[pool] ?? run.jobs));
  const succeeded = schedule<TaskId>({
    nodes,
    cost: (id) => run.cost(id),
    ...(lookAhead === undefined ? {} : { onReady: (id) => lookAhead.begin(id) }),
    poolOf: (id) => (elsewhere?.wants(run.get(id)) === true ? remotePool : run.get(id).task.pool),
    isExclusive: (id) => run.get(id).task.interactive,
    ...(request.jobs === undefined ? {} : { limit: request.jobs }),
    isLimited: (pool) => pool !== remotePool,
    widthOf: (pool) => (pool === remotePool ? (elsewhere?.capacity ?? 1) : poolWidth(pool)),
    run: (id) => turns.take(id),
    // An interruption is no failure: what did not run is not reported task by task.
    skip: (id, because) => {
      if (!signal.aborted) request.onEvent({ type: "task-skipped", task: id, because });
    },
    keepGoing: request.keepGoing,
    stillRuns: (pool) => turns.isCollecting(pool),
    signal,
    ...(watcher === undefined
      ? {}
      : {
          attach: (restart) => watcher.onLive({ graph, seen, restart }),
          cancel: (id) => cancellation?.cancel(id),
        }),
  });
  // What a failed build no longer needs is given up.
  return succeeded
    .finally(async () => {
      for (const [id, { stamp }] of deferred.untold()) onFresh(run.get(id), stamp);
      await lookAhead?.end();
      await remote?.end();
      await run.prefetches.end();
      await run.stagingAreas.settled();
    })
    .then((all) => all && !turns.hasFailedLate);
}

function lookAheadOf(run: RunContext, remote: NonNullable<RunContext["remote"]>): LookAhead {
  const { graph, made, deferred, request } = run;
  return new LookAhead({
    graph,
    remote,
    made,
    decide: async (bound, needs) => {
      if (run.mustRun(bound)) return undefined;
      const decision = await run.decide(bound, needs);
      const known = decision.kind === "fresh" ? undefined : deferred.known(bound, decision.fingerprint);
      return known === undefined ? decision : { ...decision, kind: "fresh", ...known };
    },
    mayDefer: (bound) => deferred.mayDefer(bound),
    priorityOf: (id) => run.priorityOf(id),
    signal: request.signal,
  });
}
