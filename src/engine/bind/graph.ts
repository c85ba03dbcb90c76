/**
 * From the tasks of a Taskfile to the graph of one build: a variant chosen, parameters resolved, outputs placed.
 *
 * Everything that can be wrong with a Taskfile before anything runs is found here. Of inputs only the texts
 * that say what is needed are read here.
 */

import { statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { UsageError, UserError } from "../../errors/index.ts";
import type { Input } from "../define/declared-input.ts";
import type { ConditionalNeed, Need, Task } from "../define/declared-task.ts";
import { declaredPath } from "../define/input-path.ts";
import { type AbsolutePath, displayPath, isBelow, resolveIn, type TaskId, taskId } from "../define/names.ts";
import type { Parameter } from "../define/parameter.ts";
import type { ParameterValues } from "../define/parameter-values.ts";
import { matcherOf } from "../define/patterns.ts";
import type { Binding, BoundOutput, BoundTask, Graph } from "./bound-task.ts";
import { givenTo, inputPath } from "./input-path.ts";
import { outputDirectory } from "./output-directory.ts";
import { checkOwnership, sameName } from "./ownership.ts";

/**
 * Starts computing every value that binding these targets may ask for, so that processes behind defaults run side by
 * side. What fails, fails again where the value is needed.
 */
export function prefetchValues(targets: readonly Task[], values: ParameterValues, variant: string): void {
  const seen = new Set<Task>();
  const ask = (parameter: Parameter<unknown>): void => {
    const value = values.tryGet(parameter);
    if (value instanceof Promise) value.catch(() => {});
  };
  const visit = (task: Task): void => {
    if (seen.has(task)) return;
    seen.add(task);
    for (const parameter of Object.values(task.params)) ask(parameter);
    for (const need of Object.values(task.needs)) {
      if (need.kind === "task") visit(need);
      else if (need.kind === "partial") visit(need.task);
      else if (need.condition.kind === "variant" && need.condition.variants.includes(variant))
        visit(need.task);
    }
  };
  for (const target of targets) visit(target);
}

/**
 * Binds the targets and all that they need. Throws `UserError` for cycles, a shared task that needs a task which is
 * not, two owners of one output path, and an output that the same task would read.
 */
export async function bindGraph(targets: readonly Task[], binding: Binding): Promise<Graph> {
  const graph = await bindTargets(targets, binding);
  await checkOwnership(graph, binding);
  return graph;
}

/** The same without the check of who owns which output. */
export async function bindTargets(targets: readonly Task[], binding: Binding): Promise<Graph> {
  const graph = new Map<TaskId, BoundTask>();
  const open: Task[] = [];

  const visit = async (task: Task): Promise<TaskId> => {
    const id = taskId(task.name, task.variants === "shared" ? undefined : binding.variant);
    const known = graph.get(id);
    if (known !== undefined && known.task !== task) throw sameName(known.task, task, binding);
    if (known !== undefined) return id;
    if (open.includes(task)) throw cycle([...open.slice(open.indexOf(task)), task], binding);
    open.push(task);
    const needs = new Map<string, TaskId | undefined>();
    for (const [name, need] of Object.entries(task.needs)) {
      const given = applies(need, binding);
      const needed = given instanceof Promise ? await given : given;
      if (needed !== undefined && task.variants === "shared" && needed.variants === "each") {
        throw sharedNeedsVariant(task, needed, binding);
      }
      needs.set(name, needed === undefined ? undefined : await visit(needed));
    }
    open.pop();
    graph.set(id, await bind(id, task, needs, targets.includes(task), binding));
    return id;
  };

  for (const target of targets) await visit(target);
  return graph;
}

/** The needed task where the need applies; a promise only where its condition has to be computed. */
function applies(need: Need, binding: Binding): Task | undefined | Promise<Task | undefined> {
  if (need.kind === "task") return need;
  if (need.kind === "partial") return need.task;
  return holds(need.condition, binding).then((applying) => (applying ? need.task : undefined));
}

async function holds(condition: ConditionalNeed["condition"], binding: Binding): Promise<boolean> {
  switch (condition.kind) {
    case "variant":
      return condition.variants.includes(binding.variant);
    case "parameter":
      return (await binding.values.get(condition.parameter)) === condition.equals;
    case "text":
      for (const named of condition.files) {
        const given = typeof named === "string" ? named : await binding.values.get(named);
        const text = await readFile(path.resolve(binding.workspace, given), "utf8").catch(() => "");
        if (condition.matches(text)) return true;
      }
      return false;
  }
}

async function bind(
  id: TaskId,
  task: Task,
  needs: ReadonlyMap<string, TaskId | undefined>,
  isTarget: boolean,
  binding: Binding,
): Promise<BoundTask> {
  const values = new Map<string, unknown>();
  const byParameter = new Map<string, unknown>();
  for (const [name, parameter] of Object.entries(task.params)) {
    // The words after `--` are meant for the targets that were named with them.
    const value = parameter.kind === "arguments" && !isTarget ? [] : await binding.values.get(parameter);
    values.set(name, value);
    byParameter.set(parameter.name, value);
  }
  // Inputs that are named by a parameter make it one of the task's, without saying so twice.
  for (const input of Object.values(task.inputs)) {
    const named = declaredPath(input);
    if (typeof named === "string") continue;
    const value = await binding.values.get(named);
    byParameter.set(named.name, value);
    // Said before anything runs: a mistyped name should not cost the time of the steps before this one.
    if (input.kind === "file" && !input.optional && value !== "") requireNamedFile(named, value, binding);
  }
  const variant = task.variants === "shared" ? undefined : binding.variant;
  const facts = {
    variant: binding.variant,
    value: <T>(parameter: Parameter<T>): T => {
      if (!byParameter.has(parameter.name)) {
        throw new UserError(
          `an output path of ${task.name} uses --${parameter.name}, which it does not declare`,
          {
            code: "parameter-undeclared",
            where: binding.locate(task.definedAt[0]),
            hint: `add it to the task's params`,
          },
        );
      }
      return byParameter.get(parameter.name) as T;
    },
  };
  const outputs = Object.entries(task.outputs).map(([slot, output]): BoundOutput => {
    const given = typeof output.path === "string" ? output.path : output.path(facts);
    const root =
      output.place === "cache"
        ? outputDirectory(binding.outputRoot, task, binding.variant)
        : binding.workspace;
    const absolute = resolveIn(root, given);
    if (!isBelow(absolute, root)) {
      throw new UserError(`the output "${given}" of ${task.name} leaves its directory`, {
        code: "output-outside",
        where: binding.locate(task.definedAt[0]),
        hint: "write a relative path without `..`",
      });
    }
    const { kind, place, private: secret, sparse } = output;
    return { slot, kind, place, private: secret, sparse, path: absolute, usualPath: absolute };
  });
  return { id, task, variant, requestedVariant: binding.variant, needs, outputs, values, named: byParameter };
}

/**
 * Throws `UsageError` for a task that reads the file of an option that is not set. The graph of all tasks has such tasks; only a
 * build or its forecast needs their files.
 */
export function requireSetInputs(graph: Graph): void {
  for (const { task, named } of graph.values()) {
    for (const input of Object.values(task.inputs)) {
      if (input.kind !== "file" || input.optional || typeof input.path === "string") continue;
      const { name, value = "FILE" } = input.path;
      if (named.get(name) !== "") continue;
      throw new UsageError(`${task.name} needs --${name}, which is not set`, {
        code: "option-missing",
        hint: `add --${name} ${value}`,
      });
    }
  }
}

/** Throws for a parameter's file that is not there: a `UsageError` if the user named it, since the option's value is wrong. */
function requireNamedFile(parameter: Parameter<string>, value: string, binding: Binding): void {
  const { workspace, values } = binding;
  const file = path.resolve(workspace, value);
  const status = statSync(file, { throwIfNoEntry: false });
  if (status?.isFile()) return;
  const Mistake = values.isGiven(parameter) ? UsageError : UserError;
  if (status !== undefined) {
    const kind = status.isDirectory() ? "a directory" : "not a regular file";
    throw new Mistake(`--${parameter.name} ${displayPath(workspace, value)} is ${kind}, but must be a file`, {
      code: "input-type",
      where: file,
      hint: "name a file in it, or omit the option",
    });
  }
  throw new Mistake(`the file --${parameter.name} ${displayPath(workspace, value)} does not exist`, {
    code: "input-missing",
    where: file,
    hint: "check the name, or restore the file",
  });
}

function cycle(tasks: readonly Task[], binding: Binding): UserError {
  return new UserError(`dependency cycle: ${tasks.map((task) => task.name).join(" → ")}`, {
    code: "graph-cycle",
    where: tasks
      .slice(0, -1)
      .map((task) => binding.locate(task.definedAt[0]))
      .join(", "),
    hint: "remove one of these needs",
  });
}

function sharedNeedsVariant(task: Task, needed: Task, binding: Binding): UserError {
  return new UserError(
    `${task.name} is shared by all variants, but needs ${needed.name}, which exists once per variant`,
    {
      code: "graph-variants",
      where: `${binding.locate(task.definedAt[0])} and ${binding.locate(needed.definedAt[0])}`,
      hint: `declare ${needed.name} as variants: "shared", or ${task.name} as variants: "each"`,
    },
  );
}

/** Whether a declared input would read the file at an absolute path, be it there or not. */
export async function inputCovers(
  input: Input,
  file: string,
  workspace: AbsolutePath,
  bound: BoundTask,
): Promise<boolean> {
  // An option that is not set names no file.
  if (givenTo(input, bound) === "") return false;
  const root = inputPath(input, bound, workspace);
  if (input.kind === "file") return root === file;
  return isBelow(file, root) && (await matcherOf(input, root, workspace))(path.relative(root, file));
}
