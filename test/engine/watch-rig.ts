/**
 * A watch in this process, over tasks of the tests' own: what it tells is kept, and waited for by what is told, never by
 * time.
 */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach } from "vitest";
import { digestOfBytes } from "../../src/engine/files/digest.ts";
import {
  type AbsolutePath,
  type BuildEvent,
  type Cycle,
  file,
  out,
  ParameterValues,
  State,
  type Task,
  task,
  taskfile,
  Watch,
  type WatchEnd,
  type WatchEvent,
} from "../../src/engine/index.ts";
import { code, workspace, write } from "./workshop.ts";

const open: Rig[] = [];
afterEach(async () => {
  for (const rig of open.splice(0)) await rig.close();
});

/** What no test waits longer for, in milliseconds: then something is wrong. */
const patience = 50_000;

/** Only there so that a change of its input tells that all earlier changes were dealt with. */
const marker = task({
  name: "marker",
  description: "",
  inputs: { text: file("marker.txt") },
  outputs: { text: out.file("marker") },
  run: ({ inputs, outputs }) => writeFileSync(outputs.text, readFileSync(inputs.text)),
});

export class Rig {
  readonly root: AbsolutePath;
  readonly cycles: Cycle[] = [];
  readonly events: (WatchEvent | BuildEvent)[] = [];
  readonly ended: Promise<WatchEnd>;
  readonly state: State;
  readonly watch: Watch;
  readonly #stop = new AbortController();
  readonly #waiting = new Set<() => void>();
  #marks = 0;
  #told = 0;

  constructor(root: AbsolutePath, tasks: readonly Task[], sources: readonly string[] = []) {
    this.root = root;
    this.state = new State(root);
    const targets = [...tasks, marker];
    write(root, "marker.txt", "0");
    const definition = taskfile({
      title: "Test",
      targets,
      variants: { dev: { description: "", flags: [] } },
    });
    const env = {};
    this.watch = new Watch(
      { taskfile: definition, state: this.state, code: code(), toolHint: () => undefined, env },
      {
        request: (force) => ({
          targets,
          variant: "dev",
          values: new ParameterValues(new Map(), { root, env, variant: "dev", note: () => {} }),
          force: force ?? new Set(),
          keepGoing: false,
          jobs: 4,
          command: "test",
        }),
        sources: sources.map((name) => {
          const file = path.join(root, name);
          return { path: file, digest: digestOfBytes(readFileSync(file)) };
        }),
        signal: this.#stop.signal,
        onBuildEvent: (event) => this.#tell(event),
        onEvent: (event) => this.#tell(event),
      },
    );
    open.push(this);
    this.ended = this.watch.run();
    // A failure shows where something is waited for in vain.
    this.ended.catch((error) => {
      this.#failure = error;
      this.#wake();
    });
  }

  #failure: unknown;

  /** The next event of a kind that no earlier call returned, or any before it. */
  async next<T extends (WatchEvent | BuildEvent)["type"]>(
    type: T,
  ): Promise<Extract<WatchEvent | BuildEvent, { type: T }>> {
    const deadline = performance.now() + patience;
    for (;;) {
      for (let at = this.#told; at < this.events.length; at += 1) {
        const event = this.events[at];
        if (event?.type !== type) continue;
        this.#told = at + 1;
        return event as Extract<WatchEvent | BuildEvent, { type: T }>;
      }
      if (this.#failure !== undefined) throw this.#failure;
      const left = deadline - performance.now();
      if (left <= 0)
        throw new Error(
          `no ${type}; told: ${this.events
            .slice(this.#told)
            .map((event) => event.type)
            .join(", ")}`,
        );
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#waiting.add(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** Waits until every change so far was dealt with; returns the cycles since the last call, without its own. */
  async settle(): Promise<readonly Cycle[]> {
    this.#marks += 1;
    write(this.root, "marker.txt", String(this.#marks));
    for (;;) {
      await this.next("cycle-finished");
      const seen = readFileSync(path.join(this.root, ".buildcache/v1/out/dev/marker/marker"), "utf8");
      if (seen === String(this.#marks)) break;
    }
    return this.cycles
      .splice(0)
      .map((cycle) => ({ ...cycle, changes: cycle.changes.filter((name) => name !== "marker.txt") }))
      .filter(({ changes }) => changes.length > 0);
  }

  /** Tasks that ran to their end since the first event with this index, in order. */
  ranSince(index: number): readonly string[] {
    return this.events
      .slice(index)
      .flatMap((event) => (event.type === "task-done" && event.task !== "marker@dev" ? [event.task] : []));
  }

  stop(): void {
    this.#stop.abort();
  }

  async close(): Promise<void> {
    this.stop();
    await this.ended.catch(() => {});
    await this.watch.close();
  }

  #tell(event: WatchEvent | BuildEvent): void {
    this.events.push(event);
    if (event.type === "cycle-finished") this.cycles.push(event);
    this.#wake();
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
    this.#waiting.clear();
  }
}

/** A watch over a new workspace with these files, when its first build is over. */
export async function watching(
  content: Record<string, string>,
  tasks: readonly Task[],
  sources: readonly string[] = [],
): Promise<Rig> {
  const rig = new Rig(workspace(content), tasks, sources);
  await rig.next("cycle-finished");
  rig.cycles.splice(0);
  return rig;
}

/** Something that a task waits for and a test lets happen. */
export function gate() {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

/** Counts what a task does, so that a test can wait for it. */
export class Tally {
  count = 0;
  readonly #gates = new Map<number, ReturnType<typeof gate>>();

  add(): void {
    this.count += 1;
    this.#gateOf(this.count).open();
  }

  /** Resolves when that many were counted. */
  reaches(count: number): Promise<void> {
    return this.#gateOf(count).opened;
  }

  #gateOf(count: number): ReturnType<typeof gate> {
    const known = this.#gates.get(count) ?? gate();
    this.#gates.set(count, known);
    return known;
  }
}
