/** Notices a task that changes its own input: it would run for ever. */
import type { TaskId } from "../define/names.ts";

export interface Loop {
  /** The task that was running each time; undefined where it was not always the same. */
  readonly task: TaskId | undefined;
  /** As users know it. */
  readonly path: string;
}

/** Nobody saves the same file three times in a row just while the same task works on it. */
const ownRuns = 3;
/** A user who edits during a long build may well change a file several times before it ends. */
const anyRuns = 10;
/** Milliseconds: what changes later than this after the last build is not that build's doing. */
const echo = 500;

export class LoopGuard {
  /** For each task the inputs that moved in its latest runs, and in how many in a row. */
  readonly #own = new Map<TaskId, ReadonlyMap<string, number>>();
  /** The inputs that moved in the run that goes on now. */
  readonly #now = new Map<TaskId, Set<string>>();
  readonly #any = new Map<string, number>();

  started(task: TaskId): void {
    this.#now.set(task, new Set());
  }

  /** Inputs of a task changed while it ran. */
  moved(task: TaskId, paths: readonly string[]): void {
    for (const path of paths) this.#now.get(task)?.add(path);
  }

  /** A run is over, whatever came of it; tells when it was one too many. */
  ended(task: TaskId): Loop | undefined {
    const before = this.#own.get(task);
    const now = new Map<string, number>();
    for (const path of this.#now.get(task) ?? []) now.set(path, (before?.get(path) ?? 0) + 1);
    this.#now.delete(task);
    this.#own.set(task, now);
    for (const [path, times] of now) if (times >= ownRuns) return { task, path };
    return undefined;
  }

  /**
   * Files made work that had just been done necessary again; `idleMs` is how long nothing had been running before, 0
   * where something still was. Tells when that went on for too long.
   */
  disturbed(paths: readonly string[], idleMs: number): Loop | undefined {
    if (idleMs > echo) this.#any.clear();
    for (const path of paths) {
      const times = (this.#any.get(path) ?? 0) + 1;
      this.#any.set(path, times);
      if (times >= anyRuns) return { task: undefined, path };
    }
    return undefined;
  }

  /** Begins to count again. */
  reset(): void {
    this.#own.clear();
    this.#any.clear();
  }
}
