/** A build that goes on while its inputs change: what each task saw, and the means to have it done again at once. */

import type { BoundTask, Graph } from "../bind/bound-task.ts";
import { resolveInputs } from "../decide/assessment.ts";
import { inputDifferences } from "../decide/input-differences.ts";
import type { TaskId } from "../define/names.ts";
import type { ResolvedInput } from "../files/input.ts";
import type { State } from "../state/state.ts";
import type { Restart } from "./schedule.ts";

/** What tasks saw when they were decided on; of a task that is not in it, or undefined, nothing is known. */
export type SeenInputs = ReadonlyMap<TaskId, readonly ResolvedInput[] | undefined>;

export interface LiveBuild {
  readonly graph: Graph;
  readonly seen: SeenInputs;
  /** Ends what runs on old inputs and does it again; false when the build is over. */
  readonly restart: Restart<TaskId>;
}

/** What a watch learns of a build. */
export interface BuildWatcher {
  /** The graph of the build that begins; nothing has been looked at yet. */
  readonly onGraph: (graph: Graph) => void | Promise<void>;
  /** Tasks begin to run. */
  readonly onLive: (live: LiveBuild) => void;
  /** A task's inputs changed while it ran; paths as users know them. */
  readonly onMoved: (id: TaskId, paths: readonly string[]) => void;
}

/**
 * What differs between what a task saw and now, as paths that users know; undefined where that cannot be told. A file
 * that the task itself revises does not count while it runs.
 */
export async function changesSince(
  bound: BoundTask,
  seen: readonly ResolvedInput[] | undefined,
  state: State,
  running: boolean,
): Promise<readonly string[] | undefined> {
  if (seen === undefined) return undefined;
  try {
    return inputDifferences(seen, await resolveInputs(bound, state), {
      mutable: running ? "ignored" : "compared",
    });
  } catch {
    // A named file or a whole directory is gone: the next decision says so.
    return undefined;
  }
}

/** The controllers by which single running tasks are ended. */
export class Cancellation {
  readonly #running = new Map<TaskId, AbortController>();

  /** A signal for one run of a task, which the whole build's signal aborts too. */
  begin(id: TaskId, build: AbortSignal): AbortSignal {
    const own = new AbortController();
    this.#running.set(id, own);
    return AbortSignal.any([build, own.signal]);
  }

  end(id: TaskId): void {
    this.#running.delete(id);
  }

  cancel(id: TaskId): void {
    this.#running.get(id)?.abort();
  }
}
