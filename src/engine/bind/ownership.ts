/**
 * Who owns which output: one path has one owner, a name one task, and no task reads what it makes. Both sides of a conflict
 * are named with the places where they are defined.
 */

import path from "node:path";
import { UserError } from "../../errors/index.ts";
import type { FilesInput, Input } from "../define/declared-input.ts";
import type { Task } from "../define/declared-task.ts";
import { givenPath } from "../define/input-path.ts";
import {
  type AbsolutePath,
  displayPath,
  isBelow,
  nameable,
  resolveIn,
  sortEntries,
} from "../define/names.ts";
import { neededTask } from "../define/need.ts";
import { asSearched, ignoredBy, matcherOf, positiveIn } from "../define/patterns.ts";
import {
  type Artifact,
  type Reader,
  refuseForeignReads,
  refuseReserved,
  type Surroundings,
} from "../define/reserved-path.ts";
import type { Taskfile } from "../define/taskfile.ts";
import type { Binding, BoundOutput, BoundTask, Graph } from "./bound-task.ts";
import { inputPath } from "./input-path.ts";

/**
 * What is wrong with a Taskfile whatever is asked of it: names that cannot be, two tasks of one name, or two that make
 * one artifact. Paths that depend on the variant or on parameters are compared when a graph is bound.
 */
export async function checkTaskfile({ targets, pools = {} }: Taskfile, around: Surroundings): Promise<void> {
  const names = new Map<string, Task>();
  const owners: (Owner & Artifact)[] = [];
  const readers: Reader[] = [];
  const visit = (task: Task): void => {
    const known = names.get(task.name);
    if (known === task) return;
    if (known !== undefined) throw sameName(known, task, around);
    names.set(task.name, task);
    checkNames(task, around);
    checkPool(task, ["cpu", ...Object.keys(pools)], around);
    for (const { kind, place, path: given } of Object.values(task.outputs)) {
      if (place === "workspace" && typeof given === "string")
        owners.push({ task, name: task.name, kind, path: resolveIn(around.workspace, given) });
    }
    readers.push({ task, inputs: rootsOf(task, around.workspace, () => undefined) });
    for (const need of Object.values(task.needs)) visit(neededTask(need));
  };
  for (const target of targets) if (target.kind === "task") visit(target);
  refuseReserved(owners, around);
  refuseOverlap(owners, around);
  await refuseForeignReads(readers, owners, around);
}

/** The absolute roots of a task's inputs, as far as they are known; `named` tells the value of a parameter. */
function rootsOf(
  task: Task,
  workspace: AbsolutePath,
  named: (name: string) => unknown,
): ReadonlyMap<string, AbsolutePath> {
  const roots = new Map<string, AbsolutePath>();
  for (const [name, input] of Object.entries(task.inputs)) {
    const given = givenPath(input, (parameter) => named(parameter.name));
    if (typeof given === "string") roots.set(name, resolveIn(workspace, given));
  }
  return roots;
}

function checkPool(task: Task, pools: readonly string[], around: Surroundings): void {
  if (pools.includes(task.pool)) return;
  throw new UserError(`${task.name} is in the pool "${task.pool}", which the Taskfile does not define`, {
    code: "pool-unknown",
    where: `${around.locate(task.definedAt[0])} and Taskfile.ts`,
    hint: `its pools are ${pools.join(", ")}; define another one there: pools: { ${task.pool}: 4 }`,
  });
}

/** A task's name may have several parts, as in `db:seed`. */
function isTaskName(name: string): boolean {
  return name.split(":").every((part) => nameable.test(part));
}

function checkNames(task: Task, binding: Pick<Binding, "locate">): void {
  const slot = Object.keys(task.outputs).find((one) => !nameable.test(one));
  if (slot === undefined && isTaskName(task.name)) return;
  const [what, name] = isTaskName(task.name) ? [`an output of ${task.name}`, slot] : ["a task", task.name];
  throw new UserError(`${what} cannot be named "${name}"`, {
    code: "name-invalid",
    where: binding.locate(task.definedAt[0]),
    hint: "use letters, digits, dots, dashes, underscores and plus signs, starting with a letter or digit; colons separate the parts of a task's name",
  });
}

/** Throws `UserError` (`output-conflict`, `output-is-input` and others) for what is wrong with the outputs of a graph. */
export async function checkOwnership(graph: Graph, binding: Binding): Promise<void> {
  const artifacts = [...graph.values()].flatMap(({ task, outputs }) =>
    outputs
      .filter(({ place }) => place === "workspace")
      .map(({ kind, path: place }) => ({ task, kind, path: place })),
  );
  refuseReserved(artifacts, binding);
  refuseOverlap(
    [...graph.values()].flatMap(({ id, task, outputs }) =>
      outputs.map((output) => ({ task, name: id, path: output.path })),
    ),
    binding,
  );
  for (const bound of graph.values())
    if (Object.keys(bound.task.inputs).length > 0) await checkOwnInputs(bound, binding);
  const readers = [...graph.values()].map(({ task, named }) => ({
    task,
    inputs: rootsOf(task, binding.workspace, (name) => named.get(name)),
  }));
  await refuseForeignReads(readers, artifacts, binding);
}

