/** What a task is given to run, out of what the run of its graph has. */
import type { BoundTask } from "../bind/bound-task.ts";
import { displayPath } from "../define/names.ts";
import { placesOf } from "../state/output.ts";
import type { RunContext } from "./run-context.ts";
import type { ExecutionContext } from "./task-context.ts";

/** `onLateError` takes what the task's code throws after the task was done. */
export function executionContext(
  run: RunContext,
  bound: BoundTask,
  signal: AbortSignal,
  onLateError: (error: unknown) => void,
): ExecutionContext {
  const { made, seen, codeCheck, stagingAreas, outputLimit } = run;
  const { shared, running, codeAccesses } = run.services;
  const { state, code, env } = run.workspace;
  const { watcher, hurry, remote, audit = "off", onEvent: emit } = run.request;
  const task = bound.id;
  return {
    ...{ state, stagingAreas, env, signal, running, outputLimit, audit, onLateError },
    share: shared.share,
    ...(hurry === undefined ? {} : { hurry }),
    ...(remote === undefined ? {} : { remote }),
    ...(codeAccesses === undefined ? {} : { codeAccesses }),
    ...(code.program === undefined ? {} : { program: code.program }),
    outputsOf: (id) => placesOf(run.get(id).outputs),
    needed: (id) => {
      const listing = made.get(id);
      return listing && { places: placesOf(run.get(id).outputs), listing };
    },
    movedSources: () =>
      codeCheck.moved(code.sourcesOf(bound.task.definedAt)).map((file) => displayPath(state.workspace, file)),
    onMoved: (paths, known) => {
      // Looking again would not tell that there is something to do.
      if (!known && watcher !== undefined) seen.set(task, undefined);
      watcher?.onMoved(task, paths);
    },
    onSettled: (inputs) => {
      if (watcher !== undefined) seen.set(task, inputs);
    },
    onProgress: (progress) => emit({ type: "task-progress", task, progress }),
    onOutput: (text) => emit({ type: "task-output", task, text }),
    onNote: (message) => emit({ type: "note", task, message }),
    onProcess: ({ pid, command }) =>
      emit(
        command === undefined
          ? { type: "process-ended", task, pid }
          : { type: "process-started", task, pid, command },
      ),
  };
}
