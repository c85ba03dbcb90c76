/**
 * A task as it was declared, with what it may need of others: the types that the rest of the engine speaks of. Nothing of how
 * either is written down, or run.
 */
import type { Inputs } from "./declared-input.ts";
import type { OutputPaths, Outputs } from "./declared-output.ts";
import type { Parameter, Params } from "./parameter.ts";
import type { SourceLocation } from "./source-location.ts";

/**
 * How a task uses an optional tool with given parameters: `needed`, nothing is built without it; `self-checked`, `run` fails
 * without it with an error of its own; `useful`, `run` works without it where it can; `unused`, it is not run.
 */
export type ToolUse = "needed" | "self-checked" | "useful" | "unused";

/** A task, as the engine sees it: the types of its contexts are known to the definition only. */
export interface Task<O extends Outputs = Outputs> {
  readonly kind: "task";
  readonly name: string;
  readonly description: string;
  readonly needs: Needs;
  readonly inputs: Inputs;
  readonly params: Params;
  readonly tools: readonly string[];
  readonly optionalTools: readonly string[] | ((params: object) => Readonly<Record<string, ToolUse>>);
  readonly env: readonly string[];
  readonly passEnv: readonly string[];
  readonly outputs: O;
  readonly pool: string;
  readonly variants: "each" | "shared";
  readonly internal: boolean;
  readonly group: string | undefined;
  readonly cached: boolean;
  readonly envFiles: readonly string[];
  readonly interactive: boolean;
  /** Whether it may run on another machine. */
  readonly remote: boolean;
  /** Seconds; undefined for no limit. */
  readonly timeout: number | undefined;
  readonly retries: number;
  readonly prefetch: ((context: object) => Promise<void>) | undefined;
  readonly run: (context: object) => Promise<void> | void;
  /** Where it was defined: the stack frames of the call, innermost first. */
  readonly definedAt: readonly SourceLocation[];
}

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
        readonly matches: TestText;
      };
}

/** Whether a text says that a task is needed. */
export type TestText = (text: string) => boolean;

/** A task of whose outputs only some are needed: when others of them change, nothing runs again. */
export interface PartialNeed<T extends Task = Task, S extends string = string> {
  readonly kind: "partial";
  readonly task: T;
  readonly slots: readonly S[];
}

export type Need = Task | ConditionalNeed | PartialNeed;

export type Needs = Readonly<Record<string, Need>>;

export type NeedPaths<N> =
  N extends ConditionalNeed<infer T>
    ? NeedPaths<T> | undefined
    : N extends PartialNeed<Task<infer O>, infer S>
      ? { readonly [K in S & keyof O]: string }
      : N extends Task<infer O>
        ? OutputPaths<O>
        : never;
