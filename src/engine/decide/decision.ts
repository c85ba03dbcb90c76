/**
 * Whether a task is fresh, can be restored, or has to run, and why. `why` and `--dry-run` call the same function as a
 * build, so they cannot disagree with it.
 */
import type { BoundTask } from "../bind/bound-task.ts";
import { type Digest, displayPath } from "../define/names.ts";
import {
  compareListings,
  decodeListing,
  encodeListing,
  type Listing,
  type ListingChange,
} from "../files/listing.ts";
import { isSound } from "../state/listing-rules.ts";
import { firstNotStored, listOutputs, pathIn, placesOf } from "../state/output.ts";
import type { Stamp } from "../state/stamp.ts";
import { type Assessment, assess, type DecisionContext } from "./assessment.ts";
import { explainParts } from "./explanation.ts";
import type { Reason } from "./reason.ts";

export type Decision = Assessment &
  (
    | { readonly kind: "fresh"; readonly stamp: Stamp; readonly outputs: Listing }
    | {
        readonly kind: "restore";
        readonly stamp: Stamp;
        readonly outputs: Listing;
        readonly reasons: readonly Reason[];
      }
    | { readonly kind: "run"; readonly reasons: readonly Reason[] }
  );

/**
 * Decides for one task. `needs` holds the digest of each need's outputs, taken after it finished.
 * Throws `UserError` when a tool or an input is missing.
 */
export async function decide(
  bound: BoundTask,
  needs: ReadonlyMap<string, Digest | undefined>,
  forced: boolean,
  context: DecisionContext,
): Promise<Decision> {
  const { state } = context;
  const assessment = await assess(bound, needs, context);
  if (!bound.task.cached) return { ...assessment, kind: "run", reasons: [{ kind: "uncached" }] };
  const stamp = forced ? undefined : state.stamps.result(assessment.fingerprint);
  const found = stamp === undefined ? undefined : await listOutputs(placesOf(bound.outputs), state.files);
  const asRecorded = stamp !== undefined && found !== undefined && encodeListing(found) === stamp.outputs;
  // The record may come from a foreign cache, so the listing must also be one that this task can make.
  if (asRecorded && isSound(found, bound.outputs))
    return { ...assessment, kind: "fresh", stamp, outputs: found };
  const isElsewhere = state.stamps.deferred(bound.id)?.fingerprint === assessment.fingerprint;
  const because: readonly Reason[] = forced
    ? [{ kind: "forced" }]
    : isElsewhere
      ? [{ kind: "outputs-elsewhere" }]
      : state.stamps.currentFingerprint(bound.id) === assessment.fingerprint
        ? []
        : await explainParts(bound, state.stamps.last(bound.id), assessment, context);
  if (stamp === undefined || found === undefined) return { ...assessment, kind: "run", reasons: because };

  const wanted = decodeListing(stamp.outputs);
  if (wanted === undefined || !isSound(wanted, bound.outputs)) {
    const reasons: readonly Reason[] = because.length === 0 ? [{ kind: "store-damaged" }] : because;
    return { ...assessment, kind: "run", reasons };
  }
  // Readers of a reason know the paths, not the task's names for them.
  const show = (name: string): string => displayPath(state.workspace, pathIn(placesOf(bound.outputs), name));
  const differences = compareListings(wanted, found);
  const seen = differences.map(({ path, change }) => outputReason(show(path), change));
  const reasons = because.length === 0 ? seen : because;
  // A sparse output is made as quickly as it would be restored.
  if (bound.outputs.some(({ sparse }) => sparse)) return { ...assessment, kind: "run", reasons };
  const gone = firstNotStored(wanted, state.store);
  if (gone === undefined) return { ...assessment, kind: "restore", stamp, outputs: wanted, reasons };
  if (isElsewhere) return { ...assessment, kind: "run", reasons };
  return {
    ...assessment,
    kind: "run",
    reasons: [...reasons, { kind: "store-incomplete", path: show(gone) }],
  };
}

function outputReason(path: string, change: ListingChange["change"]): Reason {
  switch (change) {
    case "removed":
      return { kind: "output-missing", path };
    case "added":
      return { kind: "output-unexpected", path };
    case "changed":
    case "mode changed":
    case "type changed":
      return { kind: "output-edited", path };
  }
}
