/** What a task says that it needs of others: always, in some builds, or some outputs of it only. */
import type { OutputPaths } from "./declared-output.ts";
import type { Parameter } from "./parameter.ts";
import type { Task } from "./task.ts";

/** A task that is needed in some builds only. */
export interface ConditionalNeed<T extends Task = Task> {
  readonly kind: "conditional";
  readonly task: T;
  readonly condition:
    | { readonly kind: "parameter"; readonly parameter: Parameter<string>; readonly equals: string }
    | { readonly kind: "variant"; readonly variants: readonly string[] }
    | {
        readonly kind: "text";
        readonly files: readonly (string | Parameter<string>)[];
        readonly says: TestText;
      };
}

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

/** Whether a text says that a task is needed. */
export type TestText = (text: string) => boolean;

/** Needed when one of these text files says so; a file that is missing says nothing. Paths as in `file`. */
export function whenText<T extends Task>(
  files: readonly (string | Parameter<string>)[],
  says: TestText,
  needed: T,
): ConditionalNeed<T> {
  return { kind: "conditional", task: needed, condition: { kind: "text", files, says } };
}

/** A task of whose outputs only some are needed: when others of them change, nothing runs again. */
export interface PartialNeed<T extends Task = Task, S extends string = string> {
  readonly kind: "partial";
  readonly task: T;
  readonly slots: readonly S[];
}

/** Needs these outputs of the task, and no others. */
export function only<T extends Task, const S extends keyof T["outputs"] & string>(
  needed: T,
  ...slots: readonly S[]
): PartialNeed<T, S> {
  return { kind: "partial", task: needed, slots };
}

export type Need = Task | ConditionalNeed | PartialNeed;

/** The task that a need is for. */
export function neededTask(need: Need): Task {
  return need.kind === "task" ? need : need.task;
}

export type Needs = Readonly<Record<string, Need>>;

export type NeedPaths<N> =
  N extends ConditionalNeed<infer T>
    ? NeedPaths<T> | undefined
    : N extends PartialNeed<Task<infer O>, infer S>
      ? { readonly [K in S & keyof O]: string }
      : N extends Task<infer O>
        ? OutputPaths<O>
        : never;
