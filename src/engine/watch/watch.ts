/**
 * Watch mode: a warm process that builds, waits for a change that makes a difference, and builds what it made stale.
 * It knows no terminal: what happens is told as events, what a user wants comes as calls.
 */
import path from "node:path";
import { type BuildRequest, type BuildResult, build, type Workspace } from "../build.ts";
import { resolveInputs } from "../decision.ts";
import type { BuildEvent } from "../event.ts";
import type { Graph } from "../graph.ts";
import { displayPath } from "../input.ts";
import { changesSince, type LiveBuild, type SeenInputs } from "../live-build.ts";
import type { AbsolutePath, TaskId } from "../names.ts";
import { type Burst, BurstCollector } from "./burst.ts";
import { Coverage, coverageOf } from "./coverage.ts";
import { FolderWatch } from "./folder-watch.ts";
import { type Loop, LoopGuard } from "./loop-guard.ts";
import { SourceFiles } from "./source-files.ts";

/** What one build is asked for; parameters are asked for anew each time. */
export type CycleRequest = Omit<BuildRequest, "signal" | "onEvent" | "watcher">;

export type WatchEvent =
  /** From here on every change is seen. */
  | { readonly type: "watch-ready"; readonly folders: number }
  /** A build begins; `changes` are paths as users know them, empty for one that was asked for. */
  | { readonly type: "cycle-started"; readonly changes: readonly string[] }
  | Cycle
  /** Something was touched and nothing is different; paths as users know them. */
  | { readonly type: "unchanged"; readonly paths: readonly string[] }
  | { readonly type: "loop"; readonly loop: Loop };

/** One build of a watch, at its end. */
export interface Cycle {
  readonly type: "cycle-finished";
  readonly changes: readonly string[];
  readonly outcome: BuildResult["outcome"] | "loop";
  /** What was wrong before any task ran. */
  readonly error?: unknown;
  readonly graph?: Graph;
  /** From the last change that mattered to now; of a build that was asked for, from its beginning. */
  readonly seconds: number;
}

export interface WatchOptions {
  /** Asked before each build. */
  readonly request: (force: BuildRequest["force"] | undefined) => CycleRequest;
  /** Absolute paths of the files that define the tasks. */
  readonly sources: readonly string[];
  readonly signal: AbortSignal;
  readonly onBuildEvent: (event: BuildEvent) => void;
  readonly onEvent: (event: WatchEvent) => void | Promise<void>;
}

/** Why a watch no longer waits: it was ended, or the tasks are defined anew (in these files, relative to the workspace). */
export type WatchEnd =
  | { readonly kind: "stopped" }
  | { readonly kind: "sources"; readonly changes: readonly string[]; readonly startedAt: number };

export class Watch {
  readonly #workspace: Workspace;
  readonly #options: WatchOptions;
  readonly #folders: FolderWatch;
  readonly #collector: BurstCollector;
  readonly #guard = new LoopGuard();
  readonly #sources: SourceFiles;
  #coverage = new Coverage([], [], []);
  #graph: Graph = new Map();
  #seen: SeenInputs = new Map();
  #running = new Set<TaskId>();
  #asked: { readonly force: BuildRequest["force"] | undefined } | undefined;
  #wake: (() => void) | undefined;
  #fault: unknown;
  #idleSince = 0;
  #begun = false;

