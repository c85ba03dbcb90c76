/** What each task of a build printed in its last run, of bounded size. */
import { type BuildEvent, KeptOutput, type TaskId } from "../../engine/index.ts";

export class TaskOutputs {
  readonly #outputs = new Map<TaskId, KeptOutput>();
  readonly #keptBytes: number;

  /** @param keptBytes bytes kept of each task's output. */
  constructor(keptBytes: number) {
    this.#keptBytes = keptBytes;
  }

  /** Adds output, and drops that of an earlier run. */
  onEvent(event: BuildEvent): void {
    if (event.type === "task-started" || event.type === "task-outdated") this.#outputs.delete(event.task);
    if (event.type === "task-output") this.#add(event.task, event.text);
  }

  /** Replaces a task's output by that of a run that sent no events. */
  replace(task: TaskId, text: string): void {
    this.#outputs.delete(task);
    this.#add(task, text);
  }

  /** The output of a task; undefined if it printed nothing. */
  of(task: TaskId): string | undefined {
    return this.#outputs.get(task)?.text;
  }

  /** Tasks that printed something, with their output, in the order of the first piece. */
  *all(): IterableIterator<readonly [TaskId, string]> {
    for (const [task, { text }] of this.#outputs) yield [task, text];
  }

  #add(task: TaskId, text: string): void {
    const kept = this.#outputs.get(task) ?? new KeptOutput(this.#keptBytes);
    this.#outputs.set(task, kept);
    kept.add(text);
  }
}
