/** The tasks that a build makes for the targets that the user named. */
import type { ParameterValues, Task, Taskfile } from "../../engine/index.ts";

/** The named tasks, and those that come with them. */
export async function wantedTasks(
  asked: readonly Task[],
  { alsoBuilds = [] }: Taskfile,
  values: ParameterValues,
): Promise<readonly Task[]> {
  const tasks = [...asked];
  for (const [task, brings, wanted] of alsoBuilds) {
    if (!asked.includes(task)) continue;
    if (wanted === undefined || (await values.get(wanted))) tasks.push(brings);
  }
  return tasks;
}