  constructor(workspace: Workspace, options: WatchOptions) {
    this.#workspace = workspace;
    this.#options = options;
    const { files } = workspace.state;
    this.#collector = new BurstCollector(
      (file) => files.saw(file as AbsolutePath) || this.#folders.has(file),
    );
    this.#folders = new FolderWatch({
      onTouched: (file, entries) => {
        if (!this.#coverage.owns(file)) this.#collector.add(file, entries);
      },
      onError: (error) => {
        this.#fault ??= error;
        this.#wake?.();
      },
    });
    this.#sources = new SourceFiles(options.sources);
  }

  /** Builds once, whatever changed, as soon as nothing else is being built. */
  rerun(force?: BuildRequest["force"]): void {
    this.#asked = { force };
    this.#wake?.();
  }

  /**
   * Builds and waits, until it is ended or the tasks' sources change; may be called again after the latter. `first` is
   * what the first build is for, where it is not the first of all.
   */
  async run(first?: { readonly changes: readonly string[]; readonly startedAt: number }): Promise<WatchEnd> {
    const { signal } = this.#options;
    if (!this.#begun) {
      this.#begun = true;
      await this.#cycle(first?.changes ?? [], first?.startedAt ?? performance.now());
    }
    while (!signal.aborted) {
      if (this.#fault !== undefined) throw this.#fault;
      if (this.#asked !== undefined) {
        const { force } = this.#asked;
        this.#asked = undefined;
        await this.#cycle([], performance.now(), force);
        continue;
      }
      const burst = await this.#nextBurst();
      if (burst === undefined) continue;
      const sources = this.#sources.changed(burst.paths);
      if (sources.length > 0) {
        this.#collector.putBack(burst);
        const changes = sources.map((file) => displayPath(this.#workspace.state.workspace, file));
        return { kind: "sources", changes, startedAt: burst.startedAt };
      }
      const changes = await this.#look(burst);
      if (changes === undefined) {
        const paths = this.#relevant(burst);
        if (paths.length > 0) await this.#options.onEvent({ type: "unchanged", paths });
        continue;
      }
      const loop = this.#guard.disturbed(changes, performance.now() - this.#idleSince);
      if (loop === undefined) await this.#cycle(changes, burst.startedAt);
      else await this.#stopLoop(loop);
    }
    return { kind: "stopped" };
  }

  /** The sources changed, and cannot be used as they are: what was defined before goes on being watched. */
  keepDefinitions(): void {
    this.#sources.markBroken();
  }

  close(): Promise<void> {
    return this.#folders.close();
  }

  async #cycle(changes: readonly string[], since: number, force?: BuildRequest["force"]): Promise<void> {
    const { state } = this.#workspace;
    const { onEvent, signal } = this.#options;
    const over = new AbortController();
    const loop: { found?: Loop } = {};
    const stop = new AbortController();
    const all = new Set(changes);
    const before = this.#seen;
    let startedAt = since;
    let follower: Promise<void> | undefined;
    await onEvent({ type: "cycle-started", changes });
    state.files.forgetAll();
    this.#running = new Set();
    const found = (one: Loop | undefined): void => {
      if (one === undefined) return;
      loop.found ??= one;
      stop.abort();
    };
    let result: BuildResult | undefined;
    let error: unknown;
    let seen: SeenInputs = new Map();
    try {
      result = await build(this.#workspace, {
        ...this.#options.request(force),
        signal: AbortSignal.any([signal, stop.signal]),
        onEvent: (event) => {
          this.#note(event, found);
          this.#options.onBuildEvent(event);
        },
        watcher: {
          onGraph: (graph) => this.#cover(graph),
          onMoved: (id, paths) => this.#guard.moved(id, paths),
          onLive: (live) => {
            follower = this.#follow(live, over.signal, (paths, at) => {
              for (const one of paths) all.add(one);
              startedAt = at;
              found(this.#guard.disturbed(paths, 0));
            });
            seen = live.seen;
          },
        },
      });
    } catch (thrown) {
      error = thrown;
    }
    over.abort();
    await follower;
    // What was not looked at because something else failed counts as it was seen before. Where nothing could be looked
    // at, whatever concerns a task makes a new attempt worth while.
    this.#seen = error === undefined ? new Map([...before, ...seen]) : new Map();
    this.#idleSince = performance.now();
    if (loop.found !== undefined) {
      await this.#stopLoop(loop.found);
    } else if (!signal.aborted) {
      await onEvent({
        type: "cycle-finished",
        changes: [...all],
        outcome: result?.outcome ?? "failed",
        ...(error === undefined ? {} : { error }),
        ...(result === undefined ? {} : { graph: result.graph }),
        seconds: (performance.now() - startedAt) / 1000,
      });
    }
  }

  /** Follows what changes while a build runs, and has done again what that makes stale. */
  async #follow(
    live: LiveBuild,
    over: AbortSignal,
    onChanges: (paths: readonly string[], at: number) => void,
  ): Promise<void> {
    const pending = new Set<string>();
    for (;;) {
      const burst = await this.#collector.next(over);
      if (burst === undefined) break;
      for (const file of burst.paths) pending.add(file);
      if (burst.entries) await this.#folders.cover(() => this.#wanted());
      const stale = await this.#staleTasks(burst, live.seen, true);
      const known = [...stale].filter(([, changes]) => changes !== undefined);
      if (known.length === 0) continue;
      for (const [id, changes = []] of known) if (this.#running.has(id)) this.#guard.moved(id, changes);
      if (live.restart(known.map(([id]) => id))) {
        onChanges([...new Set(known.flatMap(([, changes = []]) => changes))], burst.startedAt);
      }
    }
    // A task that had only begun to look could not be asked: all that came is looked at once more.
    for (const file of pending) this.#collector.add(file, false);
  }

  /** What a burst changed for the tasks; undefined when it is no more than what they saw. */
  async #look(burst: Burst): Promise<readonly string[] | undefined> {
    if (burst.entries || burst.flood) await this.#folders.cover(() => this.#wanted());
    const stale = await this.#staleTasks(burst, this.#seen, false);
    if (stale.size === 0) return undefined;
    const changes = new Set([...stale.values()].flatMap((paths) => paths ?? []));
    return changes.size > 0 ? [...changes] : this.#relevant(burst);
  }

  /** The tasks for which something is different, with what it is where that is known. */
  async #staleTasks(
    burst: Burst,
    seen: SeenInputs,
    live: boolean,
  ): Promise<ReadonlyMap<TaskId, readonly string[] | undefined>> {
    const { state } = this.#workspace;
    const concerned = new Set<TaskId>();
    if (burst.flood) {
      state.files.forgetAll();
      for (const id of this.#graph.keys()) concerned.add(id);
    } else {
      for (const file of burst.paths) {
        state.files.forgetBelow(file as AbsolutePath);
        for (const id of this.#coverage.concernedBy(file)) concerned.add(id);
      }
    }
    const stale = new Map<TaskId, readonly string[] | undefined>();
    for (const id of concerned) {
      const bound = this.#graph.get(id);
      if (bound === undefined) continue;
      const changes = await changesSince(bound, seen.get(id), state, live && this.#running.has(id));
      if (changes === undefined || changes.length > 0) stale.set(id, changes);
    }
    return stale;
  }

  #relevant(burst: Burst): readonly string[] {
    return [...burst.paths]
      .filter((file) => this.#coverage.concernedBy(file).size > 0)
      .map((file) => displayPath(this.#workspace.state.workspace, file));
  }

  /** The graph of the next build is known: from now on nothing that it reads may change unseen. */
  async #cover(graph: Graph): Promise<void> {
    const { state } = this.#workspace;
    this.#graph = graph;
    this.#coverage = await coverageOf(graph, state.workspace, [path.dirname(state.root)]);
    const first = this.#folders.size === 0;
    await this.#folders.cover(() => this.#wanted());
    if (this.#fault !== undefined) throw this.#fault;
    if (first) await this.#options.onEvent({ type: "watch-ready", folders: this.#folders.size });
  }

  #wanted(): ReadonlySet<string> {
    const folders = new Set(this.#coverage.folders());
    for (const folder of this.#sources.folders) folders.add(folder);
    return folders;
  }

  #note(event: BuildEvent, found: (loop: Loop | undefined) => void): void {
    switch (event.type) {
      case "task-started":
        this.#running.add(event.task);
        this.#guard.started(event.task);
        break;
      case "task-done":
      case "task-failed":
      case "task-outdated":
        if (this.#running.delete(event.task)) found(this.#guard.ended(event.task));
        break;
      default:
        break;
    }
  }

  /** From what the loop left, only somebody else's change starts a new build. */
  async #stopLoop(loop: Loop): Promise<void> {
    this.#guard.reset();
    const { state } = this.#workspace;
    state.files.forgetAll();
    const seen = new Map(this.#seen);
    for (const [id, bound] of this.#graph) {
      if (!seen.has(id)) continue;
      await resolveInputs(bound, state).then(
        (inputs) => seen.set(id, inputs),
        () => seen.delete(id),
      );
    }
    this.#seen = seen;
    await this.#options.onEvent({ type: "loop", loop });
  }

  async #nextBurst(): Promise<Burst | undefined> {
    const asked = new AbortController();
    this.#wake = () => asked.abort();
    try {
      return await this.#collector.next(AbortSignal.any([this.#options.signal, asked.signal]));
    } finally {
      this.#wake = undefined;
    }
  }
}
