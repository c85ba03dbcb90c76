/** Which paths differ between two states of a task's inputs. */
import { isMutable, type ResolvedInput } from "../files/input.ts";
import { compareListings } from "../files/listing.ts";

/**
 * The paths, as users know them, by which the inputs of a task differ; empty where they are the same. With `mutable:
 * "ignored"` the files that the task itself may rewrite do not count, which is meant for a task that runs.
 */
export function inputDifferences(
  before: readonly ResolvedInput[],
  after: readonly ResolvedInput[],
  { mutable }: { readonly mutable: "compared" | "ignored" },
): readonly string[] {
  return before.flatMap((input, index) => {
    const later = after[index];
    if (later === undefined || later.digest === input.digest) return [];
    if (mutable === "ignored" && isMutable(input)) return [];
    return compareListings(input.listing, later.listing).map(({ path }) => path);
  });
}
