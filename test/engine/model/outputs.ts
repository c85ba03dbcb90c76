/** The outputs of all recipes in one workspace, as the model's own walker finds them. */
import path from "node:path";
import { type Recipe, slotPath } from "./recipe.ts";
import { encodeTree, readTree, type Tree } from "./tree.ts";

export class Outputs {
  readonly #root: string;
  readonly #recipes: readonly Recipe[];

  constructor(root: string, recipes: readonly Recipe[]) {
    this.#root = root;
    this.#recipes = recipes;
  }

  at(recipe: Recipe, slot: number, variant: string): Tree {
    return readTree(path.join(this.#root, slotPath(recipe, slot, variant)));
  }

  all(): ReadonlyMap<string, Tree> {
    const found = new Map<string, Tree>();
    for (const recipe of this.#recipes) {
      for (const slot of recipe.slots.keys()) {
        for (const variant of ["dev", "prod"]) {
          const name = slotPath(recipe, slot, variant);
          found.set(name, readTree(path.join(this.#root, name)));
        }
      }
    }
    return found;
  }

  compare(wanted: ReadonlyMap<string, Tree>): void {
    const found = this.all();
    for (const [name, tree] of wanted) {
      const now = encodeTree(found.get(name) ?? new Map());
      if (now !== encodeTree(tree)) throw new Error(`${name} is ${now}, but should be ${encodeTree(tree)}`);
    }
  }
}
