/** Holds what a build said against what the model expected of it. It looks at no disk. */
import type { BuildEvent } from "../../../src/engine/index.ts";
import { lateError } from "./builder.ts";
import type { Expected, Verdict } from "./model.ts";
import { type Recipe, slotPath } from "./recipe.ts";
import type { Step } from "./step.ts";
import type { Tree } from "./tree.ts";
import { mayMove } from "./trouble.ts";

/** What a build did and said. */
export interface Account {
  readonly events: readonly BuildEvent[];
  readonly outcome: string;
  /** Tasks whose function was called, by name. */
  readonly called: readonly string[];
}

/** What follows from an account that is right. */
export interface Consequences {
  /** Outputs that the build left in place, by path. */
  readonly outputs: ReadonlyMap<string, Tree>;
  /** Results that can be restored from now on, by what went into them. */
  readonly results: ReadonlyMap<string, readonly Tree[]>;
}

/** Index of the recipe whose task has this id. */
export function indexOf(id: string): number {
  return Number(/^t(\d+)/.exec(id)?.[1]);
}

/** Throws where the account of a build differs from what the model expected of each task of the graph. */
export function checkAccount(
  step: Step,
  recipes: readonly Recipe[],
  expected: ReadonlyMap<number, Expected>,
  { events, outcome, called }: Account,
): Consequences {
  const outputs = new Map<string, Tree>();
  const results = new Map<string, readonly Tree[]>();
  const settled = new Map<number, Verdict>();
  for (const event of events) {
    const verdict = verdictOf(event);
    if (verdict === undefined || !("task" in event) || event.task === undefined) continue;
    const index = indexOf(event.task);
    const wanted = expected.get(index);
    if (isLate(event) && wanted?.verdict === "run") continue;
    if (wanted?.verdict !== verdict) {
      throw new Error(`${event.task}: ${verdict}, but the model says ${wanted?.verdict}; ${describe(event)}`);
    }
    if ("reasons" in event && event.reasons.length === 0)
      throw new Error(`${event.task}: ${verdict} without a reason`);
    if (settled.has(index)) throw new Error(`${event.task} came to an end twice`);
    settled.set(index, verdict);
    const recipe = recipes[index];
    if (verdict === "fail" || verdict === "blocked" || wanted.outputs === undefined || recipe === undefined)
      continue;
    for (const [slot, tree] of wanted.outputs.entries())
      outputs.set(slotPath(recipe, slot, step.variant), tree);
    const moved = events.some(
      (other) =>
        other.type === "note" && other.task === event.task && other.message.includes("changed while"),
    );
    const { trouble } = step;
    const isDisturbed = verdict === "run" && mayMove(trouble, index, recipes.length);
    if (moved && !isDisturbed)
      throw new Error(`${event.task}: an input is said to have changed, and none has`);
    if (!moved && verdict === "run" && trouble.kind === "save source" && trouble.when === "compiled")
      throw new Error(`${event.task}: its source was saved before it ran, and nothing is said of that`);
    const failedLate = events.some((other) => isLate(other) && other.task === event.task);
    if (wanted.key !== undefined && !moved && !failedLate) results.set(wanted.key, wanted.outputs);
  }
  checkCompleteness(step, expected.size, settled, outcome);
  if (outcome === "succeeded" && events.some(isLate)) throw new Error("an error thrown late went unnoticed");
  checkCalls(events, called);
  return { outputs, results };
}

/** Whether the event is the failure of a task whose code threw after it returned: it comes besides the task's end. */
function isLate(event: BuildEvent): event is Extract<BuildEvent, { type: "task-failed" }> {
  return event.type === "task-failed" && event.error instanceof Error && event.error.message === lateError;
}

function checkCompleteness(
  step: Step,
  size: number,
  settled: ReadonlyMap<number, Verdict>,
  outcome: string,
): void {
  if (outcome === "succeeded" && settled.size !== size)
    throw new Error("a task of the graph was not looked at");
  if (outcome === "failed" && step.keepGoing && settled.size !== size) throw new Error("-k did not go on");
  if (outcome === "succeeded" && [...settled.values()].includes("fail"))
    throw new Error("a failure went unnoticed");
}

function checkCalls(events: readonly BuildEvent[], called: readonly string[]): void {
  const started = new Set(
    events.flatMap((event) => (event.type === "task-started" ? [event.task.split("@")[0]] : [])),
  );
  if (new Set(called).size !== called.length) throw new Error("a task ran twice");
  for (const name of called) if (!started.has(name)) throw new Error(`${name} ran and nobody was told`);
}

function verdictOf(event: BuildEvent): Verdict | undefined {
  switch (event.type) {
    case "task-fresh":
      return "fresh";
    case "task-restored":
      return "restore";
    case "task-done":
      return "run";
    case "task-failed":
      return "fail";
    case "task-skipped":
      return "blocked";
    default:
      return undefined;
  }
}

function describe(event: BuildEvent): string {
  return event.type === "task-failed"
    ? String(event.error)
    : "reasons" in event
      ? JSON.stringify(event.reasons)
      : "";
}
