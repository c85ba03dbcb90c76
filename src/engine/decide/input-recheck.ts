/**
 * What a task read, looked at once more when it has run: a result may only be remembered for what was there all the
 * time.
 */

import { UserError } from "../../errors/index.ts";
import { type BoundTask, neededSlots } from "../bind/bound-task.ts";
import type { AbsolutePath, TaskId } from "../define/names.ts";
import { displayPath, pathBelow } from "../define/names.ts";
import { isMutable, type ResolvedInput } from "../files/input.ts";
import { wayBehind } from "../files/link-path.ts";
import { compareListings, type Listing } from "../files/listing.ts";
import { isLinking, type StatCache, signatureAt } from "../files/stat-cache.ts";
import { listOutputs, type OutputPlaces, pathIn, slotOf } from "../state/output.ts";
import type { State } from "../state/state.ts";
import { type Assessment, resolveInputs } from "./assessment.ts";
import { inputDifferences } from "./input-differences.ts";

/** What a task needs of another one: where it stands, and what was made. */
export interface NeededOutputs {
  readonly places: OutputPlaces;
  readonly listing: Listing;
}

interface Seen {
  /** Paths that are something else now, as users know them. */
  readonly moved: readonly string[];
  /** Paths that were written to and are what they were: what they were in between nobody knows. */
  readonly touched: readonly string[];
  /** The inputs as they are now. */
  readonly inputs: readonly ResolvedInput[];
}

/** Files, and the status of each, in the same order: two lists, for there may be a hundred thousand. */
interface Statuses {
  readonly files: () => Iterable<AbsolutePath>;
  readonly before: readonly (string | undefined)[];
}

/** Remembers how a task found its inputs; to be made before it runs. */
export class InputRecheck {
  readonly #bound: BoundTask;
  readonly #state: State;
  readonly #before: readonly ResolvedInput[];
  /** For each input its files, links on the way included, and the status of each. */
  readonly #statuses: readonly Statuses[];
  readonly #tools: ReadonlyMap<AbsolutePath, string | undefined>;

  private constructor(
    bound: BoundTask,
    state: State,
    before: readonly ResolvedInput[],
    statuses: readonly Statuses[],
    tools: ReadonlyMap<AbsolutePath, string | undefined>,
  ) {
    this.#bound = bound;
    this.#state = state;
    this.#before = before;
    this.#statuses = statuses;
    this.#tools = tools;
  }

  static prepare(
    bound: BoundTask,
    { inputs, binaries }: Pick<Assessment, "inputs" | "binaries">,
    state: State,
  ): InputRecheck {
    const { files } = state;
    const statuses = inputs.map((input): Statuses => {
      const all = filesOf(input, files);
      return { files: all, before: Array.from(all(), (file) => files.signatureSeen(file)) };
    });
    const tools = new Map(binaries.map((file) => [file, files.signatureSeen(file) ?? signatureAt(file)]));
    return new InputRecheck(bound, state, inputs, statuses, tools);
  }

  /** `linked` are the inodes of files that the task hard-linked, which changes their status but not their content. */
  async take(needed: (id: TaskId) => NeededOutputs | undefined, linked: ReadonlySet<bigint>): Promise<Seen> {
    const others = [...this.#movedTools(), ...(await this.#movedNeeds(needed))];
    for (const { files } of this.#statuses) for (const file of files()) this.#state.files.forget(file);
    try {
      const inputs = await resolveInputs(this.#bound, this.#state);
      const moved = [...others, ...inputDifferences(this.#before, inputs, { mutable: "ignored" })];
      return { moved, touched: moved.length > 0 ? [] : this.#touched(linked), inputs };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return { moved: [...others, error.where ?? error.message], touched: [], inputs: this.#before };
    }
  }

  #movedTools(): readonly string[] {
    return [...this.#tools].flatMap(([file, before]) => {
      if (signatureAt(file) === before) return [];
      this.#state.files.forget(file);
      return [file];
    });
  }

  #touched(linked: ReadonlySet<bigint>): readonly string[] {
    return this.#statuses.flatMap((statuses, index) => {
      const input = this.#before[index];
      if (input === undefined || isMutable(input)) return [];
      const touched: string[] = [];
      let at = 0;
      for (const file of statuses.files()) {
        const before = statuses.before[at++];
        const now = this.#state.files.signatureSeen(file);
        if (before !== undefined && now !== undefined && before !== now && !isLinking(before, now, linked))
          touched.push(displayPath(this.#state.workspace, file));
      }
      return touched;
    });
  }

  /** What other tasks made is as much of an input. Its content counts: a link to it, for one, changes its status. */
  async #movedNeeds(needed: (id: TaskId) => NeededOutputs | undefined): Promise<readonly string[]> {
    const { files, workspace } = this.#state;
    const moved: string[] = [];
    for (const [name, id] of this.#bound.needs) {
      const outputs = id === undefined ? undefined : needed(id);
      if (outputs === undefined) continue;
      if (isUnchanged(outputs, files)) continue;
      const slots = neededSlots(this.#bound, name);
      const places = new Map([...outputs.places].filter(([slot]) => slots?.includes(slot) ?? true));
      const made = new Map([...outputs.listing].filter(([one]) => places.has(slotOf(one))));
      for (const one of made.keys()) {
        const file = pathIn(places, one);
        if (!files.isUnchanged(file)) files.forget(file);
      }
      for (const change of compareListings(made, await listOutputs(places, files)))
        moved.push(displayPath(workspace, pathIn(places, change.path)));
    }
    return moved;
  }
}

/** Whether all outputs are single files that were not written to since they were made; this needs no listing. */
function isUnchanged({ places, listing }: NeededOutputs, files: StatCache): boolean {
  if (listing.size !== places.size) return false;
  for (const [slot, place] of places) {
    const made = listing.get(slot);
    if (made?.type !== "file" || !files.isUnchanged(place)) return false;
    const seen = files.at(place);
    if (seen instanceof Promise || seen?.type !== "file") return false;
    if (seen.digest !== made.digest || seen.executable !== made.executable) return false;
    if (seen.private !== (made.private === true)) return false;
  }
  return true;
}

/** The files of an input; where it is a link, each that it leads to. */
function filesOf(input: ResolvedInput, files: StatCache): () => Iterable<AbsolutePath> {
  if (input.declaration.kind === "files") return () => pathsOf(input);
  const entry = files.at(input.root);
  // A file that has to be read is no link.
  if (entry instanceof Promise || entry?.type !== "link") return () => [input.root];
  const { links, end } = wayBehind(input.root);
  const chain = [input.root, ...links, ...(end === undefined ? [] : [end])];
  return () => chain;
}

function* pathsOf({ root, paths, behind }: ResolvedInput): IterableIterator<AbsolutePath> {
  for (const relative of paths) yield pathBelow(root, relative);
  yield* behind;
}