interface Owner {
  readonly task: Task;
  /** As messages call it. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
}

function refuseOverlap(owners: readonly Owner[], binding: Pick<Binding, "workspace" | "locate">): void {
  // With a slash at the end, what lies below a path follows it directly in the order.
  const sorted = sortEntries(owners.map((owner) => [`${owner.path}/`, owner] as const));
  let before: string | undefined;
  let previous: Owner | undefined;
  for (const [directory, current] of sorted) {
    if (before === undefined || previous === undefined || !directory.startsWith(before)) {
      before = directory;
      previous = current;
      continue;
    }
    const same = current.path === previous.path;
    const show = (one: Owner) => displayPath(binding.workspace, one.path);
    const paths = same ? show(previous) : `${show(previous)} and ${show(current)}`;
    const both = same ? "both declare" : "declare overlapping outputs:";
    throw new UserError(`${previous.name} and ${current.name} ${both} ${paths}`, {
      code: "output-conflict",
      where: `${binding.locate(previous.task.definedAt[0])} and ${binding.locate(current.task.definedAt[0])}`,
      hint: "rename one of them: every output path has exactly one owner",
    });
  }
}

async function checkOwnInputs(bound: BoundTask, binding: Binding): Promise<void> {
  for (const name of Object.keys(bound.task.inputs)) {
    const input = bound.task.inputs[name];
    if (input === undefined) continue;
    const root = inputPath(input, bound, binding.workspace);
    for (const output of bound.outputs) {
      const isApart = root !== output.path && !isBelow(root, output.path) && !isBelow(output.path, root);
      if (isApart || !(await reads(input, root, output, binding.workspace))) continue;
      throw new UserError(
        `${bound.task.name} would read its own output ${displayPath(binding.workspace, output.path)} (input "${name}")`,
        {
          code: "output-is-input",
          where: binding.locate(bound.task.definedAt[0]),
          hint: "exclude the output in the input's patterns, or place it elsewhere",
        },
      );
    }
  }
}

/** Whether an input at `root` (absolute) means an output, or something in it. */
async function reads(
  input: Input,
  root: AbsolutePath,
  output: BoundOutput,
  workspace: AbsolutePath,
): Promise<boolean> {
  if (root === output.path || isBelow(root, output.path)) return true;
  if (input.kind === "file" || !isBelow(output.path, root)) return false;
  const relative = path.relative(root, output.path);
  if (output.kind === "file") return (await matcherOf(input, root, workspace))(relative);
  return matchesBelow(input, relative, root, workspace);
}

export function sameName(one: Task, other: Task, binding: Pick<Binding, "locate">): UserError {
  return new UserError(`two tasks are named "${one.name}"`, {
    code: "task-duplicate",
    where: `${binding.locate(one.definedAt[0])} and ${binding.locate(other.definedAt[0])}`,
    hint: "give one of them another name",
  });
}

/** Whether the patterns may mean something in a directory, named relative to the input's root. */
async function matchesBelow(
  input: FilesInput,
  directory: string,
  root: AbsolutePath,
  workspace: AbsolutePath,
): Promise<boolean> {
  const { default: picomatch } = await import("picomatch");
  const names = directory.split("/");
  const ignore = [...ignoredBy(input, root, workspace)];
  const ways = [...names.map((_, index) => names.slice(0, index + 1).join("/")), `${directory}/any`];
  if (ignore.length > 0 && ways.some((way) => picomatch.isMatch(way, ignore, asSearched))) return false;
  const patterns = await withoutBraces(positiveIn(input));
  return patterns.some((pattern) => {
    const wanted = pattern.split("/");
    for (const [index, name] of names.entries()) {
      const one = wanted[index];
      if (one === undefined) return false;
      if (one.includes("**")) return true;
      if (!picomatch.isMatch(name, one, asSearched)) return false;
    }
    return wanted.length > names.length;
  });
}

/** The patterns, with one of its own for each alternative that a directory's name is a part of. */
async function withoutBraces(patterns: readonly string[]): Promise<readonly string[]> {
  if (!patterns.some((pattern) => /\{[^}]*\//.test(pattern))) return patterns;
  const { default: glob } = await import("fast-glob");
  return glob.generateTasks([...patterns]).flatMap((task) => task.positive);
}
