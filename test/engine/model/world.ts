/**
 * One workspace that is edited and built step by step, and the model of what each build has to do. The model looks at
 * the disk with a walker of its own and remembers results by everything that went into them; it shares nothing with
 * the engine but the tasks' own pure function.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  type AbsolutePath,
  type BuildEvent,
  build,
  type CodeIndex,
  type Digest,
  forecast,
  ParameterValues,
  State,
  type Task,
  taskfile,
  type Workspace,
} from "../../../src/engine/index.ts";
import { applyEdit, type Edit } from "./edit.ts";
import {
  commonNames,
  encodeSeen,
  evaluate,
  type Recipe,
  type Seen,
  type Steering,
  slotPath,
  tasksOf,
} from "./recipe.ts";
import { encodeTree, readTree, type Tree, writeTree } from "./tree.ts";

/** Memory where there is some: thousands of small trees are made and removed. */
const scratch = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

export interface Step {
  readonly edits: readonly Edit[];
  readonly variant: string;
  readonly parameter: { readonly name: string; readonly value: string } | undefined;
  readonly secret: string;
  readonly env: string | undefined;
  readonly code: string;
  /** Which tasks are asked for, as a bit for each; none stands for all. */
  readonly targets: number;
  readonly jobs: number;
  readonly keepGoing: boolean;
  readonly trouble:
    | { readonly kind: "none" }
    | { readonly kind: "fail"; readonly task: number; readonly how: "early" | "late" | "stray" | "missing" }
    | { readonly kind: "interrupt"; readonly task: number; readonly when: "begin" | "written" | "event" }
    | { readonly kind: "edit meanwhile"; readonly task: number };
  /** The clock that the engine is given is this many milliseconds ahead: files look long settled. */
  readonly ahead: number;
}

type Verdict = "fresh" | "restore" | "run" | "fail" | "blocked";

interface Expected {
  readonly verdict: Verdict;
  /** Everything that goes into the result; undefined where it cannot be known. */
  readonly key: string | undefined;
  readonly outputs: readonly Tree[] | undefined;
}

export class World {
  readonly root: AbsolutePath;
  readonly #probe: string;
  readonly #recipes: readonly Recipe[];
  readonly #tasks: readonly Task[];
  readonly #known = new Map<string, readonly Tree[]>();
  readonly #history: Tree[] = [];
  readonly #given = new Map<string, string>();
  #steering: Steering = { at: () => {}, failure: () => undefined };

