/** In which order tasks run, and how many at once. */
import { describe, expect, it } from "vitest";
import { task } from "../../src/engine/index.ts";
import { type ScheduleOptions, schedule } from "../../src/engine/run/schedule.ts";
import { run, workspace } from "./workshop.ts";

type Graph = Readonly<Record<string, readonly string[]>>;

/** Runs a graph of names in which each node ends when all that could begin has; says what ran, and how many at once. */
async function play(graph: Graph, options: Partial<ScheduleOptions<string>> & { failing?: string } = {}) {
  const order: string[] = [];
  const skipped: string[] = [];
  const now = new Map<string, number>();
  const most: Record<string, number> = {};
  /** For each node, how many others ran at the same time. */
  const beside: Record<string, number> = {};
  const running = new Set<string>();
  const poolOf = options.poolOf ?? (() => "cpu");
  const count = (pool: string, by: number): void => {
    const running = (now.get(pool) ?? 0) + by;
    now.set(pool, running);
    most[pool] = Math.max(most[pool] ?? 0, running);
  };
  const succeeded = await schedule<string>({
    nodes: new Map(Object.entries(graph)),
    cost: () => 1,
    widthOf: () => 1,
    skip: (id) => skipped.push(id),
    keepGoing: false,
    signal: new AbortController().signal,
    ...options,
    poolOf,
    run: async (id) => {
      order.push(id);
      running.add(id);
      for (const one of running) beside[one] = Math.max(beside[one] ?? 0, running.size - 1);
      for (const pool of [poolOf(id), "all"]) count(pool, 1);
      await new Promise((resolve) => setImmediate(resolve));
      for (const pool of [poolOf(id), "all"]) count(pool, -1);
      running.delete(id);
      return id !== options.failing;
    },
  });
  return { succeeded, order, skipped, most, beside };
}

const seconds: Readonly<Record<string, number>> = { short: 1, long: 8, a: 2, b: 2, c: 7 };
const cost = (id: string): number => seconds[id] ?? 1;

describe("tasks", () => {
  it("begin with the one that the most remaining time depends on, by the seconds of earlier runs", async () => {
    const graph = { short: [], long: [], a: [], b: ["a"], c: ["b"] };
    const { order, succeeded } = await play(graph, { cost });
    // When a is done, b and c take 9 together, long takes 8.
    expect([succeeded, order]).toEqual([true, ["a", "b", "long", "c", "short"]]);
  });

  it("that are exclusive run while nothing else does, and are not put off by what could start beside others", async () => {
    const graph = { a: [], b: [], alone: [], c: ["a"], d: ["b"] };
    const { order, beside } = await play(graph, {
      widthOf: () => 3,
      cost: (id) => (id === "alone" ? 1.5 : 1),
      isExclusive: (id) => id === "alone",
    });
    // A path through a or b takes 2; c and d take 1, and wait for alone.
    expect(order).toEqual(["b", "a", "alone", "c", "d"]);
    expect(beside).toEqual({ a: 1, b: 1, alone: 0, c: 1, d: 1 });
  });

  it("run as many at once as their pool is wide, and no more", async () => {
    const graph = Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`${index}`, []]));
    const { most } = await play(graph, {
      poolOf: (id) => (Number(id) < 6 ? "network" : "cpu"),
      widthOf: (pool) => (pool === "network" ? 4 : 2),
    });
    expect(most).toEqual({ network: 4, cpu: 2, all: 6 });
  });

  it("run no more at once than is asked for, whatever the pools, the longest path first", async () => {
    const graph = { short: [], long: [], a: [], b: ["a"], c: ["b"] };
    const { most, order } = await play(graph, {
      cost,
      limit: 1,
      widthOf: () => 5,
      poolOf: (id) => (id === "long" || id === "b" ? "network" : "cpu"),
    });
    expect([most.all, order]).toEqual([1, ["a", "b", "long", "c", "short"]]);
  });

  it("do not begin after a failure", async () => {
    const { succeeded, order, skipped } = await play(
      { a: [], b: ["a"], c: ["b"], long: [], short: [] },
      { cost, failing: "a" },
    );
    expect([succeeded, order, skipped]).toEqual([false, ["a"], ["b", "c"]]);
  });

  it("go on after a failure when that is asked for, except those that depend on it", async () => {
    const { succeeded, order, skipped } = await play(
      { a: [], b: ["a"], c: ["b"], long: [], short: ["long"] },
      { cost, failing: "a", keepGoing: true },
    );
    expect([succeeded, order, skipped]).toEqual([false, ["a", "long", "short"], ["b", "c"]]);
  });
});

describe("a build", () => {
  for (const [jobs, most] of [
    [1, 1],
    [3, 3],
  ] as const) {
    it(`runs ${jobs} at once when ${jobs} are asked for, in whatever pools they are`, async () => {
      let now = 0;
      let peak = 0;
      let open = (): void => {};
      const all = new Promise<void>((resolve) => {
        open = resolve;
      });
      const tasks = Array.from({ length: 6 }, (_, index) =>
        task({
          name: `task-${index}`,
          description: "",
          pool: index % 2 === 0 ? "cpu" : "network",
          outputs: {},
          run: async () => {
            now += 1;
            peak = Math.max(peak, now);
            if (now === most) open();
            await all;
            // Time for one too many to begin.
            await new Promise((resolve) => setTimeout(resolve, 20));
            now -= 1;
          },
        }),
      );
      expect((await run(workspace({}), tasks, { jobs })).outcome).toBe("succeeded");
      expect(peak).toBe(most);
    });
  }
});

describe("after a failure of a kind that is reported all at once", () => {
  const graph = { a: [], b: [], behind: ["b"], needy: ["a"], other: [] };
  const poolOf = (id: string): string => (id === "other" ? "cpu" : "network");

  it("the tasks of that pool still run, and no others, nor what needs the one that failed", async () => {
    const { order, succeeded, skipped } = await play(graph, {
      limit: 1,
      poolOf,
      failing: "a",
      cost: (id) => (id === "a" ? 9 : 1),
      stillRuns: (pool) => pool === "network",
    });
    expect(succeeded).toBe(false);
    expect(order).toEqual(["a", "b", "behind"]);
    expect(skipped).toEqual(["needy"]);
  });

  it("nothing runs where no pool was named", async () => {
    const { order } = await play(graph, {
      limit: 1,
      poolOf,
      failing: "a",
      cost: (id) => (id === "a" ? 9 : 1),
    });
    expect(order).toEqual(["a"]);
  });
});

it("what runs elsewhere counts for its own pool's width, and not for the limit of this machine", async () => {
  const graph = { a: [], b: [], c: [], far: [], farther: [], farthest: [] };
  const { most, succeeded } = await play(graph, {
    limit: 1,
    poolOf: (id) => (id.startsWith("far") ? "elsewhere" : "cpu"),
    widthOf: () => 2,
    isLimited: (pool) => pool !== "elsewhere",
  });
  expect(succeeded).toBe(true);
  expect(most).toMatchObject({ cpu: 1, elsewhere: 2, all: 3 });
});
