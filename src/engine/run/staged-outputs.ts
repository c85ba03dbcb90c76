/** A task's outputs while they are in its staging directory: made, checked, and put in their places. */
import { lstatSync, mkdirSync, readdirSync } from "node:fs";
import path from "node:path";
import { UserError } from "../../errors/index.ts";
import type { BoundTask } from "../bind/bound-task.ts";
import { absolutePath } from "../define/names.ts";
import type { Listing } from "../files/listing.ts";
import { escapingLink } from "../state/listing-rules.ts";
import { normalizeStaged, type OutputPlaces } from "../state/output.ts";
import type { State } from "../state/state.ts";
import { placeOutput } from "./placement.ts";
import type { StagingArea } from "./staging.ts";
import type { KnownPlace } from "./system-failure.ts";

/** The path of each output in the staging directory. */
export function stagedPlaces(bound: BoundTask, { staging }: StagingArea): OutputPlaces {
  return new Map(bound.outputs.map((output) => [output.slot, absolutePath(path.join(staging, output.slot))]));
}

/** The same, with the directories made that the task writes to. */
export function makePlaces(bound: BoundTask, area: StagingArea): OutputPlaces {
  const places = stagedPlaces(bound, area);
  for (const output of bound.outputs) {
    if (output.kind === "directory") mkdirSync(path.join(area.staging, output.slot));
  }
  return places;
}

/** Checks that the declared outputs were made, gives them their modes, and returns the inodes that were linked into them. */
export function checkStaged(
  bound: BoundTask,
  { staging }: StagingArea,
  places: OutputPlaces,
  state: State,
): ReadonlySet<bigint> {
  const unlinked = new Set<bigint>();
  for (const name of readdirSync(staging)) {
    if (!places.has(name)) {
      throw new UserError(`${bound.task.name} wrote ${name}, which is not a declared output`, {
        code: "output-undeclared",
        hint: "write intermediate files to the scratch directory, or declare the output",
      });
    }
  }
  for (const output of bound.outputs) {
    const staged = path.join(staging, output.slot);
    const status = lstatSync(staged, { throwIfNoEntry: false });
    const right = output.kind === "directory" ? status?.isDirectory() : status?.isFile();
    if (right !== true) {
      throw new UserError(
        `${bound.task.name} did not create its declared output "${output.slot}" (a ${output.kind})`,
        {
          code: "output-not-made",
          hint: "make the task's `run` function write every declared output",
        },
      );
    }
    normalizeStaged(staged, {
      private: output.private,
      isDone: (file) => !output.private && state.concatenator.wrote(file),
      onUnlinked: (inode) => unlinked.add(inode),
    });
    // Entries that were cached before the modes changed are stale.
    if (output.private) state.files.forgetBelow(absolutePath(staged));
  }
  return unlinked;
}

/** Refuses links that leave their output: their targets would not be restored, and dependents would read undeclared files. */
export function refuseEscapingLink(outputs: Listing, bound: BoundTask): void {
  const link = escapingLink(outputs);
  if (link === undefined) return;
  throw new UserError(`the link ${link} in an output of ${bound.task.name} leaves the output`, {
    code: "output-link",
    hint: "make its target relative and inside the output, copy the target, or pack it into an archive",
  });
}

/** Maps a path in the task's staging directory to its final place. */
export function placeIn(bound: BoundTask, { staging }: StagingArea): KnownPlace {
  return (staged) => {
    const [slot = "", ...rest] = path.relative(staging, staged).split("/");
    const output = bound.outputs.find((one) => one.slot === slot);
    return output === undefined ? undefined : path.join(output.path, ...rest);
  };
}

/** Moves the staged outputs to their places; what they replace goes to the directory `replaced`. */
export async function placeOutputs(
  bound: BoundTask,
  staged: OutputPlaces,
  replaced: string,
  state: State,
): Promise<void> {
  for (const output of bound.outputs) {
    const from = staged.get(output.slot);
    if (from !== undefined) await placeOutput(from, output, replaced, state.outputRoot);
  }
  for (const output of bound.outputs) {
    if (output.kind === "directory") state.files.forgetBelow(output.path);
    else state.files.forget(output.path);
  }
}
