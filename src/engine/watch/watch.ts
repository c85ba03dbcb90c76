/**
 * Watch mode: a warm process that builds, waits for a change that makes a difference, and builds what it made stale.
 * It reports what happens as events, and takes what a user wants as calls.
 */

import { displayPath } from "../define/names.ts";
import type { BuildRequest, Workspace } from "../run/build-request.ts";
import { type Burst, BurstCollector } from "./burst.ts";
import { CycleRun } from "./cycle-run.ts";
import { InputWatch } from "./input-watch.ts";
import { type Loop, LoopGuard } from "./loop-guard.ts";
import { type SourceFile, SourceFiles } from "./source-files.ts";
import type { WatchEnd, WatchOptions } from "./watch-event.ts";

export class Watch {
  readonly #workspace: Workspace;
  readonly #options: WatchOptions;
  readonly #inputWatch: InputWatch;
  readonly #collector: BurstCollector;
  /** Passed on to the watch of the next program, since the endless change may be that of a source. */
  readonly guard: LoopGuard;
  readonly #sources: SourceFiles;
  #asked: { readonly force: BuildRequest["force"] | undefined } | undefined;
  #wake: (() => void) | undefined;
  #fault: unknown;
  #idleSince = 0;
  #begun = false;
  #ready = false;
  /** Absolute paths of changed sources that were not compiled, because a loop was detected. */
  #unread: readonly string[] = [];

  constructor(workspace: Workspace, options: WatchOptions) {
    this.#workspace = workspace;
    this.#options = options;
    this.guard = options.guard ?? new LoopGuard();
    this.#sources = new SourceFiles(options.sources);
    this.#collector = new BurstCollector((file) => this.#inputWatch.saw(file));
    this.#inputWatch = new InputWatch(workspace.state, () => this.#sources.directories(), {
      onTouched: (file, entries) => this.#collector.add(file, entries),
      onError: (error) => {
        this.#fault ??= error;
        this.#wake?.();
      },
    });
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
      const sources = await this.#changedSources(burst);
      if (sources.length === 0) {
        await this.#answer(burst);
        continue;
      }
      const changes = sources.map((file) => displayPath(this.#workspace.state.workspace, file));
      const loop = this.guard.disturbed(changes, performance.now() - this.#idleSince);
      if (loop !== undefined) {
        this.#unread = sources;
        await this.#stopLoop(loop);
        continue;
      }
      this.#collector.putBack(burst);
      return { kind: "sources", changes, startedAt: burst.startedAt };
    }
    return { kind: "stopped" };
  }

  /**
   * Continues with the previous definitions, because the changed sources are invalid. Also watches these files, which the new
   * sources consist of: what changed after it was compiled counts as a change, whether or not it was watched then.
   */
  async keepDefinitions(files: readonly SourceFile[]): Promise<void> {
    this.#sources.add(files);
    await this.#inputWatch.refresh();
    for (const file of this.#sources.stale()) this.#collector.add(file, false);
    this.#idleSince = performance.now();
  }

  /** The sources that a burst changed, absolute. */
  async #changedSources(burst: Burst): Promise<readonly string[]> {
    const unread = this.#unread;
    this.#unread = [];
    // A missing directory may have been created, and may already hold the missing file.
    const absent = burst.entries ? this.#sources.absent() : [];
    if (absent.length > 0) await this.#inputWatch.refresh();
    const changed = this.#sources.changed(new Set([...burst.paths, ...absent]));
    return [...new Set([...unread, ...changed])];
  }

  close(): Promise<void> {
    return this.#inputWatch.close();
  }

  /** Builds what a burst made stale. */
  async #answer(burst: Burst): Promise<void> {
    const changed = await this.#inputWatch.changedBy(burst);
    const moved = await this.#inputWatch.movedBy(burst);
    const changes = [...(changed ?? []), ...moved];
    if (changed === undefined && moved.length === 0) {
      const paths = this.#inputWatch.concerning(burst);
      if (paths.length > 0) await this.#options.onEvent({ type: "unchanged", paths });
      return;
    }
    const loop = this.guard.disturbed(changes, performance.now() - this.#idleSince);
    if (loop === undefined) await this.#cycle(changes, burst.startedAt);
    else await this.#stopLoop(loop);
  }

  async #cycle(changes: readonly string[], since: number, force?: BuildRequest["force"]): Promise<void> {
    const { onEvent, signal } = this.#options;
    await onEvent({ type: "cycle-started", changes });
    const cycle = new CycleRun(changes, since, {
      workspace: this.#workspace,
      options: this.#options,
      collector: this.#collector,
      inputWatch: this.#inputWatch,
      guard: this.guard,
      onCovered: () => this.#covered(),
    });
    const end = await cycle.run(force);
    this.#idleSince = performance.now();
    if (!("type" in end)) await this.#stopLoop(end);
    else if (!signal.aborted) await onEvent(end);
    if (signal.aborted || cycle.values === undefined) return;
    // Last, so that nothing waits for it: finding these paths runs some processes.
    const moved = await this.#inputWatch.follow(cycle.values);
    if (moved.length > 0) await this.#cycle(moved, performance.now());
  }

  async #covered(): Promise<void> {
    if (this.#fault !== undefined) throw this.#fault;
    if (this.#ready) return;
    this.#ready = true;
    // A file that was saved after compilation, and before its directory was watched, counts as changed.
    for (const file of this.#sources.stale()) this.#collector.add(file, false);
    await this.#options.onEvent({ type: "watch-ready", directories: this.#inputWatch.size });
  }

  /** From what the loop left, only somebody else's change starts a new build. */
  async #stopLoop(loop: Loop): Promise<void> {
    this.guard.reset();
    await this.#inputWatch.noteAll();
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
