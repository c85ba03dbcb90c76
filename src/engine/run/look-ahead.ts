/**
 * Looks results of other machines up before their tasks' turn: as soon as the keys are known, together. A found result tells
 * the outputs of its task, and with them the keys of its dependents, so that a whole chain is known before its first content
 * has arrived.
 */
import { setMaxListeners } from "node:events";
import { dependentsOf, digestsOfNeeds, needsOf } from "../bind/adjacency.ts";
import type { BoundTask, Graph } from "../bind/bound-task.ts";
import type { Decision } from "../decide/decision.ts";
import type { Digest, TaskId } from "../define/names.ts";
import type { Listing } from "../files/listing.ts";
import type { RemoteResults } from "./remote-results.ts";
import { Turns } from "./turns.ts";

/** Tasks that are looked up at once. */
const width = 16;

interface LookAheadContext {
  readonly graph: Graph;
  readonly remote: RemoteResults;
  /** Outputs of the tasks that are done. */
  readonly made: ReadonlyMap<TaskId, Listing>;
  /** Decides as a build would now; undefined for a task that runs in any case. */
  readonly decide: (
    bound: BoundTask,
    needs: ReadonlyMap<string, Digest | undefined>,
  ) => Promise<Decision | undefined>;
  /** Whether only the tasks that need it want its outputs, if they run. */
  readonly mayDefer: (bound: BoundTask) => boolean;
  /** Seconds from a task's start to the end of the longest chain of dependents. */
  readonly priorityOf: (id: TaskId) => number;
  readonly signal: AbortSignal;
}

export class LookAhead {
  readonly #context: LookAheadContext;
  readonly #dependents: ReadonlyMap<TaskId, readonly BoundTask[]>;
  readonly #turns = new Turns(width);
  /** Outputs that tasks will have, as far as the store or the remote cache has them. */
  readonly #expected = new Map<TaskId, Listing>();
  readonly #looking = new Set<TaskId>();
  readonly #work = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;

  constructor(context: LookAheadContext) {
    this.#context = context;
    this.#dependents = dependentsOf(context.graph);
    this.#signal = AbortSignal.any([context.signal, this.#stop.signal]);
    setMaxListeners(0, this.#signal);
  }

  /** Begins with a task whose needs are done, or expected. Returns at once. */
  begin(id: TaskId): void {
    if (this.#looking.has(id) || this.#signal.aborted) return;
    this.#looking.add(id);
    const work = this.#turns
      .take(this.#context.priorityOf(id), this.#signal, () => this.#look(id))
      // What is wrong with a task is told of when its turn has come.
      .catch(() => undefined)
      .finally(() => this.#work.delete(work));
    this.#work.add(work);
  }

  /** Gives up what nobody waits for any more. */
  async end(): Promise<void> {
    this.#stop.abort(new Error("the build is over"));
    while (this.#work.size > 0) await Promise.all(this.#work);
  }

  async #look(id: TaskId): Promise<void> {
    const { graph, remote, made, decide, mayDefer, priorityOf } = this.#context;
    const bound = graph.get(id);
    // Where the task's own turn came first, there is nothing to look ahead for.
    if (bound === undefined || made.has(id)) return;
    const needed = new Map<TaskId, Listing>();
    for (const need of needsOf(bound)) {
      const outputs = made.get(need) ?? this.#expected.get(need);
      if (outputs !== undefined) needed.set(need, outputs);
    }
    const decision = await decide(bound, digestsOfNeeds(bound, needed));
    if (decision === undefined || this.#signal.aborted) return;
    const outputs = decision.kind === "run" ? await remote.lookUp(bound, decision) : decision.outputs;
    if (outputs === undefined) {
      // It will run, on what these have made.
      for (const need of needsOf(bound)) remote.fetch(need, priorityOf(need));
      return;
    }
    if (!mayDefer(bound)) remote.fetch(id, priorityOf(id));
    this.#expected.set(id, outputs);
    for (const dependent of this.#dependents.get(id) ?? [])
      if (needsOf(dependent).every((need) => made.has(need) || this.#expected.has(need)))
        this.begin(dependent.id);
  }
}
