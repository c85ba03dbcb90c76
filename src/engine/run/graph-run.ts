/**
 * The tasks of a bound graph at work: each one decided when those it needs are done, then left alone, restored or run,
 * and told of.
 */
import { availableParallelism } from "node:os";
import { isDeepStrictEqual } from "node:util";
import { UserError } from "../../errors/index.ts";
import { dependentsOf, digestsOfNeeds, needsOf } from "../bind/adjacency.ts";
import type { BoundTask, Graph } from "../bind/bound-task.ts";
import { type Decision, decide } from "../decide/decision.ts";
import type { Reason } from "../decide/reason.ts";
import { markUnchanged } from "../decide/unchanged-tasks.ts";
import type { AbsolutePath, TaskId } from "../define/names.ts";
import { displayPath } from "../define/names.ts";
import type { Shared } from "../define/shared.ts";
import type { ResolvedInput } from "../files/input.ts";
import type { Listing } from "../files/listing.ts";
import { placesOf } from "../state/output.ts";
import type { Stamp } from "../state/stamp.ts";
import type { BuildRequest, Workspace } from "./build-request.ts";
import type { CodeAccesses } from "./code-access.ts";
import { CodeCheck } from "./code-check.ts";
import { criticalPaths } from "./critical-path.ts";
import { DeferredResults } from "./deferred-results.ts";
import { Cancellation } from "./live-build.ts";
import { LookAhead } from "./look-ahead.ts";
import { Prefetches } from "./prefetch.ts";
import { RemoteExecution } from "./remote-execution.ts";
import { RemoteResults } from "./remote-results.ts";
import { restoreTask } from "./restoration.ts";
import type { RunningCode } from "./running-code.ts";
import { schedule } from "./schedule.ts";
import { StagingAreas } from "./staging.ts";
import { explainSystemError } from "./system-failure.ts";
import type { ExecutionContext } from "./task-context.ts";
import { runTask, TaskFailure } from "./task-run.ts";

/** The pool of what runs on other machines; no task's own pool can have this name. */
const remotePool = "@remote";

/** What a task needs could not be made; that was reported. */
class NeedFailure extends Error {
  override readonly name = "NeedFailure";
  readonly need: TaskId;

  constructor(need: TaskId) {
    super(`${need} failed`);
    this.need = need;
  }
}

const defaultOutputLimit = 8 * 1024 ** 2;

