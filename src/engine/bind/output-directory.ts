/** Where a task's outputs in the cache lie. */
import path from "node:path";
import type { Task } from "../define/declared-task.ts";
import { directoryName } from "../define/names.ts";

/** The task's own directory below `outputRoot` (absolute); tasks that all variants share have one for all. */
export function outputDirectory(
  outputRoot: string,
  task: Pick<Task, "name" | "variants">,
  variant: string,
): string {
  return path.join(outputRoot, task.variants === "shared" ? "shared" : variant, directoryName(task.name));
}
