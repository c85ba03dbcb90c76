/** Builds of a workspace with the engine, as the step asks for them; the steering makes happen what is to go wrong. */
import { createHash } from "node:crypto";
import {
  type AbsolutePath,
  type BuildEvent,
  build,
  type CodeIndex,
  type Digest,
  type Forecast,
  forecast,
  ParameterValues,
  State,
  type Task,
  taskfile,
  type Workspace,
} from "../../../src/engine/index.ts";
import { applyEdit } from "./edit.ts";
import type { Recipe } from "./recipe.ts";
import type { Steering } from "./running-task.ts";
import { readSource, saveSource, sourceOf } from "./source.ts";
import type { Step } from "./step.ts";
import { tasksOf } from "./tasks.ts";
import { misconductIn, type Phase } from "./trouble.ts";

/** Bytes that are kept of what a task prints. */
export const outputLimit = 64 * 1024;

export const lateError = "thrown after the task returned";

export class Builder {
  readonly #root: AbsolutePath;
  readonly #recipes: readonly Recipe[];
  readonly #tasks: readonly Task[];
  readonly #given: ReadonlyMap<string, string>;
  #steering: Steering | undefined;

  /** Only in the workspace `root` something goes wrong; a clean build elsewhere is left alone. */
  constructor(root: AbsolutePath, recipes: readonly Recipe[], given: ReadonlyMap<string, string>) {
    this.#root = root;
    this.#recipes = recipes;
    this.#given = given;
    this.#tasks = tasksOf(recipes, () => {
      if (this.#steering === undefined) throw new Error("a task runs and nothing is built");
      return this.#steering;
    });
  }

  forecast(step: Step, targets: readonly number[]): Promise<readonly Forecast[]> {
    return forecast(this.#workspace(this.#root, step), {
      targets: this.#tasksAt(targets),
      variant: step.variant,
      values: this.#values(this.#root, step),
      force: new Set(),
    });
  }

  async build(step: Step, targets: readonly number[], root: AbsolutePath) {
    const events: BuildEvent[] = [];
    const called: string[] = [];
    const stop = new AbortController();
    const hurry = new AbortController();
    const over = new AbortController();
    const trouble = root === this.#root ? step.trouble : ({ kind: "none" } as const);
    const troubled = trouble.kind === "none" ? "" : this.#recipes[trouble.task % this.#recipes.length]?.name;
    const workspace = this.#workspace(root, step);
    const saveOther = (): void => saveSource(root, `${Number(readSource(root)) + 1}`);
    const act = (phase: Phase): void => {
      if (!("when" in trouble) || trouble.when !== phase) return;
      if (trouble.kind === "interrupt") stop.abort();
      if (trouble.kind === "save source") saveOther();
      if (trouble.kind === "edit meanwhile") {
        const value = events.length % 7;
        applyEdit({ kind: "write", task: trouble.task, file: 0, value }, root, this.#recipes, []);
      }
    };
    this.#steering = {
      code: readSource(root),
      at: (name, phase) => {
        if (phase === "begin") called.push(name);
        if (name === troubled) act(phase);
      },
      misconduct: (name) => (name === troubled ? misconductIn(trouble) : undefined),
      hang: () => {
        setTimeout(() => tellEngine("beforeExit", 0), 1);
        return new Promise(() => {});
      },
      ignoreSignals: () => {
        stop.abort();
        hurry.abort();
        return new Promise((resolve) => over.signal.addEventListener("abort", () => resolve()));
      },
      throwLater: () => {
        const wait = (turns: number): void => {
          if (turns > 0) setImmediate(wait, turns - 1);
          else process.nextTick(() => tellEngine("uncaughtException", new Error(lateError)));
        };
        wait(trouble.kind === "throw later" ? trouble.turns : 0);
      },
    };
    const tellEngine = listenersAddedFromNow();
    if (trouble.kind === "save source" && trouble.when === "compiled") saveOther();
    const { outcome } = await build(workspace, {
      targets: this.#tasksAt(targets),
      variant: step.variant,
      values: this.#values(root, step),
      force: new Set(),
      keepGoing: step.keepGoing,
      jobs: step.jobs,
      command: "test",
      signal: stop.signal,
      hurry: hurry.signal,
      onEvent: (event) => {
        events.push(event);
        if (trouble.kind !== "interrupt" || trouble.when !== "event") return;
        if ("task" in event && event.task?.split("@")[0] === troubled) stop.abort();
      },
    });
    over.abort();
    return { events, outcome, called };
  }

  #workspace(root: AbsolutePath, step: Step): Workspace {
    const digest = createHash("sha256").update(readSource(root)).digest("hex") as Digest;
    const sources = [[sourceOf(root), digest]] as const;
    const code: CodeIndex = {
      digestOf: () => digest,
      modulesOf: () => [],
      sourcesOf: () => sources,
      sources: [],
      locate: () => "?",
    };
    return {
      taskfile: taskfile({
        title: "",
        targets: this.#tasks,
        variants: { dev: { description: "", flags: [] }, prod: { description: "", flags: [] } },
        output: { maxSize: outputLimit },
      }),
      state: new State(root, { now: () => Date.now() + step.ahead }),
      code,
      toolHint: () => undefined,
      env: { MODEL: step.env },
    };
  }

  #values(root: AbsolutePath, step: Step): ParameterValues {
    return new ParameterValues(this.#given, { root, env: {}, variant: step.variant, note: () => {} });
  }

  #tasksAt(indices: readonly number[]): readonly Task[] {
    return indices.flatMap((index) => this.#tasks[index] ?? []);
  }
}

/**
 * Calls the listener that a build added to the process since. That stands in for the real event, which the test runner hears
 * too and would take for a failure of its own. Nothing happens when the build has removed its listener.
 */
function listenersAddedFromNow(): (event: "beforeExit" | "uncaughtException", about: unknown) => void {
  const before = new Set<unknown>(
    (["beforeExit", "uncaughtException"] as const).flatMap((event) => process.rawListeners(event)),
  );
  return (event, about) => {
    const last = process.rawListeners(event).at(-1);
    if (last !== undefined && !before.has(last)) last.call(process, about);
  };
}
