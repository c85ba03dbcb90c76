/**
 * The real command in random workspaces, with random edits, damage, kills and second invocations: whatever happened, what it
 * then makes is what a clean build in a fresh copy makes. It uses nothing of the engine but the command.
 * RAZOR_MK_FUZZ_SEED=N plays another seed, RAZOR_MK_FUZZ_TIMES=N that many times as many steps.
 */
import { expect, it } from "vitest";
import { cases, seed } from "../support/cases.ts";
import { World } from "./world.ts";

const stepsForEach = 50;
const steps = cases(500).numRuns;
/** Worlds that are played side by side: two cores are busy also while some wait for the clock. */
const atOnce = 6;

it(`makes what a clean build makes, whatever happened before, over ${steps} random steps (seed ${seed})`, {
  timeout: 60_000 + steps * 3000,
}, async () => {
  let next = 0;
  let taken = 0;
  const play = async (): Promise<void> => {
    while (next * stepsForEach < steps) {
      const worldSeed = seed + next++;
      const world = new World(worldSeed);
      try {
        for (let step = 1; step <= stepsForEach; step += 1) {
          await world.step().catch((error: unknown) => {
            throw new Error(
              `seed ${worldSeed}, step ${step}: ${error instanceof Error ? error.message : error}`,
              {
                cause: error,
              },
            );
          });
          taken += 1;
        }
      } finally {
        if (process.env.RAZOR_MK_FUZZ_KEEP === undefined) world.remove();
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, play));
  expect(taken).toBeGreaterThanOrEqual(steps);
});