/** Brings every task of the graph up to date; false when one failed or was skipped. Tells of each through `onEvent`. */
export async function runGraph(
  graph: Graph,
  workspace: Workspace,
  shared: Shared,
  request: BuildRequest,
  running: RunningCode,
  codeAccesses?: CodeAccesses,
): Promise<boolean> {
  const { state } = workspace;
  const emit = request.onEvent;
  const made = new Map<TaskId, Listing>();
  const nodes = new Map<TaskId, readonly TaskId[]>();
  const jobs = request.jobs ?? availableParallelism();
  const foundTools = new Map<string, AbsolutePath>();
  const seen = new Map<TaskId, readonly ResolvedInput[] | undefined>();
  const { watcher } = request;
  const cancellation = watcher === undefined ? undefined : new Cancellation();
  const prefetches = new Prefetches();
  const codeCheck = new CodeCheck();
  /** Tasks whose code threw after they were done. */
  const late = new Set<TaskId>();
  const stagingAreas = new StagingAreas(state.temporaryRoot);
  const dependents = dependentsOf(graph);
  const remote =
    request.remote === undefined
      ? undefined
      : new RemoteResults(request.remote, graph, state, request.signal);
  const cost = (id: TaskId): number => state.stamps.last(id)?.seconds ?? 1;
  let paths: ReadonlyMap<TaskId, number> | undefined;
  const priorityOf = (id: TaskId): number => {
    const idsOf = (tasks: readonly BoundTask[]) => tasks.map((task) => task.id);
    paths ??= criticalPaths(
      nodes,
      new Map([...dependents].map(([need, tasks]) => [need, idsOf(tasks)])),
      cost,
    );
    return paths.get(id) ?? 0;
  };
  const outputLimit = workspace.taskfile.output?.maxSize ?? defaultOutputLimit;
  const elsewhere =
    request.execution === undefined || remote === undefined || request.remote === undefined
      ? undefined
      : new RemoteExecution({
          ...request.execution,
          remote: request.remote,
          results: remote,
          graph,
          state,
          made,
          env: workspace.env,
          outputLimit,
        });
  const deferred = new DeferredResults(request.targets, state, watcher !== undefined);
  /** Pools in which a failure of a kind that is reported all at once has happened. */
  const collecting = new Set<string>();

  const get = (id: TaskId): BoundTask => {
    const bound = graph.get(id);
    if (bound === undefined) throw new Error(`no task ${id} in this graph`);
    return bound;
  };

  const isForced = (bound: BoundTask): boolean =>
    request.force === "all" || request.force.has(bound.task.name);

  /** Whether the task runs here whatever other machines have. */
  const mustRun = (bound: BoundTask): boolean => isForced(bound) || (request.audit ?? "off") !== "off";

  const emitFresh = (bound: BoundTask, { seconds, log }: Stamp): void =>
    emit({
      type: "task-fresh",
      task: bound.id,
      savedSeconds: seconds,
      ...(log === undefined ? {} : { log }),
    });

  const process = async (id: TaskId): Promise<boolean> => {
    const bound = get(id);
    const startedAt = performance.now();
    const seconds = (): number => (performance.now() - startedAt) / 1000;
    const signal = cancellation?.begin(id, request.signal) ?? request.signal;
    try {
      await prefetches.over(id);
      const outputs = await settle(bound, seconds, signal, deferred.mayDefer(bound));
      if (outputs === undefined) return false;
      made.set(id, outputs);
      if (late.has(id)) forget(id);
      return true;
    } catch (error) {
      if (error instanceof NeedFailure) emit({ type: "task-skipped", task: id, because: error.need });
      else if (!signal.aborted) reportFailure(bound, error, seconds());
      return false;
    } finally {
      // What is ended because its inputs changed is done again: it neither failed nor succeeded.
      if (signal.aborted && !request.signal.aborted) emit({ type: "task-outdated", task: id });
      cancellation?.end(id);
      state.fileLog.spill();
    }
  };

  const reportFailure = (bound: BoundTask, error: unknown, seconds: number): void => {
    const failure =
      error instanceof TaskFailure ? error : new TaskFailure(explainSystemError(error, state.workspace), "");
    const { cause, output } = failure;
    if (cause instanceof UserError && cause.isCollected) collecting.add(bound.task.pool);
    emit({ type: "task-failed", task: bound.id, error: cause, output, seconds });
  };

  /** Decides on the task and does what is decided; undefined when the signal ended that. `mayDefer`: its outputs are not wanted yet. */
  const settle = async (
    bound: BoundTask,
    seconds: () => number,
    signal: AbortSignal,
    mayDefer: boolean,
  ): Promise<Listing | undefined> => {
    for (;;) {
      const needs = digestsOfNeeds(bound, made);
      const decision = await decide(bound, needs, isForced(bound), { ...workspace, foundTools });
      // Without a watch nothing reads them, and a hundred thousand names take memory.
      if (watcher !== undefined) seen.set(bound.id, decision.inputs);
      if (signal.aborted) return undefined;
      const outputs = await carryOut(bound, decision, seconds, signal, mayDefer);
      if (outputs !== undefined) return outputs;
    }
  };

  const arrivals = new Map<TaskId, Promise<void>>();
  /** Brings the outputs of a deferred result here, or makes them. Throws `NeedFailure`, after the failure was reported. */
  const bringHere = (id: TaskId): Promise<void> => {
    const bound = get(id);
    const startedAt = performance.now();
    const seconds = (): number => (performance.now() - startedAt) / 1000;
    const arrive = async (): Promise<void> => {
      try {
        const outputs = await settle(bound, seconds, request.signal, false);
        request.signal.throwIfAborted();
        if (outputs !== undefined) made.set(id, outputs);
        deferred.settle(id);
      } catch (error) {
        if (error instanceof NeedFailure) emit({ type: "task-skipped", task: id, because: error.need });
        else if (!request.signal.aborted) reportFailure(bound, error, seconds());
        throw new NeedFailure(id);
      }
    };
    const arrival = arrivals.get(id) ?? arrive();
    arrivals.set(id, arrival);
    return arrival;
  };

  /** Drops the task's result and keeps its outputs on disk. */
  const forget = (id: TaskId): void => {
    const fingerprint = state.stamps.currentFingerprint(id);
    if (fingerprint !== undefined) state.stamps.forget(fingerprint);
    state.stamps.drop(id);
  };
  const failLate = (id: TaskId, error: unknown): void => {
    late.add(id);
    forget(id);
    emit({ type: "task-failed", task: id, error, output: "", seconds: 0 });
  };

  const executionContext = (bound: BoundTask, signal: AbortSignal): ExecutionContext => ({
    state,
    stagingAreas,
    env: workspace.env,
    signal,
    ...(request.hurry === undefined ? {} : { hurry: request.hurry }),
    outputsOf: (id) => placesOf(get(id).outputs),
    onProgress: (progress) => emit({ type: "task-progress", task: bound.id, progress }),
    onOutput: (text) => emit({ type: "task-output", task: bound.id, text }),
    onNote: (message) => emit({ type: "note", task: bound.id, message }),
    needed: (id) => {
      const listing = made.get(id);
      return listing && { places: placesOf(get(id).outputs), listing };
    },
    movedSources: () =>
      codeCheck
        .moved(workspace.code.sourcesOf(bound.task.definedAt))
        .map((file) => displayPath(state.workspace, file)),
    onMoved: (paths, known) => {
      // Looking again would not tell that there is something to do.
      if (!known && watcher !== undefined) seen.set(bound.id, undefined);
      watcher?.onMoved(bound.id, paths);
    },
    onSettled: (inputs) => {
      if (watcher !== undefined) seen.set(bound.id, inputs);
    },
    onProcess: ({ pid, command }) =>
      emit(
        command === undefined
          ? { type: "process-ended", task: bound.id, pid }
          : { type: "process-started", task: bound.id, pid, command },
      ),
    share: shared.share,
    ...(request.remote === undefined ? {} : { remote: request.remote }),
    running,
    outputLimit,
    onLateError: (error) => failLate(bound.id, error),
    audit: request.audit ?? "off",
    ...(codeAccesses === undefined ? {} : { codeAccesses }),
    ...(workspace.code.program === undefined ? {} : { program: workspace.code.program }),
  });

  /** Brings a result back and tells of it; false where the store turned out to be damaged. */
  const restore = async (
    bound: BoundTask,
    decision: Extract<Decision, { kind: "restore" }>,
    seconds: () => number,
    maker?: string,
  ): Promise<boolean> => {
    if (!(await restoreTask(bound, decision, { state, stagingAreas }))) return false;
    // A deferred result was told of when it was found.
    if (!deferred.isTold(bound.id)) emitRestored(bound, decision, seconds, maker);
    return true;
  };

  const emitRestored = (
    bound: BoundTask,
    { stamp, reasons }: Extract<Decision, { kind: "restore" }>,
    seconds: () => number,
    maker?: string,
  ): void => {
    emit({
      type: "task-restored",
      task: bound.id,
      reasons,
      seconds: seconds(),
      savedSeconds: stamp.seconds,
      ...(stamp.log === undefined ? {} : { log: stamp.log }),
      ...(maker === undefined ? {} : { maker }),
    });
  };

  const carryOut = async (
    bound: BoundTask,
    decision: Decision,
    seconds: () => number,
    signal: AbortSignal,
    mayDefer: boolean,
  ): Promise<Listing | undefined> => {
    let reasons: readonly Reason[] = [];
    const known =
      mayDefer && decision.kind !== "fresh" && !mustRun(bound)
        ? deferred.known(bound, decision.fingerprint)
        : undefined;
    if (known !== undefined) {
      deferred.keep(bound.id, known);
      return known.outputs;
    }
    switch (decision.kind) {
      case "fresh":
        if (state.stamps.currentFingerprint(bound.id) !== decision.fingerprint) {
          state.stamps.record(bound.id, decision.stamp, state.clock.now());
        }
        // A deferred result was told of when it was found.
        if (!deferred.isTold(bound.id)) emitFresh(bound, decision.stamp);
        return decision.outputs;
      case "restore":
        reasons = decision.reasons;
        if (await restore(bound, decision, seconds)) return decision.outputs;
        reasons = [...reasons, { kind: "store-damaged" }];
        break;
      case "run": {
        reasons = decision.reasons;
        if (mustRun(bound)) break;
        if (mayDefer) {
          const record = await remote?.findRecord(bound, decision, reasons, signal);
          if (record === undefined) break;
          deferred.defer(bound.id, record.decision.stamp);
          emitRestored(bound, record.decision, seconds, record.maker);
          return record.decision.outputs;
        }
        const found = await remote?.find(bound, decision, reasons, priorityOf(bound.id), signal);
        if (found !== undefined && (await restore(bound, found.decision, seconds, found.maker)))
          return found.decision.outputs;
        break;
      }
    }
    const expectedSeconds = state.stamps.last(bound.id)?.seconds;
    const emitStarted = (): void =>
      emit({
        type: "task-started",
        task: bound.id,
        reasons,
        ...(bound.task.interactive ? { interactive: true as const } : {}),
        ...(expectedSeconds === undefined ? {} : { expectedSeconds }),
      });
    if (elsewhere?.wants(bound) === true && remote !== undefined && (request.audit ?? "off") === "off") {
      emitStarted();
      const node = await elsewhere.run(bound, decision, {
        signal,
        onOutput: (text) => emit({ type: "task-output", task: bound.id, text }),
        onNote: (message) => emit({ type: "note", task: bound.id, message }),
      });
      const found =
        node === undefined
          ? undefined
          : mayDefer
            ? await remote.findRecord(bound, decision, reasons, signal)
            : await remote.find(bound, decision, reasons, priorityOf(bound.id), signal);
      const isHere =
        found !== undefined &&
        (mayDefer || (await restoreTask(bound, found.decision, { state, stagingAreas })));
      if (found !== undefined && isHere && node !== undefined) {
        if (mayDefer) deferred.defer(bound.id, found.decision.stamp);
        emit({ type: "task-done", task: bound.id, reasons, seconds: seconds(), node });
        return found.decision.outputs;
      }
    }
    const awaited = needsOf(bound).filter((need) => deferred.has(need));
    if (awaited.length > 0) {
      const before = digestsOfNeeds(bound, made);
      for (const need of awaited) remote?.fetch(need, priorityOf(need));
      await Promise.all(awaited.map(bringHere));
      signal.throwIfAborted();
      // What was made anew may be something else: then so is the decision.
      if (!isDeepStrictEqual(before, digestsOfNeeds(bound, made))) return undefined;
    }
    emitStarted();
    stagingAreas.prepare();
    for (const other of dependents.get(bound.id) ?? []) {
      state.concatenator.anticipate(stagingAreas.of(other).directory);
      prefetches.begin(other, executionContext(other, request.signal));
    }
    const outputs = await runTask(bound, decision, executionContext(bound, signal));
    remote?.offer(bound, outputs);
    emit({ type: "task-done", task: bound.id, reasons, seconds: seconds() });
    return outputs;
  };

  // A watch needs the inputs that each task saw, so it decides every task individually.
  if (watcher === undefined) {
    const { signal } = request;
    const context = { ...workspace, foundTools, signal, isForced, onFresh: emitFresh, deferred };
    await markUnchanged(graph, made, context);
  }
  for (const [id, bound] of graph)
    if (!made.has(id))
      nodes.set(
        id,
        needsOf(bound).filter((need) => !made.has(need)),
      );
  const lookAhead =
    remote &&
    new LookAhead({
      graph,
      remote,
      made,
      decide: async (bound, needs) => {
        if (mustRun(bound)) return undefined;
        const decision = await decide(bound, needs, false, { ...workspace, foundTools });
        const known = decision.kind === "fresh" ? undefined : deferred.known(bound, decision.fingerprint);
        return known === undefined ? decision : { ...decision, kind: "fresh", ...known };
      },
      mayDefer: (bound) => deferred.mayDefer(bound),
      priorityOf,
      signal: request.signal,
    });
  const succeeded = schedule<TaskId>({
    nodes,
    cost,
    ...(lookAhead === undefined ? {} : { onReady: (id) => lookAhead.begin(id) }),
    poolOf: (id) => (elsewhere?.wants(get(id)) === true ? remotePool : get(id).task.pool),
    isExclusive: (id) => get(id).task.interactive,
    // What runs elsewhere is none of this machine's load.
    ...(request.jobs === undefined || elsewhere !== undefined ? {} : { limit: request.jobs }),
    widthOf: (pool) =>
      pool === remotePool && elsewhere !== undefined
        ? elsewhere.capacity
        : Math.max(1, Math.min(jobs, workspace.taskfile.pools?.[pool] ?? jobs)),
    run: process,
    // An interruption is no failure: what did not run is not reported task by task.
    skip: (id, because) => {
      if (!request.signal.aborted) emit({ type: "task-skipped", task: id, because });
    },
    keepGoing: request.keepGoing,
    stillRuns: (pool) => collecting.has(pool),
    signal: request.signal,
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
      for (const [id, { stamp }] of deferred.untold()) emitFresh(get(id), stamp);
      await lookAhead?.end();
      await remote?.end();
      await prefetches.end();
      await stagingAreas.settled();
    })
    .then((all) => all && late.size === 0);
}
