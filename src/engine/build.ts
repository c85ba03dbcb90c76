/**
 * A build: the graph bound, the lock taken, every task decided and where needed run. The table of contents of the
 * engine; each line of it is a module of its own.
 */
import { availableParallelism } from "node:os";
import path from "node:path";
import { endStragglers } from "../host/index.ts";
import { requireTracer } from "./audit.ts";
import { collectGarbage } from "./collection.ts";
import { type CodeIndex, type Decision, decide } from "./decision.ts";
import type { EventSink } from "./event.ts";
import { anticipateRun, digestOfOutputs, restoreTask, runTask, TaskFailure } from "./execution.ts";
import { type BoundTask, bindGraph, type Graph, neededSlots } from "./graph.ts";
import { HeadStarts } from "./head-start.ts";
import type { ResolvedInput } from "./input.ts";
import type { Listing } from "./listing.ts";
import { type BuildWatcher, Cancellation } from "./live-build.ts";
import { acquireLock } from "./lock.ts";
import type { AbsolutePath, Digest, TaskId } from "./names.ts";
import { listOutputs, placesOf } from "./output.ts";
import { checkTaskfile } from "./ownership.ts";
import type { ParameterValues } from "./parameter.ts";
import type { Reason } from "./reason.ts";
import { schedule } from "./schedule.ts";
import { seedInputs } from "./seed.ts";
import { Shared } from "./shared.ts";
import type { State } from "./state.ts";
import { explainSystemError } from "./system-failure.ts";
import type { Task } from "./task.ts";
import type { ExecutionContext } from "./task-context.ts";
import type { Taskfile } from "./taskfile.ts";
import type { ToolHint } from "./tool.ts";

const defaultCacheSize = 5 * 1024 ** 3;

