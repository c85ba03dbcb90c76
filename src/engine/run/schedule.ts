/**
 * Runs the nodes of a graph, each after what it needs, as many at once as their pools are wide, the longest remaining
 * path first. What became outdated meanwhile can be done again.
 */
import { criticalPaths } from "./critical-path.ts";

export interface ScheduleOptions<Id> {
  /** Every node with the nodes it needs; all of them are nodes too. */
  readonly nodes: ReadonlyMap<Id, readonly Id[]>;
  /** Expected seconds of a node; what decides the critical path. */
  readonly cost: (id: Id) => number;
  readonly poolOf: (id: Id) => string;
  readonly widthOf: (pool: string) => number;
  /** Whether a node runs only while no other does. */
  readonly isExclusive?: (id: Id) => boolean;
  /** How many may run at once in all limited pools together; without it only the pools' widths count. */
  readonly limit?: number;
  /** Whether the nodes of a pool count for the limit; unless said otherwise, those of all pools do. */
  readonly isLimited?: (pool: string) => boolean;
  /** Called when everything that a node needs is done, maybe long before it runs, and again when it is done again. */
  readonly onReady?: (id: Id) => void;
  /** Does the node's work; resolves to whether it succeeded. Never rejects. */
  readonly run: (id: Id) => Promise<boolean>;
  /** Called for a node that cannot run because something it needs failed. */
  readonly skip: (id: Id, because: Id) => void;
  /** Go on with everything that does not depend on a failure. */
  readonly keepGoing: boolean;
  /** Asked after a failure without `keepGoing`: whether the nodes of this pool are started all the same. */
  readonly stillRuns?: (pool: string) => boolean;
  readonly signal: AbortSignal;
  /** Is handed the means to do nodes again; only called where something can become outdated meanwhile. */
  readonly attach?: (restart: Restart<Id>) => void;
  /** Ends the work of a running node, whose result nobody wants any more. */
  readonly cancel?: (id: Id) => void;
}

/**
 * Does these nodes again, and all that were or are being done on top of them; everything else goes on. False when the
 * graph is finished, and it is too late.
 */
export type Restart<Id> = (ids: Iterable<Id>) => boolean;

type NodeState = "waiting" | "ready" | "running" | "succeeded" | "failed" | "skipped";

