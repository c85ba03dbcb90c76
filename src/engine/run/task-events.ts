/** What a build says of a task's turn. */
import type { BoundTask } from "../bind/bound-task.ts";
import type { Decision } from "../decide/decision.ts";
import type { Reason } from "../decide/reason.ts";
import type { Stamp } from "../state/stamp.ts";
import type { BuildEvent } from "./event.ts";
import { explainSystemError } from "./system-failure.ts";
import { TaskFailure } from "./task-run.ts";

export function freshEvent({ id }: BoundTask, { seconds, log }: Stamp): BuildEvent {
  return { type: "task-fresh", task: id, savedSeconds: seconds, ...(log === undefined ? {} : { log }) };
}

/** `expectedSeconds` is how long the task took last. */
export function startedEvent(
  { id, task }: BoundTask,
  reasons: readonly Reason[],
  expectedSeconds: number | undefined,
): BuildEvent {
  return {
    type: "task-started",
    task: id,
    reasons,
    ...(task.interactive ? { interactive: true as const } : {}),
    ...(expectedSeconds === undefined ? {} : { expectedSeconds }),
  };
}

/** `maker` is the machine that made the result, where that was another one. */
export function restoredEvent(
  { id }: BoundTask,
  { stamp, reasons }: Extract<Decision, { kind: "restore" }>,
  seconds: number,
  maker?: string,
): BuildEvent {
  return {
    type: "task-restored",
    task: id,
    reasons,
    seconds,
    savedSeconds: stamp.seconds,
    ...(stamp.log === undefined ? {} : { log: stamp.log }),
    ...(maker === undefined ? {} : { maker }),
  };
}

/** `workspace` is the absolute path that names in the error are relative to. */
export function failedEvent(
  { id }: BoundTask,
  thrown: unknown,
  seconds: number,
  workspace: string,
): Extract<BuildEvent, { type: "task-failed" }> {
  const { cause, output } =
    thrown instanceof TaskFailure ? thrown : new TaskFailure(explainSystemError(thrown, workspace), "");
  return { type: "task-failed", task: id, error: cause, output, seconds };
}
