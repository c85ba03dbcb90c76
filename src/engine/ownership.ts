/**
 * Who owns which output: one path has one owner, a name one task, and no task reads what it makes. Both sides of a conflict
 * are named with the places where they are defined.
 */
import path from "node:path";
import { UserError } from "../errors/index.ts";
import type { Target } from "./command.ts";
import type { FilesInput } from "./declared-input.ts";
import type { Binding, BoundTask, Graph } from "./graph.ts";
import { displayPath } from "./input.ts";
import { byteOrder } from "./names.ts";
import { neededTask } from "./need.ts";
import type { Task } from "./task.ts";

/** True when `inner` lies below `outer`; both absolute. */
export function isBelow(inner: string, outer: string): boolean {
  return inner.startsWith(outer.endsWith("/") ? outer : `${outer}/`);
}

/**
 * What is wrong with a Taskfile whatever is asked of it: two tasks of one name, or two that make one artefact. Paths
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
    for (const output of Object.values(task.outputs)) {
      if (output.place === "workspace" && typeof output.path === "string")
        owners.push({ task, name: task.name, path: path.resolve(binding.workspace, output.path) });
    }
    for (const need of Object.values(task.needs)) visit(neededTask(need));
  };
  for (const target of targets) if (target.kind === "task") visit(target);
  refuseOverlap(owners, binding);
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
    if (output.place === "cache") continue;
    for (const [name, input] of Object.entries(bound.task.inputs)) {
      const declared = input.kind === "file" ? input.path : input.root;
      if (typeof declared !== "string") continue;
      const root = path.resolve(binding.workspace, declared);
      const reads =
        input.kind === "file"
          ? root === output.path || isBelow(root, output.path)
          : isBelow(output.path, root) && (await matches(input, path.relative(root, output.path)));
      if (reads) {
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
}

export function sameName(one: Task, other: Task, binding: Pick<Binding, "locate">): UserError {
  return new UserError(`two tasks are named "${one.name}"`, {
    code: "task-duplicate",
    where: `${binding.locate(one.definedAt[0])} and ${binding.locate(other.definedAt[0])}`,
    hint: "give one of them another name",
  });
}

/** Whether a path, relative to the input's root, is one that its patterns mean: the matcher below fast-glob. */
export async function matches(input: FilesInput, relative: string): Promise<boolean> {
  const { default: picomatch } = await import("picomatch");
  return picomatch.isMatch(relative, [...input.patterns], {
    dot: true,
    ignore: [...input.ignore],
    // A name may hold line breaks.
    flags: "s",
  });
}