/** Resolves to true when every node succeeded. */
export async function schedule<Id>(options: ScheduleOptions<Id>): Promise<boolean> {
  const { nodes, limit = Number.POSITIVE_INFINITY } = options;
  const dependents = new Map<Id, Id[]>();
  const missing = new Map<Id, number>();
  const states = new Map<Id, NodeState>();
  for (const [id, needs] of nodes) {
    missing.set(id, needs.length);
    states.set(id, "waiting");
    for (const need of needs) {
      const list = dependents.get(need);
      if (list === undefined) dependents.set(need, [id]);
      else list.push(id);
    }
  }
  const priority = criticalPaths(nodes, dependents, options.cost);
  const ready = new Map<string, Id[]>();
  /** Pools whose queue got something since it was sorted: sorting at every step would cost the square of the graph. */
  const unsorted = new Set<string>();
  const running = new Map<string, number>();
  /** Running nodes whose work was ended: they will be done again. */
  const outdated = new Set<Id>();
  let stopped = false;
  let failed = false;
  let finished = false;
  let active = 0;
  /** Of these the ones that count for the limit. */
  let limited = 0;
  /** An exclusive node is running. */
  let exclusive = false;

  const { promise, resolve, reject } = withResolvers<boolean>();

  // The one place where a node changes its state: what follows from the change is done here too.
  const transition = (id: Id, state: NodeState): void => {
    states.set(id, state);
    switch (state) {
      case "ready": {
        const pool = options.poolOf(id);
        const queue = ready.get(pool) ?? [];
        ready.set(pool, queue);
        queue.push(id);
        unsorted.add(pool);
        options.onReady?.(id);
        break;
      }
      case "succeeded":
        for (const dependent of dependents.get(id) ?? []) {
          const left = (missing.get(dependent) ?? 0) - 1;
          missing.set(dependent, left);
          if (left === 0 && states.get(dependent) === "waiting") transition(dependent, "ready");
        }
        break;
      case "failed":
      case "skipped":
        for (const dependent of dependents.get(id) ?? []) {
          if (states.get(dependent) !== "waiting") continue;
          options.skip(dependent, id);
          transition(dependent, "skipped");
        }
        break;
      case "waiting":
      case "running":
        break;
    }
  };

  const weightOf = (pool: string): number => (options.isLimited?.(pool) === false ? 0 : 1);

  const start = (id: Id, pool: string): void => {
    transition(id, "running");
    running.set(pool, (running.get(pool) ?? 0) + 1);
    active += 1;
    limited += weightOf(pool);
    options
      .run(id)
      .then((succeeded) => {
        running.set(pool, (running.get(pool) ?? 1) - 1);
        active -= 1;
        limited -= weightOf(pool);
        exclusive = false;
        if (outdated.delete(id)) {
          wait(id);
          pump();
          return;
        }
        const interrupted = !succeeded && options.signal.aborted;
        if (interrupted) stopped = true;
        else if (!succeeded && !options.keepGoing) failed = true;
        // What an interrupt ended did not fail, and nothing is skipped because of it.
        if (!interrupted) transition(id, succeeded ? "succeeded" : "failed");
        pump();
      })
      .catch(reject);
  };

  /** Of the pools with room the one whose next node has the longest path before it. */
  const nextPool = (): string | undefined => {
    let best: string | undefined;
    let longest = Number.NEGATIVE_INFINITY;
    for (const [pool, queue] of ready) {
      if (failed && options.stillRuns?.(pool) !== true) continue;
      if ((running.get(pool) ?? 0) >= options.widthOf(pool)) continue;
      if (weightOf(pool) > 0 && limited >= limit) continue;
      if (unsorted.delete(pool)) queue.sort((a, b) => (priority.get(a) ?? 0) - (priority.get(b) ?? 0));
      const next = queue.at(-1);
      if (next === undefined || (priority.get(next) ?? 0) <= longest) continue;
      best = pool;
      longest = priority.get(next) ?? 0;
    }
    return best;
  };

  const pump = (): void => {
    if (options.signal.aborted) stopped = true;
    while (!stopped && !exclusive) {
      const pool = nextPool();
      const id = pool === undefined ? undefined : ready.get(pool)?.at(-1);
      if (pool === undefined || id === undefined) break;
      const isExclusive = options.isExclusive?.(id) ?? false;
      // Nothing else starts meanwhile: otherwise it would starve in a long build.
      if (isExclusive && active > 0) break;
      ready.get(pool)?.pop();
      exclusive = isExclusive;
      start(id, pool);
    }
    if (active > 0) return;
    finished = true;
    resolve(!stopped && [...states.values()].every((state) => state === "succeeded"));
  };

  /** Counts again what the node waits for; with nothing left it is ready. */
  const wait = (id: Id): void => {
    transition(id, "waiting");
    const left = (nodes.get(id) ?? []).filter((need) => states.get(need) !== "succeeded").length;
    missing.set(id, left);
    if (left === 0) transition(id, "ready");
  };

  const restart: Restart<Id> = (ids) => {
    if (finished) return false;
    const affected = new Set(ids);
    // A set grows while it is walked: what stands on an affected node is affected too.
    for (const id of affected) for (const dependent of dependents.get(id) ?? []) affected.add(dependent);
    for (const id of affected) {
      const state = states.get(id);
      if (state === "running" && !outdated.has(id)) {
        outdated.add(id);
        options.cancel?.(id);
      }
      if (state === "ready") {
        const queue = ready.get(options.poolOf(id));
        queue?.splice(queue.indexOf(id), 1);
      }
      if (state !== "running") transition(id, "waiting");
    }
    for (const id of affected) if (states.get(id) === "waiting") wait(id);
    // A failure that is done again stops nobody.
    if (![...states.values()].includes("failed")) {
      stopped = options.signal.aborted;
      failed = false;
    }
    pump();
    return true;
  };

  for (const [id, left] of missing) if (left === 0) transition(id, "ready");
  options.attach?.(restart);
  pump();
  return promise;
}

function withResolvers<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (reason: unknown) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
