/** Builds of a workspace with the engine, as the step asks for them; the steering makes happen what is to go wrong. */
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
import { type Recipe, type Steering, tasksOf } from "./recipe.ts";
import type { Step } from "./step.ts";

export class Builder {
  readonly #root: AbsolutePath;
  readonly #recipes: readonly Recipe[];
  readonly #tasks: readonly Task[];
  readonly #given: ReadonlyMap<string, string>;
  #steering: Steering = { at: () => {}, failure: () => undefined };

  /** Only in the workspace `root` something goes wrong; a clean build elsewhere is left alone. */
  constructor(root: AbsolutePath, recipes: readonly Recipe[], given: ReadonlyMap<string, string>) {
    this.#root = root;
    this.#recipes = recipes;
    this.#given = given;
    this.#tasks = tasksOf(recipes, () => this.#steering);
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
    const controller = new AbortController();
    const { trouble } = step;
    const troubled = trouble.kind === "none" ? "" : this.#recipes[trouble.task % this.#recipes.length]?.name;
    this.#steering = {
      at: (name, phase) => {
        if (phase === "begin") called.push(name);
        if (name !== troubled || root !== this.#root) return;
        if (trouble.kind === "interrupt" && trouble.when === phase) controller.abort();
        if (trouble.kind === "edit meanwhile" && phase === "written") {
          applyEdit(
            { kind: "write", task: trouble.task, file: 0, value: events.length % 7 },
            root,
            this.#recipes,
            [],
          );
        }
      },
      failure: (name) =>
        trouble.kind === "fail" && name === troubled && root === this.#root ? trouble.how : undefined,
    };
    const { outcome } = await build(this.#workspace(root, step), {
      targets: this.#tasksAt(targets),
      variant: step.variant,
      values: this.#values(root, step),
      force: new Set(),
      keepGoing: step.keepGoing,
      jobs: step.jobs,
      command: "test",
      signal: controller.signal,
      onEvent: (event) => {
        events.push(event);
        if (trouble.kind !== "interrupt" || trouble.when !== "event" || root !== this.#root) return;
        if ("task" in event && event.task?.split("@")[0] === troubled) controller.abort();
      },
    });
    return { events, outcome, called };
  }

  #workspace(root: AbsolutePath, step: Step): Workspace {
    const code: CodeIndex = {
      digestOf: () => step.code.padStart(64, "0") as Digest,
      modulesOf: () => [],
      sourcesOf: () => [],
      sources: [],
      locate: () => "?",
    };
    return {
      taskfile: taskfile({
        title: "",
        targets: this.#tasks,
        variants: { dev: { description: "", flags: [] }, prod: { description: "", flags: [] } },
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
