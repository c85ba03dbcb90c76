/** What a task of a recipe does when it runs, and how the test makes it misbehave. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Secret } from "../../../src/engine/index.ts";
import { evaluate, type Recipe, type Seen } from "./recipe.ts";
import { readTree, type TreeNode, writeTree } from "./tree.ts";
import type { Misconduct, Phase } from "./trouble.ts";

/** How the test steers running tasks. */
export interface Steering {
  /** The source that was compiled for this build. */
  readonly code: string;
  /** Called when a task begins and after it wrote its outputs, before it returns. */
  readonly at: (name: string, phase: Phase) => void;
  readonly misconduct: (name: string) => Misconduct | undefined;
  /** Never settles. */
  readonly hang: () => Promise<void>;
  /** Settles when the build is over, whatever happens before. */
  readonly ignoreSignals: () => Promise<void>;
  /** Throws after the task returned. */
  readonly throwLater: () => void;
}

export interface RunContext {
  readonly needs: Readonly<Record<string, Readonly<Record<string, string>> | undefined>>;
  readonly inputs: {
    readonly own: { readonly root: string; readonly paths: readonly string[] };
    readonly common?: string;
  };
  readonly params: { readonly parameter?: string; readonly secret?: Secret };
  readonly env: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
  readonly variant: string;
  readonly log: (text: string) => void;
}

/** Runs as the recipe says. */
export function runRecipe(recipe: Recipe, context: RunContext, steering: Steering): void | Promise<void> {
  const own = new Map<string, TreeNode>();
  for (const relative of context.inputs.own.paths) {
    const node = readTree(path.join(context.inputs.own.root, relative)).get("");
    const name = recipe.layout === "root" ? relative : path.relative(`in/${recipe.name}`, relative);
    if (node !== undefined) own.set(name, node);
  }
  const common = context.inputs.common === undefined ? undefined : readText(context.inputs.common);
  const seen: Seen = {
    own,
    common: recipe.common?.how === "first letter" ? common?.slice(0, 1) : common,
    parameter: context.params.parameter,
    secret: context.params.secret?.reveal(),
    env: context.env.MODEL,
    variant: recipe.shared ? undefined : context.variant,
    code: steering.code,
    needs: Object.fromEntries(
      Object.entries(context.needs).map(([name, slots]) => [
        name,
        slots && Object.values(slots).map(readTree),
      ]),
    ),
  };
  const misconduct = steering.misconduct(recipe.name);
  steering.at(recipe.name, "begin");
  switch (misconduct) {
    case "early":
      throw new Error("fails before it writes anything");
    case "hang":
      return steering.hang();
    case "ignore signals":
      return steering.ignoreSignals().then(() => writeIfPossible(context.outputs.s0 ?? ""));
    case "print":
      printHugely(context);
      break;
    case "throw later":
      steering.throwLater();
      break;
  }
  for (const [slot, tree] of evaluate(recipe, seen).entries()) {
    if (misconduct === "missing" && slot === recipe.slots.length - 1 && recipe.slots[slot] !== "directory")
      continue;
    writeTree(context.outputs[`s${slot}`] ?? "", tree);
  }
  if (misconduct === "stray") writeFileSync(path.join(path.dirname(context.outputs.s0 ?? ""), "stray"), "");
  if (misconduct === "late") throw new Error("fails after it wrote everything");
  steering.at(recipe.name, "written");
}

/** What code does that goes on after its build: the directory may be gone. */
function writeIfPossible(target: string): void {
  try {
    writeFileSync(target, "written when the build was over");
  } catch {
    // The task's staging directory was removed, as it should be.
  }
}

/** Prints far more than is kept, in each of the ways that JavaScript has. */
function printHugely({ log }: RunContext): void {
  for (let count = 0; count < 64; count += 1) {
    log(`${count} ${"logged ".repeat(1000)}`);
    process.stdout.write(`${count} ${"written ".repeat(1000)}\n`);
  }
}

function readText(absolute: string): string | undefined {
  try {
    return readFileSync(absolute, "utf8");
  } catch {
    return undefined;
  }
}
