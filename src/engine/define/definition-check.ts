/**
 * Checks at run time that a Taskfile's values have the declared types: types are stripped when it is loaded.
 */
import { UserError } from "../../errors/index.ts";
import type { Target } from "./command.ts";
import type { Task } from "./declared-task.ts";
import { nameable } from "./names.ts";
import { isNegative } from "./patterns.ts";
import type { SourceLocation } from "./source-location.ts";
import type { Taskfile } from "./taskfile.ts";

type Locate = (location: SourceLocation | undefined) => string;

/**
 * The Taskfile in the module `found`. @throws UserError `taskfile-invalid` or `definition-invalid`, with the file, or the
 * place of the task, for whatever cannot be built from.
 */
export function requireTaskfile(found: unknown, locate: Locate): Taskfile {
  const { default: taskfile } = (found ?? {}) as { readonly default?: Partial<Taskfile> };
  if (taskfile === undefined)
    throw invalid("Taskfile.ts has no default export", "add at the end: export default taskfile({ … })");
  if (typeof taskfile !== "object" || taskfile?.kind !== "taskfile") {
    const what = describe(taskfile);
    throw invalid(`the default export of Taskfile.ts is ${what}`, "make it with taskfile({ … })");
  }
  const { targets, variants, aliases = {} } = taskfile;
  if (!Array.isArray(targets))
    throw invalid(
      `the Taskfile's targets are ${describe(targets)}`,
      "list its tasks: targets: [one, another]",
    );
  checkVariants(variants);
  const seen = new Set<unknown>();
  for (const [index, target] of targets.entries()) {
    if (isTarget(target)) checkTarget(target, locate, seen);
    else throw noTarget(`targets[${index}]`, target);
  }
  for (const [alias, target] of Object.entries(aliases))
    if (!isTarget(target)) throw noTarget(`aliases.${alias}`, target);
  for (const [asked, brings] of taskfile.alsoBuilds ?? [])
    for (const one of [asked, brings]) if (!isTarget(one)) throw noTarget("also", one);
  for (const { of, use } of taskfile.replacements ?? [])
    for (const one of [of, use]) if (!isTarget(one)) throw noTarget("instead", one);
  for (const [axis, values] of Object.entries(taskfile.matrix ?? {})) {
    if (Array.isArray(values) && values.every((value) => typeof value === "string")) continue;
    throw invalid(
      `the matrix has ${describe(values)} for "${axis}"`,
      'list the texts of its values: matrix: { layout: ["layered", "single"] }',
    );
  }
  for (const [pool, width] of Object.entries(taskfile.pools ?? {})) {
    if (Number.isInteger(width) && width > 0) continue;
    throw invalid(
      `the width of the pool "${pool}" is ${describe(width)}`,
      "write the number of its tasks that may run at once",
    );
  }
  return taskfile as Taskfile;
}

function checkVariants(variants: unknown): void {
  const names = typeof variants === "object" && variants !== null ? Object.entries(variants) : [];
  if (names.length === 0) {
    throw invalid(
      "the Taskfile defines no variants",
      'define at least one: variants: { dev: { description: "for work", flags: [] } }',
    );
  }
  for (const [name, variant] of names) {
    if (!nameable.test(name)) {
      throw new UserError(`a variant cannot be named "${name}"`, {
        code: "name-invalid",
        where: "Taskfile.ts",
        hint: "use letters, digits, dots, dashes, underscores and plus signs, starting with a letter or digit",
      });
    }
    if (!Array.isArray(variant?.flags))
      throw invalid(
        `the variant "${name}" has no flags`,
        "list the switches that select it, or none: flags: []",
      );
  }
}

function isTarget(value: unknown): value is Target {
  const kind = kindOf(value);
  return kind === "task" || kind === "command";
}

