/** What the computed paths of a task's artifacts were computed from, kept with its result so that `clean` finds them again. */
import path from "node:path";
import type { BoundTask } from "../bind/bound-task.ts";
import type { Output, OutputFacts } from "../define/declared-output.ts";
import type { Task } from "../define/declared-task.ts";
import type { Parameter } from "../define/parameter.ts";
import { Secret } from "../define/secret.ts";
import type { Part, Stamp } from "../state/stamp.ts";

/**
 * The values that paths of artifacts use and no part of the fingerprint tells: those of parameters that only an input names or that
 * are not fingerprinted, and in a task that all variants share the variant. Secrets are never among them.
 */
export function pathFacts({ task, variant, requestedVariant, named }: BoundTask): readonly Part[] {
  const used = new Map<string, string>();
  const facts = {
    get variant() {
      if (variant === undefined) used.set("variant", requestedVariant);
      return requestedVariant;
    },
    value: (parameter: Parameter<unknown>) => {
      const value = named.get(parameter.name);
      if (!isTold(task, parameter) && !(value instanceof Secret)) {
        const recorded = parameter.recorded === undefined ? value : parameter.recorded(value);
        used.set(`param ${parameter.name}`, JSON.stringify(recorded));
      }
      return value;
    },
  } as OutputFacts;
  for (const output of Object.values(task.outputs))
    if (output.place === "workspace" && typeof output.path !== "string") output.path(facts);
  return [...used];
}

/** Where the task puts the output of a result, as a normal path; undefined where the result does not say. */
export function placeBy(output: Output, task: Task, stamp: Stamp): string | undefined {
  if (typeof output.path === "string") return path.normalize(output.path);
  const parts = new Map(stamp.parts);
  const facts = new Map(stamp.facts);
  const value = (parameter: Parameter<unknown>): unknown => {
    const [name] = Object.entries(task.params).find(([, one]) => one.name === parameter.name) ?? [];
    const told = isTold(task, parameter) ? parts.get(`param ${name}`) : facts.get(`param ${parameter.name}`);
    return JSON.parse(told ?? "");
  };
  try {
    const variant = facts.get("variant") ?? parts.get("variant") ?? "";
    return path.normalize(output.path({ variant, value } as OutputFacts));
  } catch {
    return undefined;
  }
}

/** Whether a parameter's value is a part of the fingerprint. */
function isTold(task: Task, parameter: Parameter<unknown>): boolean {
  return Object.values(task.params).some((one) => one.name === parameter.name && one.fingerprinted !== false);
}
