/** A task's run as data that another machine understands: values, needs and inputs by content, and the fingerprint to check it by. */
import { isDeepStrictEqual } from "node:util";
import type { BoundTask, Graph } from "../bind/bound-task.ts";
import type { Assessment } from "../decide/assessment.ts";
import { resultKeyOf } from "../decide/result-key.ts";
import type { Digest, TaskId } from "../define/names.ts";
import { displayPath } from "../define/names.ts";
import { isMutable, type ResolvedInput } from "../files/input.ts";
import { encodeListing, type ListedEntry, type Listing, listed, listingOf } from "../files/listing.ts";
import type { BlobReference } from "../state/blob-file.ts";
import type { Part } from "../state/stamp.ts";
import type { State } from "../state/state.ts";

/** What a task needs of another one. */
export interface JobNeed {
  /** The name that the task gives it. */
  readonly name: string;
  /** Undefined for a conditional need that does not apply. */
  readonly id?: TaskId;
  /** Where the outputs are: slot, kind, and path relative to the workspace. */
  readonly places: readonly (readonly [slot: string, kind: "file" | "directory", path: string])[];
  /** An encoded listing. */
  readonly outputs: string;
  /** The parts of contents that travel in parts. */
  readonly joined: readonly (readonly [whole: Digest, parts: readonly BlobReference[]])[];
}

export interface Job {
  readonly v: 1;
  readonly id: TaskId;
  readonly task: string;
  readonly variant?: string;
  readonly requestedVariant: string;
  readonly parts: readonly Part[];
  readonly values: readonly (readonly [name: string, value?: unknown])[];
  readonly named: readonly (readonly [name: string, value?: unknown])[];
  readonly needs: readonly JobNeed[];
  /** An encoded listing of all files that the inputs mean; paths are relative to the workspace. */
  readonly inputs: string;
  /** As those of needs. */
  readonly outputs: JobNeed["places"];
  /** Variables that the task's commands see. */
  readonly env: Readonly<Record<string, string>>;
  readonly outputLimit: number;
}

/** A job with the contents that it refers to. */
interface DescribedJob {
  readonly job: Job;
  /** Files of the workspace, by path (relative). */
  readonly files: ReadonlyMap<string, ListedEntry & { readonly type: "file" }>;
  /** Outputs of needs. */
  readonly contents: readonly BlobReference[];
}

/** What is known of the needs of a task. */
interface JobContext {
  readonly graph: Graph;
  readonly state: State;
  readonly made: ReadonlyMap<TaskId, Listing>;
  /** The parts of contents that a result from elsewhere brings. */
  readonly joinedOf: (id: TaskId) => ReadonlyMap<Digest, readonly BlobReference[]> | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly outputLimit: number;
}

/** Whether the task may run elsewhere as far as its definition and values tell. */
export function mayRunElsewhere({ task, values, named, outputs }: BoundTask): boolean {
  return (
    task.remote &&
    task.cached &&
    !task.interactive &&
    task.pool !== "network" &&
    task.envFiles.length === 0 &&
    outputs.every((output) => !output.private) &&
    [...values.values(), ...named.values()].every(isPlain)
  );
}

/** Whether JSON has the value unchanged. */
function isPlain(value: unknown): boolean {
  if (value === undefined) return true;
  const text = JSON.stringify(value);
  return text !== undefined && isDeepStrictEqual(JSON.parse(text), value);
}

/** JSON has null in place of an undefined element of a list. */
function pair([name, value]: readonly [string, unknown]): readonly [name: string, value?: unknown] {
  return value === undefined ? [name] : [name, value];
}

/** The job; undefined for a task whose inputs or needs other machines cannot have. */
export async function describeJob(
  bound: BoundTask,
  { parts, inputs }: Assessment,
  context: JobContext,
): Promise<DescribedJob | undefined> {
  const { graph, state, env } = context;
  if (resultKeyOf(bound, parts, graph) === undefined) return undefined;
  // Variables that are passed on without being a part of the fingerprint are this machine's own.
  if (bound.task.passEnv.some((name) => env[name] !== undefined)) return undefined;
  const listing = await filesOf(inputs, state);
  if (listing === undefined) return undefined;
  const needs: JobNeed[] = [];
  const contents: BlobReference[] = [];
  for (const [name, id] of bound.needs) {
    const need = describeNeed(name, id, context);
    if (need === undefined) return undefined;
    needs.push(need.need);
    contents.push(...need.contents);
  }
  const files = new Map<string, ListedEntry & { readonly type: "file" }>();
  for (const [name, entry] of listing) if (entry.type === "file") files.set(name, entry);
  const { task, id, variant, requestedVariant, values, named } = bound;
  const job: Job = {
    v: 1,
    id,
    task: task.name,
    ...(variant === undefined ? {} : { variant }),
    requestedVariant,
    parts,
    values: [...values].map(pair),
    named: [...named].map(pair),
    needs,
    inputs: encodeListing(listing),
    outputs: placesIn(bound, state),
    env: Object.fromEntries(
      task.env.flatMap((one) => (env[one] === undefined ? [] : [[one, env[one] ?? ""]])),
    ),
    outputLimit: context.outputLimit,
  };
  return { job, files, contents };
}

function describeNeed(
  name: string,
  id: TaskId | undefined,
  { graph, state, made, joinedOf }: JobContext,
): { readonly need: JobNeed; readonly contents: readonly BlobReference[] } | undefined {
  if (id === undefined) return { need: { name, places: [], outputs: "", joined: [] }, contents: [] };
  const bound = graph.get(id);
  const outputs = made.get(id);
  if (bound === undefined || outputs === undefined || !bound.task.cached) return undefined;
  const joined: [Digest, readonly BlobReference[]][] = [];
  const contents: BlobReference[] = [];
  for (const entry of outputs.values()) {
    if (entry.type !== "file") continue;
    const parts = state.store.blobsOf(entry.digest) ?? joinedOf(id)?.get(entry.digest);
    if (parts !== undefined) joined.push([entry.digest, parts]);
    contents.push(...(parts ?? [{ digest: entry.digest, size: entry.size }]));
  }
  const places = placesIn(bound, state);
  return { need: { name, id, places, outputs: encodeListing(outputs), joined }, contents };
}

function placesIn({ outputs }: BoundTask, { workspace }: State): JobNeed["places"] {
  return outputs.map(({ slot, kind, usualPath }) => [slot, kind, displayPath(workspace, usualPath)]);
}

/** All files of the inputs as they are; undefined where one is outside of the workspace, or the task writes to it. */
async function filesOf(inputs: readonly ResolvedInput[], state: State): Promise<Listing | undefined> {
  const entries = new Map<string, ListedEntry>();
  for (const input of inputs) {
    if (isMutable(input)) return undefined;
    for (const [name, entry] of input.listing) {
      if (name.startsWith("/")) return undefined;
      if (input.selected === undefined) entries.set(name, entry);
    }
    if (input.selected === undefined) continue;
    // Only a part of the file counts, but all of it is read.
    const found = await state.files.at(input.root);
    const entry = found && listed(found);
    const name = displayPath(state.workspace, input.root);
    if (name.startsWith("/")) return undefined;
    if (entry !== undefined) entries.set(name, entry);
  }
  return listingOf([...entries]);
}
