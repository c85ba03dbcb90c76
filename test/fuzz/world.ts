/** One random workspace and what happens to it, step by step; after each step it must be what a clean build makes. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect } from "vitest";
import { engine, invoke, type Outcome, Trouble } from "./invocation.ts";
import { cacheDirectory, Place } from "./place.ts";
import { Random } from "./random.ts";
import { libraryText, type Recipe, randomRecipe, taskfileText } from "./recipe.ts";

/** What happens while the command runs; `plain` is nothing, `compile` saves a source while it is being compiled. */
const scenarios = [
  ...["plain", "plain", "plain", "plain", "plain", "kill", "interrupt", "edit", "source", "second", "tamper"],
  ...["fail", "huge", "hang", "late", "deaf", "compile"],
] as const;

/** Memory where there is some: many small files are written and removed. */
const scratch = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

/** Milliseconds within which two writes may leave the same times. */
const clockGrain = 2000;

interface Request {
  readonly variant: "dev" | "prod";
  readonly words: readonly string[];
}

export class World {
  readonly #home: string;
  readonly #recipe: Recipe;
  readonly #random: Random;
  readonly #place: Place;
  readonly #trouble: Trouble;
  /** Outputs of clean builds, by sources and request. */
  readonly #clean = new Map<string, Promise<readonly string[]>>();
  readonly history: string[] = [];

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.#recipe = randomRecipe(this.#random);
    this.#home = mkdtempSync(path.join(scratch, "fuzz test "));
    const root = path.join(this.#home, "work space");
    this.#place = new Place(root, this.#recipe, this.#random);
    this.#trouble = new Trouble(path.join(this.#home, "trouble"));
    mkdirSync(path.join(root, "tasks"), { recursive: true });
    mkdirSync(path.join(root, "in"));
    writeFileSync(path.join(root, "tasks/library.ts"), libraryText("0"));
    writeFileSync(path.join(root, "Taskfile.ts"), taskfileText(this.#recipe, engine, root));
  }

  remove(): void {
    rmSync(this.#home, { recursive: true, force: true });
  }

  async step(): Promise<void> {
    const random = this.#random;
    this.history.push("---");
    if (random.chance(0.06)) await this.#settle();
    for (let count = random.below(3); count > 0; count -= 1) this.#say(this.#place.edit());
    if (random.chance(0.07)) this.#say(this.#place.editLibrary());
    const request = this.#request();
    if (random.chance(0.2)) this.#say(this.#place.tamperOutput(request.variant));
    if (random.chance(0.2)) this.#say(this.#place.damageCache());
    const scenario = random.pick(scenarios);
    this.#say(`${scenario} ${request.words.join(" ")}`);
    const outcome = scenario === "plain" ? undefined : await this.#play(scenario, request);
    this.#trouble.clear();
    await this.#check(request, outcome);
  }

  /** Files that are older than the clock's grain are believed by their status: what is remembered of them takes part, too. */
  async #settle(): Promise<void> {
    this.#say("settle");
    for (let round = 0; round < 2; round += 1) {
      await new Promise((resolve) => setTimeout(resolve, clockGrain + 100));
      const words = ["all", "--dev"];
      this.#expectStatus(await invoke(this.#place.root, words, this.#trouble.directory).done, 0, "settling");
    }
  }

  #say(what: string): void {
    this.history.push(what);
  }

  #request(): Request {
    const random = this.#random;
    const variant = random.chance(0.75) ? "dev" : "prod";
    const word = random.chance(0.7) ? [] : ["--word", random.pick(["one", "two"])];
    const how = random.pick([[], [], [], ["-j", "1"], ["-k"], ["-f"]]);
    return { variant, words: ["all", `--${variant}`, ...word, ...how] };
  }

