/**
 * Tasks: values that name what they read, what they need and what they make. Needs are references, so a typo is a type
 * error. Nothing here runs anything.
 */
import { envInputName, file, type Inputs } from "./declared-input.ts";
import type { Outputs } from "./declared-output.ts";
import type { Needs, Task, ToolUse } from "./declared-task.ts";
import type { Params, ParamValues } from "./parameter.ts";
import { callers } from "./source-location.ts";
import type { PrefetchContext, TaskContext } from "./task-context-types.ts";

interface TaskDefinition<N extends Needs, I extends Inputs, P extends Params, O extends Outputs> {
  readonly name: string;
  /** One line for the menu. */
  readonly description: string;
  readonly needs?: N;
  readonly inputs?: I;
  readonly params?: P;
  /** Names of host tools; each is looked up in PATH and its binary's digest is part of the fingerprint. */
  readonly tools?: readonly string[];
  /**
   * Tools that the task runs only sometimes: names, or how each is used with the parameters' values. Whether a useful one is
   * installed is part of the fingerprint, as its digest is.
   */
  readonly optionalTools?:
    | readonly string[]
    | ((params: ParamValues<P>) => Readonly<Record<string, ToolUse>>);
  /** Names of environment variables that commands may see; their values are part of the fingerprint. */
  readonly env?: readonly string[];
  /** Variables that change how a task works and not what it makes, such as proxies: passed on, not fingerprinted. */
  readonly passEnv?: readonly string[];
  readonly outputs: O;
  /** A pool with a width of its own, e.g. `network`. */
  readonly pool?: string;
  /** `shared`: the result does not depend on the variant, so that all variants use one. */
  readonly variants?: "each" | "shared";
  /** Not in the menu: a step that nobody asks for by name. */
  readonly internal?: boolean;
  /** Heading under which the menu, `list` and help show it, after the targets without one. */
  readonly group?: string;
  /**
   * Whether a result may be used again; default true. With false the task runs in every build that reaches it, and nothing of it
   * goes into the store. What needs it still runs again only when its outputs are others.
   */
  readonly cached?: boolean;
  /**
   * Files of KEY=value lines, relative to the workspace, whose variables commands see and `env` has. Their content is part of the
   * fingerprint. A variable of `env` or `passEnv` that is set wins over a file, a later file over an earlier one.
   */
  readonly envFiles?: readonly string[];
  /**
   * Its commands get the terminal: standard input, output and error are those of the program, and nothing is captured. It runs
   * while no other task does, and Ctrl-C is the command's. It cannot be watched.
   */
  readonly interactive?: boolean;
  /** Whether it may run on another machine, where an executor is used; default true. False for what needs this one: a boot, a device. */
  readonly remote?: boolean;
  /** Seconds that one attempt may take; what takes longer is ended like an interrupted task, and has failed. */
  readonly timeout?: number;
  /** How often a failed attempt is repeated, for what depends on a network; default 0. Each begins with empty outputs. */
  readonly retries?: number;
  /**
   * What may begin while the needs still run: it makes nothing, and only spares `run` some time. Called once a build at
   * most, when a need has to run; `run` waits for its end, and meets again whatever fails here.
   */
  readonly prefetch?: (context: PrefetchContext<I, P>) => Promise<void>;
  readonly run: (context: TaskContext<N, I, P, O>) => Promise<void> | void;
}

/** Defines a step that turns inputs into outputs. */
export function task<
  const N extends Needs = Record<never, never>,
  const I extends Inputs = Record<never, never>,
  const P extends Params = Record<never, never>,
  const O extends Outputs = Record<never, never>,
>(definition: TaskDefinition<N, I, P, O>): Task<O> {
  requireAll(definition);
  return {
    kind: "task",
    name: definition.name,
    description: definition.description,
    needs: definition.needs ?? {},
    inputs: { ...definition.inputs, ...envInputs(definition.envFiles ?? []) },
    params: definition.params ?? {},
    tools: definition.tools ?? [],
    optionalTools: (definition.optionalTools ?? []) as Task["optionalTools"],
    env: definition.env ?? [],
    passEnv: definition.passEnv ?? [],
    outputs: definition.outputs,
    pool: definition.pool ?? "cpu",
    variants: definition.variants ?? "each",
    internal: definition.internal ?? false,
    group: definition.group,
    cached: definition.cached ?? true,
    envFiles: definition.envFiles ?? [],
    interactive: definition.interactive ?? false,
    remote: definition.remote ?? true,
    timeout: definition.timeout,
    retries: definition.retries ?? 0,
    // The one place where the types of a definition are let go of: the runner builds the context from the same
    // definition, so what it passes has the types that `run` was checked against.
    prefetch: definition.prefetch as unknown as Task["prefetch"],
    run: definition.run as unknown as Task["run"],
    definedAt: callers(task),
  };
}

/** The env files as inputs, so that they are fingerprinted, rechecked and watched like all others. */
function envInputs(envFiles: readonly string[]): Inputs {
  // Other values are refused later, when the whole Taskfile is checked.
  const names = Array.isArray(envFiles) ? envFiles : [];
  return Object.fromEntries(names.map((name) => [envInputName(name), file(name)]));
}

/**
 * Throws where something is missing that the types ask for: nothing checks them when a Taskfile is loaded, and a circle of
 * imports leaves a need undefined that is there for every type checker. The stack begins where the task is defined.
 */
function requireAll(
  definition: Readonly<Record<"name" | "run", unknown>> &
    Readonly<Partial<Record<"needs" | "inputs" | "params" | "outputs", Readonly<Record<string, unknown>>>>>,
): void {
  const missing: string[] = [];
  for (const part of ["name", "outputs", "run"] as const)
    if (definition[part] === undefined) missing.push(part);
  for (const part of ["needs", "inputs", "params", "outputs"] as const) {
    const entries = definition[part];
    for (const key in entries) if (entries[key] === undefined) missing.push(`${part}.${key}`);
  }
  if (missing.length === 0) return;
  const error = new TypeError(`the task "${definition.name}" has no ${missing.join(", no ")}`);
  Error.captureStackTrace(error, task);
  throw error;
}
