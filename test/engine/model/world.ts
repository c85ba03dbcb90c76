/**
 * One workspace that is edited and built step by step, and held against the model of what each build has to do. The
 * model looks at the disk with a walker of its own.
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
import type { AbsolutePath } from "../../../src/engine/index.ts";
import { Builder, outputLimit } from "./builder.ts";
import { applyEdit } from "./edit.ts";
import { type Expected, Model } from "./model.ts";
import { Outputs } from "./outputs.ts";
import { commonNames, type Recipe, slotPath } from "./recipe.ts";
import { readSource, saveSource } from "./source.ts";
import type { Step } from "./step.ts";
import { encodeTree, readTree, type Tree, writeTree } from "./tree.ts";
import type { Trouble } from "./trouble.ts";
import { checkAccount, indexOf } from "./verdict.ts";

/** Memory where there is some: thousands of small trees are made and removed. */
const scratch = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

export class World {
  readonly root: AbsolutePath;
  readonly #probe: string;
  readonly #recipes: readonly Recipe[];
  readonly #history: Tree[] = [];
  readonly #given = new Map<string, string>();
  readonly #outputs: Outputs;
  readonly #model: Model;
  readonly #builder: Builder;

  constructor(recipes: readonly Recipe[]) {
    this.root = mkdtempSync(path.join(scratch, "model test ")) as AbsolutePath;
    this.#probe = `${this.root}.probe`;
    this.#recipes = recipes;
    this.#outputs = new Outputs(this.root, recipes);
    this.#model = new Model(this.root, recipes, this.#outputs, this.#given);
    this.#builder = new Builder(this.root, recipes, this.#given);
    mkdirSync(path.join(this.root, "in"));
    saveSource(this.root, "1");
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
    if (step.code !== undefined) saveSource(this.root, step.code);
    this.#waitForNextTimestamp();

    const targets = this.#targetsOf(step);
    const graph = this.#model.reach(targets, step.variant);
    const expected = this.#model.expect(graph, step, readSource(this.root));
    const before = this.#outputs.all();
    await this.#checkForecast(step, targets, expected);
    const account = await this.#builder.build(step, targets, this.root);
    const { outputs, results } = checkAccount(step, this.#recipes, expected, account);
    for (const [key, trees] of results) this.#model.learn(key, trees);
    this.#outputs.compare(new Map([...before, ...outputs]));
    this.#checkNothingIsLeft();
    this.#checkKeptOutput();
    // A large graph takes long to build anew: what it should hold is known from the model, so a share is enough.
    if (graph.length > 6 && this.#history.length % 4 > 0) return;
    if (account.outcome === "succeeded" && !changesSources(step.trouble))
      await this.#compareWithCleanBuild(step, targets, graph);
  }

  #targetsOf(step: Step): readonly number[] {
    const all = this.#recipes.map((_, index) => index);
    const chosen = all.filter((index) => (step.targets >> (index % 16)) % 2 === 1);
    return chosen.length === 0 ? all : chosen;
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
    const forecasts = await this.#builder.forecast(step, targets);
    if (this.#stateFiles() !== before) throw new Error("a forecast wrote something");
    for (const { id, verdict } of forecasts) {
      const truth = expected.get(indexOf(id))?.verdict;
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

  #checkNothingIsLeft(): void {
    for (const rest of ["lock", "tmp"]) {
      const at = path.join(this.root, ".buildcache/v1", rest);
      if (statSync(at, { throwIfNoEntry: false }) && (rest === "lock" || readdirSync(at).length > 0))
        throw new Error(`${rest} is left`);
    }
  }

  /** Nothing in the store is larger than what is kept of a task's output; outputs themselves are small. */
  #checkKeptOutput(): void {
    const store = path.join(this.root, ".buildcache/v1/store");
    if (!existsSync(store)) return;
    for (const name of readdirSync(store, { recursive: true, encoding: "utf8" })) {
      const { size } = statSync(path.join(store, name));
      if (size > 2 * outputLimit) throw new Error(`${size} bytes are kept in ${name}`);
    }
  }

  async #compareWithCleanBuild(
    step: Step,
    targets: readonly number[],
    graph: readonly number[],
  ): Promise<void> {
    const root = mkdtempSync(path.join(scratch, "model clean ")) as AbsolutePath;
    try {
      for (const part of ["in", "common", "code"])
        writeTree(path.join(root, part), readTree(path.join(this.root, part)));
      const { outcome } = await this.#builder.build({ ...step, trouble: { kind: "none" } }, targets, root);
      if (outcome !== "succeeded") throw new Error(`the clean build ${outcome}`);
      for (const recipe of graph.flatMap((index) => this.#recipes[index] ?? [])) {
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

/** Whether a build's result may be older than what the workspace now holds. */
function changesSources({ kind }: Trouble): boolean {
  return kind === "edit meanwhile" || kind === "save source";
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