  /** A build in which something happens while a task runs, when that task runs at all. */
  async #play(scenario: string, request: Request): Promise<Outcome> {
    const random = this.#random;
    const trouble = this.#trouble;
    const task = random.pick([...this.#recipe.tasks.map(({ name }) => name), "all"]);
    const start = () => invoke(this.#place.root, request.words, trouble.directory);
    if (["fail", "huge", "late", "hang"].includes(scenario)) {
      trouble.set(task, scenario);
      // What hangs waits for nothing that could come: the build finds that out by itself.
      const outcome = await start().done;
      const fails = scenario !== "huge" && outcome.started.includes(task);
      this.#expectStatus(outcome, fails ? 1 : 0, `${scenario} in ${task}`);
      return outcome;
    }
    if (scenario === "compile") {
      this.#say(this.#place.editLibrary());
      const build = start();
      await new Promise((resolve) => setTimeout(resolve, random.below(600)));
      this.#say(this.#place.editLibrary());
      return build.done;
    }
    trouble.set(task, scenario === "deaf" ? scenario : "pause");
    const build = start();
    if (!(await trouble.met(task, build))) {
      const outcome = await build.done;
      this.#expectStatus(outcome, 0, `${task} did not run`);
      return outcome;
    }
    this.#say(`while ${task} runs`);
    switch (scenario) {
      case "kill":
        build.child.kill("SIGKILL");
        return build.done;
      case "interrupt":
      case "deaf": {
        build.child.kill("SIGINT");
        const outcome = await build.done;
        this.#expectStatus(outcome, 130, scenario);
        return outcome;
      }
      case "second": {
        const second = start();
        trouble.release(task);
        for (const outcome of [await build.done, await second.done])
          this.#expectStatus(outcome, 0, "two at once");
        return build.done;
      }
      case "edit":
        this.#say(this.#place.edit());
        break;
      case "source":
        this.#say(this.#place.editLibrary());
        break;
      case "tamper":
        this.#say(this.#place.tamperOutput(request.variant));
        break;
    }
    trouble.release(task);
    return build.done;
  }

  /** Builds once more, undisturbed, and compares with a clean build of the same sources. */
  async #check(request: Request, before: Outcome | undefined): Promise<void> {
    const { root } = this.#place;
    const outcome = await invoke(root, request.words, this.#trouble.directory).done;
    this.#expectStatus(outcome, 0, `the build after ${JSON.stringify(before?.text ?? "nothing")}`);
    const wanted = await this.#cleanOutputs(request);
    expect(this.#place.outputs(request.variant), this.#story(outcome)).toEqual(wanted);
    const left: string[] = readdirSync(path.join(root, cacheDirectory)).filter((name) => name === "lock");
    const temporaries = path.join(root, cacheDirectory, "tmp");
    if (existsSync(temporaries)) left.push(...readdirSync(temporaries));
    expect(left, this.#story(outcome)).toEqual([]);
    if (request.words.includes("-f") || !this.#random.chance(0.2)) return;
    const again = await invoke(root, request.words, this.#trouble.directory).done;
    expect(again.started, this.#story(again)).toEqual([]);
  }

  #cleanOutputs(request: Request): Promise<readonly string[]> {
    // How many run at once, and whether all have to, changes nothing of what is made.
    const words = request.words.filter((word) => !/^(-j|-k|-f|\d+)$/.test(word));
    const key = `${this.#place.sourceDigest()} ${words.join(" ")}`;
    const known = this.#clean.get(key) ?? this.#buildClean(words, request.variant);
    this.#clean.set(key, known);
    return known;
  }

  /**
   * The copy has the sources as they are now and nothing that a build made or remembers, but the compiled program. There is
   * a copy for each text of the library, so that none is compiled twice: that takes longer than all else.
   */
  async #buildClean(words: readonly string[], variant: string): Promise<readonly string[]> {
    const root = path.join(this.#home, `clean copy ${this.#place.salt}`);
    // The compiled program lies beside the cache's own directory, and stays.
    for (const name of ["in", "build", cacheDirectory])
      rmSync(path.join(root, name), { recursive: true, force: true });
    this.#place.copyTo(root);
    const outcome = await invoke(root, words, this.#trouble.directory).done;
    this.#expectStatus(outcome, 0, "a clean build");
    return new Place(root, this.#recipe, this.#random).outputs(variant);
  }

  #expectStatus(outcome: Outcome, status: number, when: string): void {
    expect({ status: outcome.status, signal: outcome.signal }, `${when}: ${this.#story(outcome)}`).toEqual({
      status,
      signal: null,
    });
  }

  #story(outcome: Outcome): string {
    return `${this.history.join("\n")}\n${outcome.text}\n`;
  }
}
