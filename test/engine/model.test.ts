/**
 * Random graphs, random edits, random trouble: after every step the workspace is what a clean build makes, and exactly
 * the tasks that the model names ran. Set RAZOR_MK_FUZZ_STEPS for more steps and RAZOR_MK_FUZZ_SEED for a printed seed.
 */
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { seed } from "../support/cases.ts";
import { edits } from "./model/edit.ts";
import { graphs } from "./model/graph.ts";
import { parameterNames, variants } from "./model/recipe.ts";
import type { Step } from "./model/step.ts";
import { troubles } from "./model/trouble.ts";
import { World } from "./model/world.ts";

const steps: fc.Arbitrary<Step> = fc.record({
  edits: fc.array(edits, { maxLength: 3 }),
  variant: fc.constantFrom("dev", "dev", ...variants),
  parameter: fc.option(
    fc.record({ name: fc.constantFrom(...parameterNames), value: fc.constantFrom("0", "1", "2") }),
    { nil: undefined, freq: 1 },
  ),
  secret: fc.constantFrom("hush", "hush", "hush", "other"),
  env: fc.constantFrom(undefined, undefined, "", "set"),
  code: fc.constantFrom(undefined, undefined, undefined, undefined, undefined, "1", "2"),
  targets: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(0xffff) }),
  jobs: fc.integer({ min: 1, max: 4 }),
  keepGoing: fc.boolean(),
  trouble: troubles,
  ahead: fc.constantFrom(0, 3_600_000, 3_600_000, -3_600_000),
});

const stepsForEach = 50;
const wanted = Number(process.env.RAZOR_MK_FUZZ_STEPS ?? 2000);

it(`builds what a clean build would, and no more than it has to, over ${wanted} random steps (seed ${seed})`, {
  timeout: 30_000 + wanted * 200,
}, async () => {
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(
      graphs,
      fc.array(steps, { minLength: stepsForEach, maxLength: stepsForEach, size: "max" }),
      async (recipes, plan) => {
        const world = new World(recipes);
        try {
          for (const [index, step] of plan.entries()) {
            taken += 1;
            await world.take(step).catch((error: unknown) => {
              throw new Error(`step ${index + 1}: ${error instanceof Error ? error.message : error}`, {
                cause: error,
              });
            });
          }
        } finally {
          world.remove();
        }
      },
    ),
    {
      seed,
      endOnFailure: process.env.RAZOR_MK_FUZZ_SHRINK === undefined,
      numRuns: Math.ceil(wanted / stepsForEach),
    },
  );
  expect(taken).toBeGreaterThanOrEqual(wanted);
});
