/** One build of a watch: what changes while it runs is followed, and done again where that makes it stale. */

import type { TaskId } from "../define/names.ts";
import type { ParameterValues } from "../define/parameter-values.ts";
import { type BuildResult, build } from "../run/build.ts";
import type { BuildRequest, Workspace } from "../run/build-request.ts";
import type { BuildEvent } from "../run/event.ts";
import type { LiveBuild, SeenInputs } from "../run/live-build.ts";
import type { BurstCollector } from "./burst.ts";
import type { InputWatch } from "./input-watch.ts";
import type { Loop, LoopGuard } from "./loop-guard.ts";
import type { Cycle, WatchOptions } from "./watch-event.ts";

interface CycleTools {
  readonly workspace: Workspace;
  readonly options: WatchOptions;
  readonly collector: BurstCollector;
  readonly inputWatch: InputWatch;
  readonly guard: LoopGuard;
  /** The graph is known, and its inputs are watched. */
  readonly onCovered: () => Promise<void>;
}

/** How a build ended, and the names of the parameters whose values moved while it ran. */
interface Built {
  readonly end: Loop | Cycle;
  readonly moved: readonly string[];
}

export class CycleRun {
  readonly #tools: CycleTools;
  /** Ends the build, for it would not end by itself. */
  readonly #stop = new AbortController();
  readonly #running = new Set<TaskId>();
  readonly #changes: Set<string>;
  #startedAt: number;
  #loop: Loop | undefined;
  #values: ParameterValues | undefined;

  /** `changes` as users know them, the last of them at `since`, as `performance.now` counts. */
  constructor(changes: readonly string[], since: number, tools: CycleTools) {
    this.#tools = tools;
    this.#changes = new Set(changes);
    this.#startedAt = since;
  }

  /** The values that the last build was made with; undefined before it. */
  get values(): ParameterValues | undefined {
    return this.#values;
  }

  /** Builds, again where a value moved meanwhile, and tells how it ended: in a loop, or as a cycle. */
  async run(force: BuildRequest["force"] | undefined): Promise<Loop | Cycle> {
    for (let again = force; ; again = new Set()) {
      const { end, moved } = await this.#build(again);
      if (!("type" in end) || moved.length === 0 || this.#tools.options.signal.aborted) return end;
      for (const name of moved) this.#changes.add(name);
      this.#startedAt = performance.now();
      this.#found(this.#tools.guard.disturbed(moved, 0));
      if (this.#loop !== undefined) return this.#loop;
    }
  }

  async #build(force: BuildRequest["force"] | undefined): Promise<Built> {
    const { workspace, options, inputWatch, onCovered } = this.#tools;
    const over = new AbortController();
    let follower: Promise<void> | undefined;
    let seen: SeenInputs = new Map();
    let result: BuildResult | undefined;
    let error: unknown;
    workspace.state.files.forgetAll();
    const request = options.request(force);
    this.#values = request.values;
    try {
      result = await build(workspace, {
        ...request,
        signal: AbortSignal.any([options.signal, this.#stop.signal]),
        onEvent: (event) => {
          this.#note(event);
          options.onBuildEvent(event);
        },
        watcher: {
          onGraph: async (graph) => {
            await inputWatch.cover(graph);
            await onCovered();
          },
          onMoved: (id, paths) => this.#tools.guard.moved(id, paths),
          onLive: (live) => {
            follower = this.#follow(live, over.signal);
            seen = live.seen;
          },
        },
      });
    } catch (thrown) {
      error = thrown;
    }
    over.abort();
    await follower;
    // Of a task that had not looked yet nobody could say that it was concerned.
    for (const path of inputWatch.firstSeenIn(seen)) this.#changes.add(path);
    inputWatch.note(error === undefined ? seen : undefined);
    const moved = result?.moved ?? [];
    if (this.#loop !== undefined) return { end: this.#loop, moved };
    const end: Cycle = {
      type: "cycle-finished",
      changes: [...this.#changes],
      outcome: result?.outcome ?? "failed",
      ...(error === undefined ? {} : { error }),
      ...(result === undefined ? {} : { graph: result.graph }),
      seconds: (performance.now() - this.#startedAt) / 1000,
    };
    return { end, moved };
  }

  /** Follows what changes while a build runs, and has done again what that makes stale. */
  async #follow(live: LiveBuild, over: AbortSignal): Promise<void> {
    const { collector, inputWatch, guard } = this.#tools;
    const pending = new Set<string>();
    for (;;) {
      const burst = await collector.next(over);
      if (burst === undefined) break;
      for (const file of burst.paths) pending.add(file);
      if (burst.entries) await inputWatch.refresh();
      const stale = await inputWatch.staleBy(burst, live.seen, this.#running);
      const known = [...stale].filter(([, changes]) => changes !== undefined);
      if (known.length === 0) continue;
      for (const [id, changes = []] of known) if (this.#running.has(id)) guard.moved(id, changes);
      if (!live.restart(known.map(([id]) => id))) continue;
      const changes = new Set(known.flatMap(([, paths = []]) => paths));
      for (const one of changes) this.#changes.add(one);
      this.#startedAt = burst.startedAt;
      this.#found(guard.disturbed([...changes], 0));
    }
    // A task that had only begun to look could not be asked: all that came is looked at once more.
    for (const file of pending) collector.add(file, false);
  }

  #note(event: BuildEvent): void {
    switch (event.type) {
      case "task-started":
        this.#running.add(event.task);
        this.#tools.guard.started(event.task);
        break;
      case "task-done":
      case "task-failed":
      case "task-outdated":
        if (this.#running.delete(event.task)) this.#found(this.#tools.guard.ended(event.task));
        break;
      default:
        break;
    }
  }

  #found(loop: Loop | undefined): void {
    if (loop === undefined) return;
    this.#loop ??= loop;
    this.#stop.abort();
  }
}
