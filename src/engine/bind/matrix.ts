/**
 * The graph of several images that are built together. A task that is the same for several of them is in it once; one that differs
 * is in it several times, each with a name and with places for its outputs of its own.
 */
import path from "node:path";
import { isDeepStrictEqual } from "node:util";
import { UsageError } from "../../errors/index.ts";
import { absolutePath, directoryName, type TaskId } from "../define/names.ts";
import { Secret } from "../define/secret.ts";
import { digestOfBytes } from "../files/digest.ts";
import type { Binding, BoundOutput, BoundTask, Choice, Combination, Graph } from "./bound-task.ts";
import { bindTargets } from "./graph.ts";
import { checkOwnership } from "./ownership.ts";

/** Longest value that is a part of a name as it is; of a longer one its digest is. */
const longestValue = 40;

/** One task of the merged graph. */
interface Member {
  readonly bound: BoundTask;
  /** What it needs, by the names that it gives them. */
  readonly needs: ReadonlyMap<string, Member | undefined>;
  readonly combinations: Set<Combination>;
}

/** Binds all combinations. Throws as `bindGraph` does. */
export async function bindMatrix(
  combinations: readonly Combination[],
  around: Omit<Binding, "variant" | "values">,
): Promise<Graph> {
  const byId = new Map<TaskId, Member[]>();
  const members: Member[] = [];
  for (const combination of combinations) {
    const { targets, variant, values } = combination;
    const own = new Map<TaskId, Member>();
    for (const [id, bound] of await bindTargets(targets, { ...around, variant, values })) {
      const needs = new Map(
        [...bound.needs].map(([name, need]) => [name, need === undefined ? undefined : own.get(need)]),
      );
      const known = byId.get(id) ?? [];
      byId.set(id, known);
      let member = known.find((one) => isSame(one, bound, needs));
      if (member === undefined) {
        member = { bound, needs, combinations: new Set() };
        known.push(member);
        members.push(member);
      }
      member.combinations.add(combination);
      own.set(id, member);
    }
  }
  const labels = new Map<Member, readonly string[]>();
  for (const known of byId.values())
    if (known.length > 1) for (const [member, label] of labelsOf(known)) labels.set(member, label);
  const idOf = (member: Member): TaskId => labelled(member.bound.id, labels.get(member) ?? []);
  const graph = new Map<TaskId, BoundTask>();
  for (const member of members) {
    const { bound, combinations } = member;
    const id = idOf(member);
    graph.set(id, {
      ...bound,
      id,
      combinations,
      needs: new Map([...member.needs].map(([name, need]) => [name, need && idOf(need)])),
      outputs: bound.outputs.map((output) => placed(output, bound, labels.get(member) ?? [], around)),
    });
  }
  const [first] = combinations;
  if (first === undefined) throw new Error("a matrix without combinations");
  await checkOwnership(graph, { ...around, variant: first.variant, values: first.values });
  return graph;
}

function isSame(member: Member, bound: BoundTask, needs: Member["needs"]): boolean {
  const other = member.bound;
  return (
    other.task === bound.task &&
    isDeepStrictEqual(
      other.outputs.map((output) => output.path),
      bound.outputs.map((output) => output.path),
    ) &&
    [...needs].every(([name, need]) => member.needs.get(name) === need) &&
    areSame(other.values, bound.values) &&
    areSame(other.named, bound.named)
  );
}

function areSame(values: ReadonlyMap<string, unknown>, others: ReadonlyMap<string, unknown>): boolean {
  return (
    values.size === others.size && [...values].every(([name, value]) => isSameValue(value, others.get(name)))
  );
}

/** Secrets show their texts to nobody, so they are equal to any comparison but this one. */
function isSameValue(value: unknown, other: unknown): boolean {
  return isDeepStrictEqual(value, other) && revealed(value) === revealed(other);
}

/** All secrets in a value; they stay in this process. */
function revealed(value: unknown): string {
  if (value instanceof Secret) return JSON.stringify(value.reveal());
  if (typeof value !== "object" || value === null) return "";
  return Object.values(value).map(revealed).join();
}

/** What tells several forms of one task apart: the choices of their combinations that are theirs alone, as parts of names. */
function labelsOf(members: readonly Member[]): ReadonlyMap<Member, readonly string[]> {
  const labels = new Map<Member, readonly string[]>();
  const taken = new Set<string>();
  for (const member of members) {
    const [first, ...rest] = [...member.combinations].map(({ choices }) => new Map(choices));
    const common = [...(first ?? [])].filter(
      ([axis, value]) =>
        rest.every((choices) => choices.get(axis) === value) &&
        // Its variant is in the name of a task that exists once for each.
        !(axis === variantAxis && member.bound.variant !== undefined) &&
        !members.every((other) => [...other.combinations].every((one) => has(one, [axis, value]))),
    );
    let label = common.map(labelOf);
    // Which choices make the difference may depend on one another.
    for (let count = 2; taken.has(label.join("~")); count += 1) label = [...common.map(labelOf), `${count}`];
    taken.add(label.join("~"));
    labels.set(member, label);
  }
  return labels;
}

/** The axis whose values are variants. */
export const variantAxis = "variant";

function has({ choices }: Combination, [axis, value]: Choice): boolean {
  return choices.some(([one, other]) => one === axis && other === value);
}

/** `layout-single`: letters and digits of any language, and no character with a meaning in paths. */
function labelOf([axis, value]: Choice): string {
  const plain = value.replace(/[^\p{L}\p{N}._+-]/gu, "-");
  const isShort = plain === value && value.length <= longestValue && value !== "";
  return `${axis}-${isShort ? value : `${plain.slice(0, longestValue)}-${digestOfBytes(value).slice(0, 8)}`}`;
}

/** `iso@prod~layout-single`; `~` is in no name of a task or variant. */
function labelled(id: TaskId, label: readonly string[]): TaskId {
  return [id, ...label].join("~") as TaskId;
}

/** The labels in the name of a task of a matrix; none outside of one. */
export function labelsIn(id: TaskId): readonly string[] {
  return id.split("~").slice(1);
}

/** The place of an artifact for labels: in directories named by them, beside where it usually is. */
export function labelledPlace(place: string, labels: readonly string[]): string {
  return path.join(path.dirname(place), ...labels, path.basename(place));
}

function placed(
  output: BoundOutput,
  { task, variant }: BoundTask,
  labels: readonly string[],
  { outputRoot }: Pick<Binding, "outputRoot">,
): BoundOutput {
  if (labels.length === 0) return output;
  if (output.place === "workspace")
    return { ...output, path: absolutePath(labelledPlace(output.usualPath, labels)) };
  const usual = path.join(outputRoot, variant ?? "shared", directoryName(task.name));
  const own = path.join(outputRoot, [variant ?? "shared", ...labels].join("~"), directoryName(task.name));
  return { ...output, path: absolutePath(path.join(own, path.relative(usual, output.usualPath))) };
}

/** The combinations of axes, each with its values; the last axis varies first. Throws `UsageError` for more than `most`. */
export function combine(
  axes: ReadonlyMap<string, readonly string[]>,
  most: number,
): readonly (readonly Choice[])[] {
  const count = [...axes.values()].reduce((product, values) => product * values.length, 1);
  if (count > most)
    throw new UsageError(`the matrix has ${count} combinations, but may have at most ${most}`, {
      code: "matrix-invalid",
      hint: "name fewer values with --over, or build it in parts",
    });
  return [...axes].reduce<readonly (readonly Choice[])[]>(
    (before, [axis, values]) =>
      before.flatMap((choices) => values.map((value) => [...choices, [axis, value] as const])),
    [[]],
  );
}
