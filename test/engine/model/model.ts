/**
 * What each build has to do, by the model: it remembers results by everything that went into them, and shares nothing
 * with the engine but the tasks' own pure function.
 */
import path from "node:path";
import type { Outputs } from "./outputs.ts";
import { encodeSeen, evaluate, type Recipe, type Seen } from "./recipe.ts";
import type { Step } from "./step.ts";
import { encodeTree, readTree, type Tree } from "./tree.ts";

export type Verdict = "fresh" | "restore" | "run" | "fail" | "blocked";

export interface Expected {
  readonly verdict: Verdict;
  /** Everything that goes into the result; undefined where it cannot be known. */
  readonly key: string | undefined;
  readonly outputs: readonly Tree[] | undefined;
}

export class Model {
  readonly #root: string;
  readonly #recipes: readonly Recipe[];
  readonly #outputs: Outputs;
  readonly #given: ReadonlyMap<string, string>;
  readonly #known = new Map<string, readonly Tree[]>();

  constructor(
    root: string,
    recipes: readonly Recipe[],
    outputs: Outputs,
    given: ReadonlyMap<string, string>,
  ) {
    this.#root = root;
    this.#recipes = recipes;
    this.#outputs = outputs;
    this.#given = given;
  }

  /** From now on the result with this key can be restored. */
  learn(key: string, outputs: readonly Tree[]): void {
    this.#known.set(key, outputs);
  }

  /** The tasks that a build of the targets has to do with, by index. */
  reach(targets: readonly number[], variant: string): readonly number[] {
    const reached = new Set<number>();
    const visit = (index: number): void => {
      const recipe = this.#recipes[index];
      if (recipe === undefined || reached.has(index)) return;
      reached.add(index);
      for (const need of this.#needsOf(recipe, variant)) if (need.applies) visit(need.index);
    };
    for (const target of targets) visit(target);
    return [...reached].sort((a, b) => a - b);
  }

  /** `code` is the source that the build compiles. */
  expect(graph: readonly number[], step: Step, code: string): ReadonlyMap<number, Expected> {
    const expected = new Map<number, Expected>();
    for (const index of graph) expected.set(index, this.#expectOne(index, expected, step, code));
    return expected;
  }

  #expectOne(index: number, earlier: ReadonlyMap<number, Expected>, step: Step, code: string): Expected {
    const recipe = this.#recipe(index);
    const needs: Record<string, readonly Tree[] | undefined> = {};
    for (const need of this.#needsOf(recipe, step.variant)) {
      const outputs = need.applies ? earlier.get(need.index)?.outputs : undefined;
      if (need.applies && outputs === undefined)
        return { verdict: "blocked", key: undefined, outputs: undefined };
      needs[`n${need.index}`] = outputs;
    }
    const common =
      recipe.common === undefined
        ? undefined
        : readTree(path.join(this.#root, "common", recipe.common.name)).get("");
    if (recipe.common !== undefined && recipe.common.how !== "optional" && common === undefined) {
      return { verdict: "fail", key: undefined, outputs: undefined };
    }
    const text = common?.kind === "file" ? common.text : undefined;
    const seen: Seen = {
      own: this.#ownInputs(recipe),
      common: recipe.common?.how === "first letter" ? text?.slice(0, 1) : text,
      parameter: recipe.parameter === undefined ? undefined : (this.#given.get(recipe.parameter) ?? "0"),
      secret: recipe.secret ? step.secret : undefined,
      env: recipe.env ? step.env : undefined,
      variant: recipe.shared ? undefined : step.variant,
      code,
      needs,
    };
    const key = `${recipe.name} ${encodeSeen(seen)}`;
    const known = this.#known.get(key);
    const failing = step.trouble.kind === "fail" && step.trouble.task % this.#recipes.length === index;
    if (known !== undefined) {
      const same = known.every(
        (tree, slot) => encodeTree(tree) === encodeTree(this.#outputs.at(recipe, slot, step.variant)),
      );
      return { verdict: same ? "fresh" : "restore", key, outputs: known };
    }
    // A directory always exists, so that a task which writes nothing into it has still made it.
    const harmless =
      step.trouble.kind === "fail" && step.trouble.how === "missing" && recipe.slots.at(-1) === "directory";
    if (failing && !harmless) return { verdict: "fail", key, outputs: undefined };
    return { verdict: "run", key, outputs: evaluate(recipe, seen) };
  }

  #needsOf(
    recipe: Recipe,
    variant: string,
  ): readonly { readonly index: number; readonly applies: boolean }[] {
    return recipe.needs.map(({ index, onlyIn }) => ({
      index,
      applies: onlyIn === undefined || onlyIn === variant,
    }));
  }

  #ownInputs(recipe: Recipe): Tree {
    const all = [...readTree(path.join(this.#root, "in", recipe.name))];
    return new Map(
      all.filter(([name, node]) => {
        if (node.kind === "directory" || name.endsWith(".skip")) return false;
        return recipe.layout !== "braces" || /^[a-d][^/]*$/.test(name) || name.startsWith("x/");
      }),
    );
  }

  #recipe(index: number): Recipe {
    const recipe = this.#recipes[index];
    if (recipe === undefined) throw new Error(`no recipe ${index}`);
    return recipe;
  }
}
