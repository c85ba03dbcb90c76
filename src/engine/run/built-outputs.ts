/** Outputs of earlier builds, as they are in the cache now: for commands that use what is there, in every variant. */
import path from "node:path";
import { outputDirectory } from "../bind/output-directory.ts";
import type { BuiltOutputs } from "../define/command.ts";
import type { OutputPaths, Outputs } from "../define/declared-output.ts";
import type { Task } from "../define/declared-task.ts";
import { absolutePath } from "../define/names.ts";
import { listOutputs } from "../state/output.ts";
import type { State } from "../state/state.ts";

/** Undefined where an output is missing. Throws an `Error` for an output that is an artifact or whose path is computed. */
export async function builtOutputs<O extends Outputs>(
  task: Task<O>,
  variant: string,
  state: State,
): Promise<BuiltOutputs<O> | undefined> {
  const directory = outputDirectory(state.outputRoot, task, variant);
  const places = new Map(
    Object.entries(task.outputs).map(([slot, output]) => {
      if (output.place !== "cache" || typeof output.path !== "string")
        throw new Error(`the output ${slot} of ${task.name} has no fixed path in the cache`);
      return [slot, absolutePath(path.join(directory, output.path))] as const;
    }),
  );
  const listing = await listOutputs(places, state.files);
  if ([...places.keys()].some((slot) => !listing.has(slot))) return undefined;
  const files = [...listing].flatMap(([name, entry]) => {
    if (entry.type !== "file") return [];
    const [slot = "", ...within] = name.split("/");
    const file = path.join(places.get(slot) ?? directory, ...within);
    return [[file, { size: entry.size, sha256: entry.digest }] as const];
  });
  // The slots are those of the definition.
  const paths = Object.fromEntries(places) as unknown as OutputPaths<O>;
  return { paths, files: new Map(files) };
}
