/**
 * A build: the graph bound, the lock taken, every task decided and where needed run, the state saved. The table of
 * contents of the engine; each line of it is a module of its own.
 */
import path from "node:path";
import { endOrphans } from "../../host/index.ts";
import type { BoundTask, Graph } from "../bind/bound-task.ts";
import { bindGraph, requireSetInputs } from "../bind/graph.ts";
import { bindMatrix } from "../bind/matrix.ts";
import { requireTools } from "../bind/optional-tool.ts";
import { checkTaskfile } from "../bind/ownership.ts";
import { removeMislabelled } from "../decide/moved-values.ts";
import { type TaskId, taskOfDirectory } from "../define/names.ts";
import { Shared } from "../define/shared.ts";
import type { SourceLocation } from "../define/source-location.ts";
import { collectGarbage, recallSize } from "../state/garbage-collection.ts";
import { acquireLock } from "../state/lock.ts";
import { listOutputs, placesOf } from "../state/output.ts";
import type { State } from "../state/state.ts";
import { requireTracer } from "./audit.ts";
import { Breakdown } from "./breakdown.ts";
import type { BuildRequest, Workspace } from "./build-request.ts";
import { CodeAccesses } from "./code-access.ts";
import type { EventSink } from "./event.ts";
import { generateInputs } from "./generated-file.ts";
import { runGraph } from "./graph-run.ts";
import { RunningCode } from "./running-code.ts";
import { explainSystemError } from "./system-failure.ts";

const defaultCacheSize = 5 * 1024 ** 3;

export interface BuildResult {
  readonly outcome: "succeeded" | "failed" | "interrupted";
  readonly graph: Graph;
  /**
   * Names of parameters whose computed default changed while tasks ran: artifacts that were made with the old value, and are
   * named after it, has been removed.
   */
  readonly moved: readonly string[];
}

/** Builds the targets. Resolves also when tasks fail; rejects for what is wrong before any task runs. */
export async function build(workspace: Workspace, request: BuildRequest): Promise<BuildResult> {
  const { state } = workspace;
  const startedAt = performance.now();
  const graph = await bind(workspace, request);
  requireSetInputs(graph);
  await request.watcher?.onGraph(graph);
  if (!request.keepGoing) requireTools(graph, workspace.toolHint);
  const isAudited = request.audit === "report" || request.audit === "strict";
  if (isAudited) await requireTracer(request, workspace.toolHint);
  const codeAccesses = isAudited ? new CodeAccesses() : undefined;
  const breakdown = new Breakdown(request);
  const running = new RunningCode(breakdown);
  const signal = AbortSignal.any([request.signal, breakdown.signal]);
  const ran = new Set<TaskId>();
  let started = false;
  const emit: EventSink = (event) => {
    started ||= event.type === "process-started";
    if (event.type === "task-done" || event.type === "task-restored") ran.add(event.task);
    const tell = (): void => request.onEvent(event);
    running.outside(codeAccesses === undefined ? tell : () => codeAccesses.outside(tell));
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
  const stopListening = running.listen();
  const stopNoting = codeAccesses?.listen();
  let moved: BuildResult["moved"] = [];
  const work = async (): Promise<BuildResult["outcome"]> => {
    // The previous holder of the lock may have built the same.
    state.reload();
    recallSize(state);
    for (const message of state.damage()) emit({ type: "note", message });
    // What a build that was killed left running would go on in what is removed now.
    if (state.hasTemporaries()) endLeftBehind(state, emit);
    await state.removeTemporaries();
    await generateInputs(graph, state, workspace.toolHint, signal, (message) =>
      emit({ type: "note", message }),
    );
    const succeeded = await runGraph(
      graph,
      workspace,
      { ...request, signal, onEvent: emit },
      { shared, running, ...(codeAccesses === undefined ? {} : { codeAccesses }) },
    );
    if (started) endLeftBehind(state, emit);
    moved = ran.size === 0 || signal.aborted ? [] : await movedValues(request);
    if (moved.length > 0) await removeMislabelled(graph, ran, moved, state);
    if (ran.size > 0 && !breakdown.signal.aborted)
      await collectGarbage(state, workspace.taskfile.cache?.maxSize ?? defaultCacheSize);
    try {
      state.save();
    } catch (error) {
      throw explainSystemError(error, state.workspace);
    }
    breakdown.signal.throwIfAborted();
    return request.signal.aborted ? "interrupted" : succeeded ? "succeeded" : "failed";
  };
  let outcome: BuildResult["outcome"] = "failed";
  try {
    outcome = await Promise.race([work(), breakdown.stuck]);
    return { outcome, graph, moved };
  } finally {
    if (outcome === "failed" && request.signal.aborted) outcome = "interrupted";
    emit({ type: "build-finished", outcome, seconds: (performance.now() - startedAt) / 1000 });
    stopListening();
    stopNoting?.();
    breakdown.close();
    await state.concatenator.giveUp();
    await shared.close();
    release();
  }
}

/** Ends and names the processes that left the group they were started in: the build is over, and so are they. */
function endLeftBehind(state: State, emit: EventSink): void {
  for (const { pid, mark, command } of endOrphans(state.temporaryRoot)) {
    const [directory = ""] = path.relative(state.temporaryRoot, mark).split("/");
    const message = `${taskOfDirectory(directory.replace(/-\d+$/, ""))} left ${command.split(" ")[0]} running (process ${pid}); the orphaned process was stopped`;
    emit({ type: "note", message });
  }
}

/** Names of the parameters whose computed default changed. */
async function movedValues({ values, matrix }: BuildRequest): Promise<readonly string[]> {
  const all = matrix === undefined ? [values] : matrix.map((one) => one.values);
  return [...new Set((await Promise.all(all.map((one) => one.moved()))).flat())];
}

export async function bind(
  workspace: Workspace,
  request: Pick<BuildRequest, "targets" | "variant" | "values" | "matrix">,
): Promise<Graph> {
  const around = {
    workspace: workspace.state.workspace,
    sources: workspace.code.sources,
    locate: (location: SourceLocation | undefined) => workspace.code.locate(location),
  };
  await checkTaskfile(workspace.taskfile, around);
  const { outputRoot } = workspace.state;
  const { targets, variant, values, matrix } = request;
  return matrix === undefined
    ? bindGraph(targets, { ...around, outputRoot, variant, values })
    : bindMatrix(matrix, { ...around, outputRoot });
}

/** A target's outputs as a build left them, for the summary; `within` is the path in an output that is a directory. */
export async function outputsOnDisk(bound: BoundTask, state: State) {
  const listing = await listOutputs(placesOf(bound.outputs), state.files);
  return bound.outputs.flatMap((output) => {
    const below = `${output.slot}/`;
    return [...listing]
      .filter(([name]) => name === output.slot || name.startsWith(below))
      .map(([name, entry]) => ({ output, entry, within: name.slice(below.length) }));
  });
}
