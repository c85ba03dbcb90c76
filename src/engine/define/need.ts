/** What a task says that it needs of others: always, in some builds, or some outputs of it only. */
import type { Target } from "./command.ts";
import type { ConditionalNeed, Need, PartialNeed, Task, TestText } from "./declared-task.ts";
import type { Parameter } from "./parameter.ts";

/** Needed when the parameter has this value. */
export function when<T extends Task>(
  parameter: Parameter<string>,
  equals: string,
  needed: T,
): ConditionalNeed<T> {
  return { kind: "conditional", task: needed, condition: { kind: "parameter", parameter, equals } };
}

/** Needed in these variants; only for a task that is made for each variant. */
export function inVariants<T extends Task>(variants: readonly string[], needed: T): ConditionalNeed<T> {
  return { kind: "conditional", task: needed, condition: { kind: "variant", variants } };
}

/** Needed when one of these text files says so; a file that is missing says nothing. Paths as in `file`. */
export function whenText<T extends Task>(
  files: readonly (string | Parameter<string>)[],
  matches: TestText,
  needed: T,
): ConditionalNeed<T> {
  return { kind: "conditional", task: needed, condition: { kind: "text", files, matches } };
}

/** Needs these outputs of the task, and no others. */
export function only<T extends Task, const S extends keyof T["outputs"] & string>(
  needed: T,
  ...slots: readonly S[]
): PartialNeed<T, S> {
  return { kind: "partial", task: needed, slots };
}

/** The task that a need is for. */
export function neededTask(need: Need): Task {
  return need.kind === "task" ? need : need.task;
}

/** The tasks among the targets, and all that they may need, each once. */
export function tasksOf(targets: readonly Target[]): readonly Task[] {
  const found = new Set<Task>();
  const visit = (task: Task): void => {
    if (found.has(task)) return;
    found.add(task);
    for (const need of Object.values(task.needs)) visit(neededTask(need));
  };
  for (const target of targets) if (target.kind === "task") visit(target);
  return [...found];
}
