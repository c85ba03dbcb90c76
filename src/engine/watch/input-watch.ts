/**
 * Where a watch looks, and what it saw there: the directories that the graph's inputs make worth watching, and what is different
 * for the tasks after a burst of events. It runs nothing.
 */

import path from "node:path";
import type { Graph } from "../bind/bound-task.ts";
import { resolveInputs } from "../decide/assessment.ts";
import { inputDifferences } from "../decide/input-differences.ts";
import type { FilesInput } from "../define/declared-input.ts";
import type { TaskId } from "../define/names.ts";
import { absolutePath, displayPath } from "../define/names.ts";
import type { ParameterValues } from "../define/parameter-values.ts";
import { changesSince, type SeenInputs } from "../run/live-build.ts";
import type { State } from "../state/state.ts";
import type { Burst } from "./burst.ts";
import { Coverage, coverageOf, type LinkTarget, linkTargets } from "./coverage.ts";
import { type DirectoryListener, DirectoryWatch } from "./directory-watch.ts";
import { ValueSources } from "./value-sources.ts";

/** The tasks for which something is different, with what it is (as users know it) where that is known. */
type Stale = ReadonlyMap<TaskId, readonly string[] | undefined>;

const none: ReadonlySet<TaskId> = new Set();

export class InputWatch {
  readonly #state: State;
  readonly #others: () => ReadonlySet<string>;
  readonly #directories: DirectoryWatch;
  readonly #sources = new ValueSources();
  #coverage = new Coverage([], [], []);
  #graph: Graph = new Map();
  #seen: SeenInputs = new Map();
  #inputDirectories: ReadonlySet<string> = new Set();
  /** The link targets of each input, cached because finding them needs a search; cleared when entries are added or removed. */
  #links = new WeakMap<FilesInput, readonly LinkTarget[]>();

  /** `others` are directories to be watched beside those of the inputs; outputs are not told of. */
  constructor(state: State, others: () => ReadonlySet<string>, listener: DirectoryListener) {
    this.#state = state;
    this.#others = others;
    this.#directories = new DirectoryWatch({
      ...listener,
      onTouched: (file, entries) => {
        if (!this.#coverage.owns(file) && this.#concerns(file)) listener.onTouched(file, entries);
      },
    });
  }

  /**
   * Whether a changed path matters: of directories that only parameter values depend on, which may be as busy as /tmp,
   * only few do.
   */
  #concerns(file: string): boolean {
    const directory = path.dirname(file);
    return (
      this.#inputDirectories.has(directory) || this.#inputDirectories.has(file) || this.#sources.has(file)
    );
  }

  /** How many directories are watched. */
  get size(): number {
    return this.#directories.size;
  }

  /** Whether anything was at an absolute path when it was last looked at. */
  saw(file: string): boolean {
    return this.#state.files.saw(absolutePath(file)) || this.#directories.has(file);
  }

  /** The graph of the next build is known: once this resolves, nothing that it reads may change unseen. */
  async cover(graph: Graph): Promise<void> {
    this.#graph = graph;
    await this.#compute();
    await this.refresh();
  }

  async #compute(): Promise<void> {
    const own = [path.dirname(this.#state.root)];
    this.#coverage = await coverageOf(
      this.#graph,
      this.#state.workspace,
      own,
      async (input, root, workspace) => {
        const known = this.#links.get(input) ?? (await linkTargets(input, root, workspace));
        this.#links.set(input, known);
        return known;
      },
    );
  }

  /** Directories may have come or gone. */
  async refresh(): Promise<void> {
    await this.#directories.cover(() => {
      this.#inputDirectories = new Set([...this.#coverage.directories(), ...this.#others()]);
      return new Set([...this.#inputDirectories, ...this.#sources.directories()]);
    });
  }

  /**
   * Starts watching the paths that the last build's values were computed from. Returns the names of parameters that changed,
   * including changes from before the watching started.
   */
  async follow(values: ParameterValues): Promise<readonly string[]> {
    if (!(await this.#sources.follow(values))) return [];
    await this.refresh();
    return await values.moved();
  }

  /** The names of parameters whose values a burst of events changed. */
  async movedBy(burst: Burst): Promise<readonly string[]> {
    return await this.#sources.movedBy(burst);
  }

  /**
   * A build is over: its tasks saw this. What was not looked at because something else failed counts as it was seen before.
   * Where nothing could be looked at (undefined), whatever concerns a task makes a new attempt worth while.
   */
  note(seen: SeenInputs | undefined): void {
    this.#seen = seen === undefined ? new Map() : new Map([...this.#seen, ...seen]);
  }

  /** What a build saw that is not what was seen before it, as users know it: whatever was told of it, or not yet. */
  firstSeenIn(seen: SeenInputs): readonly string[] {
    return [...seen].flatMap(([id, inputs = []]) =>
      inputDifferences(this.#seen.get(id) ?? [], inputs, { mutable: "ignored" }),
    );
  }

  /** What stands there now counts as seen. */
  async noteAll(): Promise<void> {
    this.#state.files.forgetAll();
    const seen = new Map(this.#seen);
    for (const [id, bound] of this.#graph) {
      if (!seen.has(id)) continue;
      await resolveInputs(bound, this.#state).then(
        (inputs) => seen.set(id, inputs),
        () => seen.delete(id),
      );
    }
    this.#seen = seen;
  }

  /** What a burst changed for the tasks, as users know it; undefined when it is no more than what they saw. */
  async changedBy(burst: Burst): Promise<readonly string[] | undefined> {
    if (burst.entries || burst.flood) {
      // A link may be new, or have another target.
      this.#links = new WeakMap();
      await this.#compute();
      await this.refresh();
    }
    const stale = await this.staleBy(burst);
    if (stale.size === 0) return undefined;
    const changes = new Set([...stale.values()].flatMap((paths) => paths ?? []));
    return changes.size > 0 ? [...changes] : this.concerning(burst);
  }

  /** What is stale after a burst; `seen` by the tasks of a build that goes on, of which some are `running`. */
  async staleBy(burst: Burst, seen = this.#seen, running = none): Promise<Stale> {
    const { files } = this.#state;
    const concerned = new Set<TaskId>();
    if (burst.flood) {
      files.forgetAll();
      for (const id of this.#graph.keys()) concerned.add(id);
    } else {
      for (const file of burst.paths) {
        files.forgetBelow(absolutePath(file));
        for (const id of this.#coverage.concernedBy(file)) concerned.add(id);
      }
    }
    const stale = new Map<TaskId, readonly string[] | undefined>();
    for (const id of concerned) {
      const bound = this.#graph.get(id);
      if (bound === undefined) continue;
      const changes = await changesSince(bound, seen.get(id), this.#state, running.has(id));
      if (changes === undefined || changes.length > 0) stale.set(id, changes);
    }
    return stale;
  }

  /** The paths of a burst that any task may read, as users know them. */
  concerning(burst: Burst): readonly string[] {
    return [...burst.paths]
      .filter((file) => this.#coverage.concernedBy(file).size > 0)
      .map((file) => displayPath(this.#state.workspace, file));
  }

  close(): Promise<void> {
    return this.#directories.close();
  }
}