  constructor(recipes: readonly Recipe[]) {
    this.root = mkdtempSync(path.join(scratch, "model test ")) as AbsolutePath;
    this.#probe = `${this.root}.probe`;
    this.#recipes = recipes;
    this.#tasks = tasksOf(recipes, () => this.#steering);
    mkdirSync(path.join(this.root, "in"));
    for (const name of commonNames)
      writeTree(
        this.root,
        new Map([[`common/${name}`, { kind: "file", executable: false, text: "common" }]]),
      );
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
    rmSync(this.#probe, { force: true });
  }

  async take(step: Step): Promise<void> {
    // The kernel's own time stamps must have moved on since the last build, or no rule could tell an edit from it.
    this.#waitForNextTimestamp();
    for (const edit of step.edits) applyEdit(edit, this.root, this.#recipes, this.#history);
    this.#history.push(readTree(path.join(this.root, "in")));
    if (step.parameter !== undefined) this.#given.set(step.parameter.name, step.parameter.value);
    this.#given.set("secret", step.secret);
    this.#waitForNextTimestamp();

    const targets = this.#targetsOf(step);
    const graph = this.#reach(targets, step.variant);
    const expected = this.#expect(graph, step);
    const before = this.#outputsOnDisk();
    await this.#checkForecast(step, targets, expected);
    const { events, outcome, called } = await this.#build(step, targets, this.root);
    this.#check(step, graph, expected, events, outcome, called, before);
    // A large graph takes long to build anew: what it should hold is known from the model, so a share is enough.
    if (graph.length > 6 && this.#history.length % 4 > 0) return;
    if (outcome === "succeeded" && step.trouble.kind !== "edit meanwhile")
      await this.#compareWithCleanBuild(step, targets, graph);
  }

  #targetsOf(step: Step): readonly number[] {
    const all = this.#recipes.map((_, index) => index);
    const chosen = all.filter((index) => (step.targets >> (index % 16)) % 2 === 1);
    return chosen.length === 0 ? all : chosen;
  }

  #needsOf(
    recipe: Recipe,
    variant: string,
  ): readonly { readonly index: number; readonly applies: boolean }[] {
    return recipe.needs.map(({ index, onlyIn }) => ({
      index,
      applies: onlyIn === undefined || onlyIn === variant,
    }));
  }

  #reach(targets: readonly number[], variant: string): readonly number[] {
    const reached = new Set<number>();
    const visit = (index: number): void => {
      const recipe = this.#recipes[index];
      if (recipe === undefined || reached.has(index)) return;
      reached.add(index);
      for (const need of this.#needsOf(recipe, variant)) if (need.applies) visit(need.index);
    };
    for (const target of targets) visit(target);
    return [...reached].sort((a, b) => a - b);
  }

  #expect(graph: readonly number[], step: Step): ReadonlyMap<number, Expected> {
    const expected = new Map<number, Expected>();
    for (const index of graph) expected.set(index, this.#expectOne(index, expected, step));
    return expected;
  }

  #expectOne(index: number, earlier: ReadonlyMap<number, Expected>, step: Step): Expected {
    const recipe = this.#recipe(index);
    const needs: Record<string, readonly Tree[] | undefined> = {};
    for (const need of this.#needsOf(recipe, step.variant)) {
      const outputs = need.applies ? earlier.get(need.index)?.outputs : undefined;
      if (need.applies && outputs === undefined)
        return { verdict: "blocked", key: undefined, outputs: undefined };
      needs[`n${need.index}`] = outputs;
    }
    const common =
      recipe.common === undefined
        ? undefined
        : readTree(path.join(this.root, "common", recipe.common.name)).get("");
    if (recipe.common !== undefined && recipe.common.how !== "optional" && common === undefined) {
      return { verdict: "fail", key: undefined, outputs: undefined };
    }
    const text = common?.kind === "file" ? common.text : undefined;
    const seen: Seen = {
      own: this.#ownInputs(recipe),
      common: recipe.common?.how === "first letter" ? text?.slice(0, 1) : text,
      parameter: recipe.parameter === undefined ? undefined : (this.#given.get(recipe.parameter) ?? "0"),
      secret: recipe.secret ? step.secret : undefined,
      env: recipe.env ? step.env : undefined,
      variant: recipe.shared ? undefined : step.variant,
      needs,
    };
    const key = `${recipe.name} ${step.code} ${encodeSeen(seen)}`;
    const known = this.#known.get(key);
    const failing = step.trouble.kind === "fail" && step.trouble.task % this.#recipes.length === index;
    if (known !== undefined) {
      const same = known.every(
        (tree, slot) => encodeTree(tree) === encodeTree(this.#outputOnDisk(recipe, slot, step.variant)),
      );
      return { verdict: same ? "fresh" : "restore", key, outputs: known };
    }
    // A directory always exists, so that a task which writes nothing into it has still made it.
    const harmless =
      step.trouble.kind === "fail" && step.trouble.how === "missing" && recipe.slots.at(-1) === "directory";
    if (failing && !harmless) return { verdict: "fail", key, outputs: undefined };
    return { verdict: "run", key, outputs: evaluate(recipe, seen) };
  }

  #ownInputs(recipe: Recipe): Tree {
    const all = [...readTree(path.join(this.root, "in", recipe.name))];
    return new Map(
      all.filter(([name, node]) => {
        if (node.kind === "directory" || name.endsWith(".skip")) return false;
        return recipe.layout !== "braces" || /^[a-d][^/]*$/.test(name) || name.startsWith("x/");
      }),
    );
  }

  async #checkForecast(
    step: Step,
    targets: readonly number[],
    expected: ReadonlyMap<number, Expected>,
  ): Promise<void> {
    const blocked = [...expected.values()].some(
      ({ verdict, key }) => verdict === "fail" && key === undefined,
    );
    if (step.jobs !== 2 || blocked) return;
    const before = this.#stateFiles();
    const workspace = this.#workspace(this.root, step);
    const forecasts = await forecast(workspace, {
      targets: this.#tasksAt(targets),
      variant: step.variant,
      values: this.#values(this.root, step),
      force: new Set(),
    });
    if (this.#stateFiles() !== before) throw new Error("a forecast wrote something");
    for (const { id, verdict } of forecasts) {
      const truth = expected.get(this.#indexOf(id))?.verdict;
      if (verdict !== "maybe" && verdict !== (truth === "fail" ? "run" : truth)) {
        throw new Error(`the forecast for ${id} is ${verdict}, but the model says ${truth}`);
      }
    }
  }

  #stateFiles(): string {
    return ["stamps.log", "files.log", "secret.key"]
      .map((name) => statSync(path.join(this.root, ".buildcache/v1", name), { throwIfNoEntry: false }))
      .map((status) => `${status?.size} ${status?.mtimeMs}`)
      .join();
  }

  async #build(step: Step, targets: readonly number[], root: AbsolutePath) {
    const events: BuildEvent[] = [];
    const called: string[] = [];
    const controller = new AbortController();
    const { trouble } = step;
    const troubled = trouble.kind === "none" ? "" : this.#recipe(trouble.task % this.#recipes.length).name;
    this.#steering = {
      at: (name, phase) => {
        if (phase === "begin") called.push(name);
        if (name !== troubled || root !== this.root) return;
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
        trouble.kind === "fail" && name === troubled && root === this.root ? trouble.how : undefined,
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
        if (trouble.kind !== "interrupt" || trouble.when !== "event" || root !== this.root) return;
        if ("task" in event && event.task?.split("@")[0] === troubled) controller.abort();
      },
    });
    return { events, outcome, called };
  }

  #check(
    step: Step,
    graph: readonly number[],
    expected: ReadonlyMap<number, Expected>,
    events: readonly BuildEvent[],
    outcome: string,
    called: readonly string[],
    before: ReadonlyMap<string, Tree>,
  ): void {
    const left = new Map(before);
    const started = new Set<string>();
    const settled = new Map<number, Verdict>();
    for (const event of events) {
      if (event.type === "task-started") started.add(event.task.split("@")[0] ?? "");
      const verdict = verdictOf(event);
      if (verdict === undefined || !("task" in event) || event.task === undefined) continue;
      const index = this.#indexOf(event.task);
      const wanted = expected.get(index);
      if (wanted?.verdict !== verdict) {
        throw new Error(
          `${event.task}: ${verdict}, but the model says ${wanted?.verdict}; ${describe(event)}`,
        );
      }
      if ("reasons" in event && event.reasons.length === 0)
        throw new Error(`${event.task}: ${verdict} without a reason`);
      if (settled.has(index)) throw new Error(`${event.task} came to an end twice`);
      settled.set(index, verdict);
      if (verdict === "fail" || verdict === "blocked" || wanted.outputs === undefined) continue;
      const recipe = this.#recipe(index);
      for (const [slot, tree] of wanted.outputs.entries())
        left.set(slotPath(recipe, slot, step.variant), tree);
      const moved = events.some(
        (other) =>
          other.type === "note" && other.task === event.task && other.message.includes("changed while"),
      );
      const meddled =
        step.trouble.kind === "edit meanwhile" &&
        step.trouble.task % this.#recipes.length === index &&
        verdict === "run";
      if (moved && !meddled) throw new Error(`${event.task}: an input is said to have changed, and none has`);
      if (wanted.key !== undefined && !moved) this.#known.set(wanted.key, wanted.outputs);
    }
    if (outcome === "succeeded" && settled.size !== graph.length)
      throw new Error("a task of the graph was not looked at");
    if (outcome === "failed" && step.keepGoing && settled.size !== graph.length)
      throw new Error("-k did not go on");
    if (outcome === "succeeded" && [...settled.values()].some((verdict) => verdict === "fail"))
      throw new Error("a failure went unnoticed");
    if (new Set(called).size !== called.length) throw new Error("a task ran twice");
    for (const name of called) if (!started.has(name)) throw new Error(`${name} ran and nobody was told`);
    this.#compareDisk(left);
    for (const rest of ["lock", "tmp"]) {
      const at = path.join(this.root, ".buildcache/v1", rest);
      if (statSync(at, { throwIfNoEntry: false }) && (rest === "lock" || readdirSync(at).length > 0))
        throw new Error(`${rest} is left`);
    }
  }

  #compareDisk(wanted: ReadonlyMap<string, Tree>): void {
    const found = this.#outputsOnDisk();
    for (const [name, tree] of wanted) {
      const now = encodeTree(found.get(name) ?? new Map());
      if (now !== encodeTree(tree)) throw new Error(`${name} is ${now}, but should be ${encodeTree(tree)}`);
    }
  }

  async #compareWithCleanBuild(
    step: Step,
    targets: readonly number[],
    graph: readonly number[],
  ): Promise<void> {
    const root = mkdtempSync(path.join(scratch, "model clean ")) as AbsolutePath;
    try {
      for (const part of ["in", "common"])
        writeTree(path.join(root, part), readTree(path.join(this.root, part)));
      const { outcome } = await this.#build({ ...step, trouble: { kind: "none" } }, targets, root);
      if (outcome !== "succeeded") throw new Error(`the clean build ${outcome}`);
      for (const index of graph) {
        const recipe = this.#recipe(index);
        for (const slot of recipe.slots.keys()) {
          const name = slotPath(recipe, slot, step.variant);
          const clean = encodeTree(readTree(path.join(root, name)));
          const here = encodeTree(readTree(path.join(this.root, name)));
          if (clean !== here)
            throw new Error(`${name}: a clean build makes ${clean}, this workspace has ${here}`);
        }
      }
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  }

  #outputOnDisk(recipe: Recipe, slot: number, variant: string): Tree {
    return readTree(path.join(this.root, slotPath(recipe, slot, variant)));
  }

  #outputsOnDisk(): ReadonlyMap<string, Tree> {
    const found = new Map<string, Tree>();
    for (const recipe of this.#recipes) {
      for (const slot of recipe.slots.keys()) {
        for (const variant of ["dev", "prod"]) {
          const name = slotPath(recipe, slot, variant);
          found.set(name, readTree(path.join(this.root, name)));
        }
      }
    }
    return found;
  }

  #workspace(root: AbsolutePath, step: Step): Workspace {
    const code: CodeIndex = {
      digestOf: () => step.code.padStart(64, "0") as Digest,
      modulesOf: () => [],
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

  #recipe(index: number): Recipe {
    const recipe = this.#recipes[index];
    if (recipe === undefined) throw new Error(`no recipe ${index}`);
    return recipe;
  }

  #indexOf(id: string): number {
    return Number(/^t(\d+)/.exec(id)?.[1]);
  }

  /** Ends when a file written now has a later time than one written before: some milliseconds at most. */
  #waitForNextTimestamp(): void {
    const stamp = (): bigint => {
      writeFileSync(this.#probe, readIfThere(this.#probe) === "a" ? "b" : "a");
      return statSync(this.#probe, { bigint: true }).ctimeNs;
    };
    const first = stamp();
    while (stamp() === first);
  }
}

function verdictOf(event: BuildEvent): Verdict | undefined {
  switch (event.type) {
    case "task-fresh":
      return "fresh";
    case "task-restored":
      return "restore";
    case "task-done":
      return "run";
    case "task-failed":
      return "fail";
    case "task-skipped":
      return "blocked";
    default:
      return undefined;
  }
}

function describe(event: BuildEvent): string {
  return event.type === "task-failed"
    ? String(event.error)
    : "reasons" in event
      ? JSON.stringify(event.reasons)
      : "";
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
