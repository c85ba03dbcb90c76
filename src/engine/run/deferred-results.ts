/**
 * Results of tasks whose outputs are not brought here because nobody needs them: the tasks that do are restored themselves. When one
 * of these has to run after all, the outputs are brought then.
 */
import type { BoundTask } from "../bind/bound-task.ts";
import type { Task } from "../define/declared-task.ts";
import type { TaskId } from "../define/names.ts";
import { decodeListing, type Listing } from "../files/listing.ts";
import { isSound } from "../state/listing-rules.ts";
import type { Stamp } from "../state/stamp.ts";
import type { State } from "../state/state.ts";

interface DeferredResult {
  readonly stamp: Stamp;
  readonly outputs: Listing;
}

export class DeferredResults {
  readonly #targets: ReadonlySet<Task>;
  readonly #state: State;
  readonly #isOff: boolean;
  /** Tasks whose outputs are not here, in this build. */
  readonly #ids = new Set<TaskId>();
  /** Of these the ones that this build found. */
  readonly #told = new Set<TaskId>();
  /** And the ones that an earlier build deferred, and of which nothing was told yet. */
  readonly #untold = new Map<TaskId, DeferredResult>();

  /** `isOff`: every task's outputs are wanted, as in a watch, whose next build begins at once. */
  constructor(targets: readonly Task[], state: State, isOff: boolean) {
    this.#targets = new Set(targets);
    this.#state = state;
    this.#isOff = isOff;
  }

  /** Whether only the tasks that need it want its outputs, if they run. */
  mayDefer({ task, outputs }: BoundTask): boolean {
    return !this.#isOff && !this.#targets.has(task) && outputs.every(({ place }) => place === "cache");
  }

  /** The result that an earlier build deferred for the task, if it has this fingerprint. */
  known(bound: BoundTask, fingerprint: string): DeferredResult | undefined {
    if (!this.mayDefer(bound)) return undefined;
    const stamp = this.#state.stamps.deferred(bound.id);
    if (stamp?.fingerprint !== fingerprint) return undefined;
    const outputs = decodeListing(stamp.outputs);
    return outputs === undefined || !isSound(outputs, bound.outputs) ? undefined : { stamp, outputs };
  }

  /** Goes on without the outputs of an earlier result. */
  keep(id: TaskId, result: DeferredResult): void {
    this.#ids.add(id);
    this.#untold.set(id, result);
  }

  /** Goes on without the outputs of a result that was just found elsewhere. */
  defer(id: TaskId, stamp: Stamp): void {
    this.#ids.add(id);
    this.#told.add(id);
    this.#state.stamps.defer(id, stamp, this.#state.clock.now());
  }

  has(id: TaskId): boolean {
    return this.#ids.has(id);
  }

  /** Whether the task was reported as restored when its result was found. */
  isTold(id: TaskId): boolean {
    return this.#told.has(id);
  }

  /** The outputs are here now, or about to be made. */
  settle(id: TaskId): void {
    this.#ids.delete(id);
    this.#untold.delete(id);
  }

  /** The results that nobody needed in this build either. */
  untold(): Iterable<readonly [TaskId, DeferredResult]> {
    return this.#untold;
  }
}
