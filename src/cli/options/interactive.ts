/** Refuses tasks that need the terminal where the program itself uses it. */
import { type Target, tasksOf } from "../../engine/index.ts";
import { UsageError } from "../../errors/index.ts";
import type { Request } from "./command-line.ts";

/**
 * Throws `UsageError` when a target, or a task that it may need, is interactive and something else would use the terminal at the
 * same time: the keys of a watch, or the events of `--json`.
 */
export function refuseInteractive(
  { watch, json }: Pick<Request, "watch" | "json">,
  targets: readonly Target[],
): void {
  if (!watch && !json) return;
  const task = tasksOf(targets).find(({ interactive }) => interactive);
  if (task === undefined) return;
  throw new UsageError(
    `${task.name} is interactive: its commands need the terminal, which ${watch ? "a watch" : "--json"} uses itself`,
    { code: "task-interactive", hint: `omit ${watch ? "-w" : "--json"}` },
  );
}
