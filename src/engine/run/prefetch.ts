/**
 * Work that a task may begin while its needs still run, such as downloads into the store. It makes no outputs and
 * decides nothing: without it a build takes longer and comes to the same. It does not know when needs run.
 */
import { mkdir } from "node:fs/promises";
import path from "node:path";
import type { BoundTask } from "../bind/bound-task.ts";
import { resolveInputs } from "../decide/assessment.ts";
import { directoryName, type TaskId } from "../define/names.ts";
import { removeTree } from "../files/tree-removal.ts";
import { Capture } from "./capture.ts";
import { KeptOutput } from "./kept-output.ts";
import { type ExecutionContext, prefetchContext } from "./task-context.ts";

export class Prefetches {
  readonly #ended = new AbortController();
  readonly #begun = new Map<TaskId, Promise<void>>();

  /** Begins a task's prefetch, where it has one and has not begun. */
  begin(bound: BoundTask, context: ExecutionContext): void {
    const { prefetch } = bound.task;
    if (prefetch === undefined || this.#begun.has(bound.id)) return;
    const signal = AbortSignal.any([context.signal, this.#ended.signal]);
    const directory = path.join(
      context.state.temporaryRoot,
      `${directoryName(bound.id)}-early-${process.pid}`,
    );
    const work = async (): Promise<void> => {
      try {
        const scratch = path.join(directory, "scratch");
        await mkdir(scratch, { recursive: true });
        const inputs = await resolveInputs(bound, context.state);
        const capture = new Capture(bound, () => {}, new KeptOutput(0));
        // What it prints, and what goes wrong, is the task's own business when it runs.
        const owner = { name: bound.task.name, print: () => {} };
        await context.running.run(owner, { ...context, signal }, () =>
          prefetch(prefetchContext(bound, inputs, scratch, capture, { ...context, signal })),
        );
      } catch {
        // Whatever it was, the task itself meets it again, and reports it where it belongs.
      } finally {
        await removeTree(directory);
      }
    };
    this.#begun.set(bound.id, work());
  }

  /** Resolves when a task's prefetch is over, be it because there was none. */
  async over(id: TaskId): Promise<void> {
    await this.#begun.get(id);
  }

  /** Gives up those that are still at work. */
  async end(): Promise<void> {
    this.#ended.abort(new Error("the build is over"));
    await Promise.all(this.#begun.values());
  }
}