function checkTarget(target: Target, locate: Locate, seen: Set<unknown>): void {
  if (seen.has(target)) return;
  seen.add(target);
  // A function, since looking a location up in the source map is slow and only needed for an error.
  const where = (): string => locate(target.definedAt?.[0]);
  const check = (part: string, values: unknown, kinds: readonly string[], made: string): void => {
    for (const [name, value] of Object.entries(values ?? {})) {
      if (kinds.includes(kindOf(value) ?? "")) continue;
      throw wrongPart(`the ${part} "${name}" of ${target.name} is ${describe(value)}`, where, made);
    }
  };
  const kinds = ["text", "path", "secret", "switch", "choice", "list", "arguments", "derived"];
  check(
    "parameter",
    target.params,
    kinds,
    "make it with param.text({ … }), param.switch({ … }) and the like",
  );
  if (target.kind === "command") return;
  check(
    "need",
    target.needs,
    ["task", "conditional", "partial"],
    "import the task, and write its name without quotes",
  );
  check("input", target.inputs, ["file", "files"], 'make it with file("…") or files("…")');
  check("output", target.outputs, ["file", "directory"], 'make it with out.file("…") or out.artifact("…")');
  for (const part of ["tools", "optionalTools", "env", "passEnv", "envFiles"] as const) {
    const names: unknown = target[part];
    if (part === "optionalTools" && typeof names === "function") continue;
    if (Array.isArray(names) && names.every((name) => typeof name === "string" && name !== "")) continue;
    throw wrongPart(
      `${part} of ${target.name} is ${describe(names)}`,
      where,
      'list names: ["one", "another"]',
    );
  }
  checkRunning(target, where);
  checkPatterns(target, where);
  for (const [name, need] of Object.entries(target.needs)) {
    const needed: unknown = need.kind === "task" ? need : need.task;
    if (kindOf(needed) !== "task")
      throw wrongPart(`the need "${name}" of ${target.name} is ${describe(needed)}`, where, "name a task");
    checkTarget(needed as Task, locate, seen);
    if (need.kind === "partial")
      checkSlots(target, need.task, need.slots, () => `${where()} and ${locate(need.task.definedAt[0])}`);
  }
}

/** How often and how long a task may run. */
function checkRunning({ name, timeout, retries }: Task, where: () => string): void {
  const isLimit = (value: unknown): boolean =>
    typeof value === "number" && Number.isFinite(value) && value > 0 && value <= longestTimeout;
  if (timeout !== undefined && !isLimit(timeout)) {
    const hint = `write a number of seconds above 0, at most ${longestTimeout}`;
    throw wrongPart(`the timeout of ${name} is ${describe(timeout)}`, where, hint);
  }
  if (!Number.isInteger(retries) || retries < 0)
    throw wrongPart(`retries of ${name} is ${describe(retries)}`, where, "write a non-negative integer");
}

function checkSlots(task: Task, needed: Task, slots: readonly string[], places: () => string): void {
  const known = Object.keys(needed.outputs);
  const unknown = slots.find((slot) => !known.includes(slot));
  if (unknown === undefined) return;
  throw new UserError(
    `${task.name} needs the output "${unknown}" of ${needed.name}, which does not declare it`,
    {
      code: "slot-unknown",
      where: places(),
      hint: known.length === 0 ? "it has no outputs" : `its outputs are ${known.join(", ")}`,
    },
  );
}

/** Seconds: the longest that a timer of Node can be set to (2^31 - 1 ms). */
const longestTimeout = 2_147_483;

/** Patterns must be relative to the input's root, stay below it, and include at least one that is not negated. */
function checkPatterns(task: Task, where: () => string): void {
  for (const [name, input] of Object.entries(task.inputs)) {
    if (input.kind !== "files") continue;
    const { patterns, ignore } = input as { readonly patterns: unknown; readonly ignore: unknown };
    const lists = [patterns, ignore];
    if (
      !lists.every(
        (list) => Array.isArray(list) && list.every((one) => typeof one === "string" && one !== ""),
      )
    )
      throw wrongPart(
        `the input "${name}" of ${task.name} has patterns that are not strings`,
        where,
        'write "src/**"',
      );
    const outside = lists.flat().find((one) => /^!?\/|(^!?|[/{,(|])\.\.([/},)|]|$)/.test(String(one)));
    if (outside !== undefined) {
      throw wrongPart(
        `the pattern "${outside}" of the input "${name}" of ${task.name} leaves the input's directory`,
        where,
        "name the directory as the input's root, and write the pattern relative to it",
      );
    }
    const [twice] = input.patterns.filter((pattern) => pattern.startsWith("!!"));
    if (twice === undefined && !input.patterns.every(isNegative)) continue;
    throw wrongPart(
      twice === undefined
        ? `the input "${name}" of ${task.name} has only negated patterns`
        : `the pattern "${twice}" of the input "${name}" of ${task.name} starts with two exclamation marks`,
      where,
      'write a positive pattern first: files(["**", "!build/**"])',
    );
  }
}

function kindOf(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null || !("kind" in value)) return undefined;
  return typeof value.kind === "string" ? value.kind : undefined;
}

/** A value as a sentence can name it. */
function describe(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (typeof value === "string") return `the text "${value}"`;
  if (Array.isArray(value)) return "a list";
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return typeof value === "function" ? "a function" : `a ${kindOf(value) ?? "plain object"}`;
}

function noTarget(place: string, value: unknown): UserError {
  return invalid(
    `${place} must be a task or a command, but is ${describe(value)}`,
    "import it, and write its name without quotes",
  );
}

function invalid(message: string, hint: string): UserError {
  return new UserError(message, { code: "taskfile-invalid", where: "Taskfile.ts", hint });
}

function wrongPart(message: string, where: () => string, hint: string): UserError {
  return new UserError(message, { code: "definition-invalid", where: where(), hint });
}
