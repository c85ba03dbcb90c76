/** Random graphs of recipes, as numbers, so that a failing run can be made smaller. */
import * as fc from "fast-check";
import { commonNames, parameterNames, type Recipe, type SlotKind, variants } from "./recipe.ts";

const seed = fc.record({
  needs: fc.uniqueArray(
    fc.record({
      back: fc.integer({ min: 1, max: 8 }),
      onlyIn: fc.constantFrom(undefined, undefined, undefined, ...variants),
    }),
    {
      maxLength: 3,
      selector: ({ back }) => back,
    },
  ),
  shared: fc.boolean(),
  layout: fc.constantFrom("pattern", "root", "braces"),
  common: fc.option(
    fc.record({
      name: fc.constantFrom(...commonNames),
      how: fc.constantFrom("needed", "optional", "first letter"),
    }),
    { nil: undefined, freq: 2 },
  ),
  parameter: fc.option(fc.constantFrom(...parameterNames), { nil: undefined, freq: 2 }),
  secret: fc.integer({ min: 0, max: 5 }).map((n) => n === 5),
  env: fc.integer({ min: 0, max: 5 }).map((n) => n === 5),
  slots: fc.array(fc.constantFrom("file", "directory", "artifact", "variant-artifact"), {
    minLength: 1,
    maxLength: 2,
  }),
  blurred: fc.integer({ min: 0, max: 2 }).map((n) => n === 2),
} as const);

/** Graphs of up to 30 recipes; most are small, so that many can be tried. */
export const graphs: fc.Arbitrary<readonly Recipe[]> = fc
  .oneof(
    { weight: 6, arbitrary: fc.array(seed, { minLength: 1, maxLength: 7 }) },
    { weight: 1, arbitrary: fc.array(seed, { minLength: 8, maxLength: 30 }) },
  )
  .map((seeds) => {
    const recipes: Recipe[] = [];
    for (const [index, one] of seeds.entries()) {
      const needs = one.needs
        .map(({ back, onlyIn }) => ({ index: index - back, onlyIn: one.shared ? undefined : onlyIn }))
        .filter((need) => need.index >= 0)
        // What all variants share cannot need what differs between them.
        .filter((need) => !one.shared || recipes[need.index]?.shared === true);
      // An output that differs by variant, at one path for all of them, belongs to a task made for each.
      const slots = one.slots.map(
        (kind): SlotKind => (one.shared && kind === "variant-artifact" ? "artifact" : kind),
      );
      recipes.push({ ...one, name: `t${index}`, needs, slots });
    }
    return recipes;
  });
