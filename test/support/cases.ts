/**
 * How many random cases a property is tried with, and which. A usual run tries the same ones each time: what it says is about
 * the code, not about luck. `RAZOR_MK_FUZZ_SEED=N` tries others, `RAZOR_MK_FUZZ_TIMES=N` tries N times as many.
 */
export const seed = Number(process.env.RAZOR_MK_FUZZ_SEED ?? 20_121_121);

const times = Number(process.env.RAZOR_MK_FUZZ_TIMES ?? 1);

/** The settings of one fast-check assertion. */
export function cases(usual = 100): { readonly seed: number; readonly numRuns: number } {
  return { seed, numRuns: usual * times };
}
