/**
 * What a command works with when it does more than look: the workspace to itself, a scratch directory, the content store,
 * host tools.
 */
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { createShell, ProcessGroups } from "../../host/index.ts";
import type { Graph } from "../bind/bound-task.ts";
import { findTool } from "../bind/tool.ts";
import type { ExclusiveContext } from "../define/command.ts";
import type { Output, OutputPaths } from "../define/declared-output.ts";
import type { Task } from "../define/declared-task.ts";
import { taskId } from "../define/names.ts";
import { Shared } from "../define/shared.ts";
import { acquireLock } from "../state/lock.ts";
import { placesOf } from "../state/output.ts";
import { Breakdown } from "./breakdown.ts";
import type { Workspace } from "./build-request.ts";
import type { EventSink } from "./event.ts";
import { blobAccess } from "./task-context.ts";

/** Milliseconds that a command's work has to end when it is interrupted. */
const commandGraceMs = 2500;

interface WorkRequest {
  /** The command's name: progress is reported under it. */
  readonly name: string;
  /** The command line, shown by builds that wait. */
  readonly command: string;
  readonly signal: AbortSignal;
  readonly hurry?: AbortSignal;
  readonly onEvent: EventSink;
}

/** Does `work` while no build and no other such work runs in the workspace; waits for the one that does. */
export async function workAlone<T>(
  workspace: Workspace,
  request: WorkRequest,
  work: (bench: ExclusiveContext) => Promise<T>,
): Promise<T> {
  const { state } = workspace;
  const { onEvent, signal } = request;
  const id = taskId(request.name, undefined);
  state.prepare();
  const release = await acquireLock(state.lockFile, request.command, signal, (owner) =>
    onEvent({ type: "lock-wait", pid: owner.pid, host: owner.host, command: owner.command }),
  );
  const scratch = path.join(state.temporaryRoot, `${request.name}-${process.pid}`);
  const home = `${scratch}-home`;
  const groups = new ProcessGroups({ mark: scratch });
  const shared = new Shared();
  const breakdown = new Breakdown(request, commandGraceMs);
  const end = (): void => void groups.terminate();
  signal.addEventListener("abort", end, { once: true });
  try {
    await state.removeTemporaries();
    await mkdir(scratch, { recursive: true });
    onEvent({ type: "task-started", task: id, reasons: [] });
    const done = work({
      scratch,
      blobs: blobAccess(state, { signal }),
      share: shared.share,
      progress: (progress) => onEvent({ type: "task-progress", task: id, progress }),
      shell: async (tools, env = {}) => {
        for (const tool of tools) findTool(tool, workspace.toolHint);
        return await createShell({ cwd: scratch, home, tools, env, groups });
      },
    });
    return await Promise.race([done, breakdown.stuck]);
  } finally {
    breakdown.close();
    signal.removeEventListener("abort", end);
    await groups.terminate(0);
    await shared.close();
    await rm(scratch, { recursive: true, force: true });
    await rm(home, { recursive: true, force: true });
    release();
  }
}

/** Absolute paths of a task's outputs in this graph, by slot. */
export function outputPathsOf<O extends Readonly<Record<string, Output>>>(
  task: Task<O>,
  graph: Graph,
): OutputPaths<O> {
  for (const bound of graph.values()) {
    if (bound.task.name !== task.name) continue;
    // The slots of a bound task are those of its definition.
    return Object.fromEntries(placesOf(bound.outputs)) as unknown as OutputPaths<O>;
  }
  throw new Error(`${task.name} is not in this graph`);
}
