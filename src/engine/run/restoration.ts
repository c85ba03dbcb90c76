/** A task's outputs of an earlier run, brought back from the store. */
import type { BoundTask } from "../bind/bound-task.ts";
import type { Decision } from "../decide/decision.ts";
import { handOver, placesOf, recordWrittenOutputs, unstoreOutputs } from "../state/output.ts";
import { refuseEscape } from "./placement.ts";
import { placeOutputs, stagedPlaces } from "./staged-outputs.ts";
import type { ExecutionContext } from "./task-context.ts";

/**
 * Brings the outputs of an earlier run back. Returns false when the store turned out to be damaged; then nothing was
 * changed and the task has to run.
 */
export async function restoreTask(
  bound: BoundTask,
  decision: Extract<Decision, { kind: "restore" }>,
  { state, stagingAreas }: Pick<ExecutionContext, "state" | "stagingAreas">,
): Promise<boolean> {
  const area = stagingAreas.of(bound);
  for (const output of bound.outputs) refuseEscape(output, state.workspace);
  try {
    await stagingAreas.open(area);
    const places = stagedPlaces(bound, area);
    if (!(await unstoreOutputs(bound.outputs, places, decision.outputs, state.store))) return false;
    recordWrittenOutputs(places, decision.outputs, state.files);
    state.stamps.drop(bound.id);
    await placeOutputs(bound, places, area.replaced, state);
    handOver(places, placesOf(bound.outputs), decision.outputs, state);
    state.stamps.record(bound.id, decision.stamp, state.clock.now());
    return true;
  } finally {
    stagingAreas.leave(area);
  }
}