export interface Workspace {
  readonly taskfile: Taskfile;
  readonly state: State;
  readonly code: CodeIndex;
  readonly toolHint: ToolHint;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface BuildRequest {
  readonly targets: readonly Task[];
  readonly variant: string;
  readonly values: ParameterValues;
  /** Names of tasks to run although they are fresh; `all` for every one. */
  readonly force: ReadonlySet<string> | "all";
  readonly keepGoing: boolean;
  /** How many tasks run at once; default: one for each core. */
  readonly jobs?: number;
  /** Trace the tasks' commands for undeclared access; `strict` makes it a failure. Default: off. */
  readonly audit?: "off" | "report" | "strict";
  /** The command line, for whoever waits for this build. */
  readonly command: string;
  /** Ends the build, and processes with TERM; what is left after two seconds is killed. */
  readonly signal: AbortSignal;
  /** After `signal`: kills at once what is left. */
  readonly hurry?: AbortSignal;
  readonly onEvent: EventSink;
  /** Whoever looks out for changes while the build runs. */
  readonly watcher?: BuildWatcher;
}

export interface BuildResult {
  readonly outcome: "succeeded" | "failed" | "interrupted";
  readonly graph: Graph;
}

/** Builds the targets. Resolves also when tasks fail; rejects for what is wrong before any task runs. */
export async function build(workspace: Workspace, request: BuildRequest): Promise<BuildResult> {
  const { state } = workspace;
  const startedAt = performance.now();
  const graph = await bind(workspace, request);
  await request.watcher?.onGraph(graph);
  if (request.audit === "report" || request.audit === "strict")
    await requireTracer(request, workspace.toolHint);
  let changed = false;
  let started = false;
  const emit: EventSink = (event) => {
    started ||= event.type === "process-started";
    changed ||= event.type === "task-done" || event.type === "task-restored";
    request.onEvent(event);
  };
  const targets = [...graph.keys()].filter((id) =>
    request.targets.some((task) => graph.get(id)?.task === task),
  );
  emit({ type: "build-started", tasks: [...graph.keys()], targets });

  state.prepare();
  const release = await acquireLock(state.lockFile, request.command, request.signal, (owner) =>
    emit({ type: "lock-wait", pid: owner.pid, host: owner.host, command: owner.command }),
  ).catch((error: unknown) => {
    throw explainSystemError(error, state.workspace);
  });
  const shared = new Shared();
  try {
    // Whoever held the lock before may have built what this one was about to.
    state.reload();
    for (const message of state.damage()) emit({ type: "note", message });
    // What a build that was killed left running would go on in what is removed now.
    if (state.hasTemporaries()) endLeftBehind(state, emit);
    await state.removeTemporaries();
    await seedInputs(graph, state, workspace.toolHint, request.signal, (message) =>
      emit({ type: "note", message }),
    );
    const succeeded = await runGraph(graph, workspace, shared, { ...request, onEvent: emit });
    if (started) endLeftBehind(state, emit);
    const outcome = request.signal.aborted ? "interrupted" : succeeded ? "succeeded" : "failed";
    try {
      state.save();
    } catch (error) {
      throw explainSystemError(error, state.workspace);
    }
    if (changed) await collectGarbage(state, workspace.taskfile.cache?.maxSize ?? defaultCacheSize);
    emit({ type: "build-finished", outcome, seconds: (performance.now() - startedAt) / 1000 });
    return { outcome, graph };
  } finally {
    await state.joiner.giveUp();
    await shared.close();
    release();
  }
}

/** Ends and names the processes that left the group they were started in: the build is over, and so are they. */
function endLeftBehind(state: State, emit: EventSink): void {
  for (const { pid, mark, command } of endStragglers(state.temporaryRoot)) {
    const [folder = ""] = path.relative(state.temporaryRoot, mark).split("/");
    const message = `${folder.replace(/-\d+$/, "")} left ${command.split(" ")[0]} running behind its back (process ${pid}); it was ended`;
    emit({ type: "note", message });
  }
}

export async function bind(
  workspace: Workspace,
  request: Pick<BuildRequest, "targets" | "variant" | "values">,
): Promise<Graph> {
  checkTaskfile(workspace.taskfile.targets, {
    workspace: workspace.state.workspace,
    locate: (location) => workspace.code.locate(location),
  });
  return bindGraph(request.targets, {
    workspace: workspace.state.workspace,
    outputRoot: workspace.state.outputRoot,
    variant: request.variant,
    values: request.values,
    locate: (location) => workspace.code.locate(location),
  });
}

/** The needs of a task that apply in this build. */
export function needsOf(bound: BoundTask): readonly TaskId[] {
  return [...bound.needs.values()].filter((id) => id !== undefined);
}

/** For each task those that need it in this build. */
function dependentsOf(graph: Graph): ReadonlyMap<TaskId, readonly BoundTask[]> {
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
function digestsOfNeeds(
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

function runGraph(
  graph: Graph,
  workspace: Workspace,
  shared: Shared,
  request: BuildRequest,
): Promise<boolean> {
  const { state } = workspace;
  const emit = request.onEvent;
  const made = new Map<TaskId, Listing>();
  const jobs = request.jobs ?? availableParallelism();
  const foundTools = new Map<string, AbsolutePath>();
  const seen = new Map<TaskId, readonly ResolvedInput[]>();
  const { watcher } = request;
  const cancellation = watcher === undefined ? undefined : new Cancellation();
  const headStarts = new HeadStarts();
  const dependents = dependentsOf(graph);

  const get = (id: TaskId): BoundTask => {
    const bound = graph.get(id);
    if (bound === undefined) throw new Error(`no task ${id} in this graph`);
    return bound;
  };

  const process = async (id: TaskId): Promise<boolean> => {
    const bound = get(id);
    const startedAt = performance.now();
    const seconds = (): number => (performance.now() - startedAt) / 1000;
    const signal = cancellation?.begin(id, request.signal) ?? request.signal;
    try {
      await headStarts.over(id);
      const needs = digestsOfNeeds(bound, made);
      const forced = request.force === "all" || request.force.has(bound.task.name);
      const decision = await decide(bound, needs, forced, { ...workspace, foundTools });
      // Whoever does not watch needs no memory of a hundred thousand names.
      if (watcher !== undefined) seen.set(id, decision.inputs);
      if (signal.aborted) return false;
      made.set(id, await carryOut(bound, decision, seconds, signal));
      return true;
    } catch (error) {
      const failure =
        error instanceof TaskFailure
          ? error
          : new TaskFailure(explainSystemError(error, state.workspace), "");
      if (!signal.aborted) {
        emit({
          type: "task-failed",
          task: id,
          error: failure.cause,
          output: failure.output,
          seconds: seconds(),
        });
      }
      return false;
    } finally {
      // What is ended because its inputs changed is done again: it neither failed nor succeeded.
      if (signal.aborted && !request.signal.aborted) emit({ type: "task-outdated", task: id });
      cancellation?.end(id);
      state.fileLog.spill();
    }
  };

  const executionContext = (bound: BoundTask, signal: AbortSignal): ExecutionContext => ({
    state,
    variant: request.variant,
    env: workspace.env,
    signal,
    ...(request.hurry === undefined ? {} : { hurry: request.hurry }),
    outputsOf: (id) => placesOf(get(id).outputs),
    onProgress: (progress) => emit({ type: "task-progress", task: bound.id, progress }),
    onOutput: (text) => emit({ type: "task-output", task: bound.id, text }),
    onNote: (message) => emit({ type: "note", task: bound.id, message }),
    onMoved: (paths) => watcher?.onMoved(bound.id, paths),
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
    audit: request.audit ?? "off",
  });

  const carryOut = async (
    bound: BoundTask,
    decision: Decision,
    seconds: () => number,
    signal: AbortSignal,
  ): Promise<Listing> => {
    let reasons: readonly Reason[] = [];
    switch (decision.kind) {
      case "fresh":
        if (state.stamps.currentFingerprint(bound.id) !== decision.fingerprint) {
          state.stamps.record(bound.id, decision.stamp, state.clock.now());
        }
        emit({
          type: "task-fresh",
          task: bound.id,
          savedSeconds: decision.stamp.seconds,
          ...(decision.stamp.log === undefined ? {} : { log: decision.stamp.log }),
        });
        return decision.outputs;
      case "restore":
        reasons = decision.reasons;
        if (await restoreTask(bound, decision, state)) {
          emit({
            type: "task-restored",
            task: bound.id,
            reasons,
            seconds: seconds(),
            savedSeconds: decision.stamp.seconds,
            ...(decision.stamp.log === undefined ? {} : { log: decision.stamp.log }),
          });
          return decision.outputs;
        }
        reasons = [...reasons, { kind: "store-damaged" }];
        break;
      case "run":
        reasons = decision.reasons;
        break;
    }
    const expectedSeconds = state.stamps.last(bound.id)?.seconds;
    emit({
      type: "task-started",
      task: bound.id,
      reasons,
      ...(expectedSeconds === undefined ? {} : { expectedSeconds }),
    });
    for (const other of dependents.get(bound.id) ?? []) {
      anticipateRun(other, state);
      headStarts.begin(other, executionContext(other, request.signal));
    }
    const outputs = await runTask(bound, decision, executionContext(bound, signal));
    emit({ type: "task-done", task: bound.id, reasons, seconds: seconds() });
    return outputs;
  };

  const succeeded = schedule<TaskId>({
    nodes: new Map([...graph].map(([id, bound]) => [id, needsOf(bound)])),
    cost: (id) => state.stamps.last(id)?.seconds ?? 1,
    poolOf: (id) => get(id).task.pool,
    widthOf: (pool) => Math.max(1, Math.min(jobs, workspace.taskfile.pools?.[pool] ?? jobs)),
    run: process,
    // An interruption is no failure: what did not run is not reported task by task.
    skip: (id, because) => {
      if (!request.signal.aborted) emit({ type: "task-skipped", task: id, because });
    },
    keepGoing: request.keepGoing,
    signal: request.signal,
    ...(watcher === undefined
      ? {}
      : {
          attach: (restart) => watcher.onLive({ graph, seen, restart }),
          cancel: (id) => cancellation?.cancel(id),
        }),
  });
  // What a failed build no longer needs is given up.
  return succeeded.finally(() => headStarts.end());
}

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

/** A target's outputs as a build left them, for the summary; `within` is the path in an output that is a folder. */
export async function outputsOnDisk(bound: BoundTask, state: State) {
  const listing = await listOutputs(placesOf(bound.outputs), state.files);
  return bound.outputs.flatMap((output) => {
    const below = `${output.slot}/`;
    return [...listing]
      .filter(([name]) => name === output.slot || name.startsWith(below))
      .map(([name, entry]) => ({ output, entry, within: name.slice(below.length) }));
  });
}
