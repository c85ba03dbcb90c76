/**
 * Who owns which output: one path has one owner, a name one task, and no task reads what it makes. Both sides of a conflict
 * are named with the places where they are defined.
 */
import path from "node:path";
import { UserError } from "../errors/index.ts";
import type { Binding, BoundOutput, BoundTask, Graph } from "./bound-task.ts";
import type { Target } from "./command.ts";
import type { FilesInput, Input } from "./declared-input.ts";
import type { Task } from "./declared-task.ts";
import { displayPath, ignoredBy } from "./input.ts";
import { type AbsolutePath, byteOrder } from "./names.ts";
import { neededTask } from "./need.ts";

/** True when `inner` lies below `outer`; both absolute. */
export function isBelow(inner: string, outer: string): boolean {
  return inner.startsWith(outer.endsWith("/") ? outer : `${outer}/`);
}

/**
 * What is wrong with a Taskfile whatever is asked of it: names that cannot be, two tasks of one name, or two that make one artefact. Paths
 * that depend on the variant or on parameters are compared when a graph is bound.
 */
export function checkTaskfile(
  targets: readonly Target[],
  binding: Pick<Binding, "workspace" | "locate">,
): void {
  const names = new Map<string, Task>();
  const owners: Owner[] = [];
  const visit = (task: Task): void => {
    const known = names.get(task.name);
    if (known === task) return;
    if (known !== undefined) throw sameName(known, task, binding);
    names.set(task.name, task);
    checkNames(task, binding);
    for (const output of Object.values(task.outputs)) {
      if (output.place === "workspace" && typeof output.path === "string")
        owners.push({ task, name: task.name, path: path.resolve(binding.workspace, output.path) });
    }
    for (const need of Object.values(task.needs)) visit(neededTask(need));
  };
  for (const target of targets) if (target.kind === "task") visit(target);
  refuseOverlap(owners, binding);
}

/** Names become parts of paths, of records and of what is typed. */
const nameable = /^[\p{L}\p{N}][\p{L}\p{N}._+-]*$/u;

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
    hint: "use letters, digits, dots, dashes, underscores and plus signs, a letter or a digit first; colons join the parts of a task's name",
  });
}

/** Throws `UserError` (`output-conflict`, `output-is-input`) for what is wrong with the outputs of a graph. */
export async function checkOwnership(graph: Graph, binding: Binding): Promise<void> {
  refuseOverlap(
    [...graph.values()].flatMap(({ id, task, outputs }) =>
      outputs.map((output) => ({ task, name: id, path: output.path })),
    ),
    binding,
  );
  for (const bound of graph.values()) await checkOwnInputs(bound, binding);
}

interface Owner {
  readonly task: Task;
  /** As messages call it. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
}

function refuseOverlap(owners: Owner[], binding: Pick<Binding, "workspace" | "locate">): void {
  // With a slash at the end, what lies below a path follows it directly in the order.
  owners.sort((a, b) => byteOrder(`${a.path}/`, `${b.path}/`));
  let previous: Owner | undefined;
  for (const current of owners) {
    if (previous === undefined || !`${current.path}/`.startsWith(`${previous.path}/`)) {
      previous = current;
      continue;
    }
    const same = current.path === previous.path;
    const show = (one: Owner) => displayPath(binding.workspace, one.path);
    const paths = same ? show(previous) : `${show(previous)} and ${show(current)}`;
    const both = same ? "both make" : "make overlapping outputs:";
    throw new UserError(`${previous.name} and ${current.name} ${both} ${paths}`, {
      code: "output-conflict",
      where: `${binding.locate(previous.task.definedAt[0])} and ${binding.locate(current.task.definedAt[0])}`,
      hint: "every output path has one owner: rename one of them",
    });
  }
}

async function checkOwnInputs(bound: BoundTask, binding: Binding): Promise<void> {
  for (const output of bound.outputs) {
    for (const [name, input] of Object.entries(bound.task.inputs)) {
      const declared = input.kind === "file" ? input.path : input.root;
      const given = typeof declared === "string" ? declared : bound.named.get(declared.name);
      if (typeof given !== "string") continue;
      if (
        !(await reads(
          input,
          path.resolve(binding.workspace, given) as AbsolutePath,
          output,
          binding.workspace,
        ))
      )
        continue;
      throw new UserError(
        `${bound.task.name} would read its own output ${displayPath(binding.workspace, output.path)} (input "${name}")`,
        {
          code: "output-is-input",
          where: binding.locate(bound.task.definedAt[0]),
          hint: "ignore the output in the input's patterns, or place it elsewhere",
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
  if (output.kind === "file") return matches(input, relative, root, workspace);
  return matchesBelow(input, relative, root, workspace);
}

export function sameName(one: Task, other: Task, binding: Pick<Binding, "locate">): UserError {
  return new UserError(`two tasks are named "${one.name}"`, {
    code: "task-duplicate",
    where: `${binding.locate(one.definedAt[0])} and ${binding.locate(other.definedAt[0])}`,
    hint: "give one of them another name",
  });
}

/** Whether a path, relative to the input's root, is one that its patterns mean: the matcher below fast-glob. */
export async function matches(
  input: FilesInput,
  relative: string,
  root: AbsolutePath,
  workspace: AbsolutePath,
): Promise<boolean> {
  const { default: picomatch } = await import("picomatch");
  const ignore = ignoredBy(input, root, workspace);
  return picomatch.isMatch(relative, [...input.patterns], { ...asSearched, ignore: [...ignore] });
}

/** Whether the patterns may mean something in a folder, named relative to the input's root. */
async function matchesBelow(
  input: FilesInput,
  folder: string,
  root: AbsolutePath,
  workspace: AbsolutePath,
): Promise<boolean> {
  const { default: picomatch } = await import("picomatch");
  const names = folder.split("/");
  const ignore = [...ignoredBy(input, root, workspace)];
  const ways = [...names.map((_, index) => names.slice(0, index + 1).join("/")), `${folder}/any`];
  if (ignore.length > 0 && ways.some((way) => picomatch.isMatch(way, ignore, asSearched))) return false;
  const patterns = await withoutBraces(input.patterns);
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

/** A name may hold line breaks. */
const asSearched = { dot: true, flags: "s" } as const;

/** The patterns, with one of its own for each alternative that a folder's name is a part of. */
async function withoutBraces(patterns: readonly string[]): Promise<readonly string[]> {
  if (!patterns.some((pattern) => /\{[^}]*\//.test(pattern))) return patterns;
  const { default: glob } = await import("fast-glob");
  return glob.generateTasks([...patterns]).flatMap((task) => task.positive);
}
