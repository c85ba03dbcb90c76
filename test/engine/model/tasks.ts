/** The recipes as tasks of the engine. */
import {
  file,
  files,
  inVariants,
  out,
  type Parameter,
  param,
  type Task,
  task,
} from "../../../src/engine/index.ts";
import { parameterNames, type Recipe, slotPath } from "./recipe.ts";
import { type RunContext, runRecipe, type Steering } from "./running-task.ts";

function outputOf(recipe: Recipe, slot: number): Task["outputs"][string] {
  switch (recipe.slots[slot]) {
    case "directory":
      return out.directory(`s${slot}`);
    case "artifact":
      return out.artifact(slotPath(recipe, slot, ""));
    case "variant-artifact":
      return out.artifact(({ variant }) => slotPath(recipe, slot, variant));
    default:
      return out.file(`s${slot}`);
  }
}

const parameters = new Map<string, Parameter<string>>(
  parameterNames.map((name) => [name, param.text({ name, description: "", value: "TEXT", default: "0" })]),
);
const secretParameter = param.secret({ name: "secret", description: "", default: undefined });

export function tasksOf(recipes: readonly Recipe[], steering: () => Steering): readonly Task[] {
  const tasks: Task[] = [];
  for (const recipe of recipes) {
    const needs = recipe.needs.map(({ index, onlyIn }) => {
      const needed = tasks[index];
      if (needed === undefined) throw new Error("a recipe needs a later one");
      return [`n${index}`, onlyIn === undefined ? needed : inVariants([onlyIn], needed)] as const;
    });
    const directory = `in/${recipe.name}`;
    const own = {
      pattern: () => files(`${directory}/**`, { optional: true, ignore: ["**/*.skip"], links: "keep" }),
      root: () => files("**", { root: directory, optional: true, ignore: ["**/*.skip"], links: "keep" }),
      braces: () =>
        files(`${directory}/{[a-d]*,x/**}`, { optional: true, ignore: ["**/*.skip"], links: "keep" }),
    }[recipe.layout]();
    const common =
      recipe.common === undefined
        ? {}
        : {
            common: file(`common/${recipe.common.name}`, {
              optional: recipe.common.how === "optional",
              ...(recipe.common.how === "first letter" ? { select: (text: string) => text.slice(0, 1) } : {}),
            }),
          };
    const parameter = recipe.parameter === undefined ? undefined : parameters.get(recipe.parameter);
    tasks.push(
      task({
        name: recipe.name,
        description: "",
        variants: recipe.shared ? "shared" : "each",
        needs: Object.fromEntries(needs),
        inputs: { own, ...common },
        params: {
          ...(parameter === undefined ? {} : { parameter }),
          ...(recipe.secret ? { secret: secretParameter } : {}),
        },
        env: recipe.env ? ["MODEL"] : [],
        outputs: Object.fromEntries(recipe.slots.map((_, slot) => [`s${slot}`, outputOf(recipe, slot)])),
        run: (context) => runRecipe(recipe, context as unknown as RunContext, steering()),
      }) as Task,
    );
  }
  return tasks;
}
