// The graph of noop-10k from nothing: each task is one `cat` process.
import { compareResults, forget, ours, play, writeGraphs } from "./harness/graph.js";
import { explain, measure } from "./harness/measurement.js";
import { settle } from "./harness/place.js";
import { show } from "./harness/table.js";

const shape = { tasks: 200, filesPerTask: 50 };

/** @param {import("./run.js").Options} options */
export async function run({ runs = 5 }) {
  /** @type {import("./harness/measurement.js").Case[]} */
  const cases = [];
  /** @type {import("./harness/measurement.js").Measured[]} */
  const out = [];
  /** @type {import("./harness/graph.js").Player[]} */
  const players = [];
  for (const { name, player, missing } of await writeGraphs(shape, "graph-201")) {
    if (player === undefined) {
      out.push({ name, note: missing ?? "" });
      continue;
    }
    players.push(player);
    const one = { ...player, prepare: forget(player) };
    if (name !== ours) {
      cases.push(name === "turbo" || name === "nx" ? { ...one, runs: 1 } : one);
      continue;
    }
    // As the others are installed when they start, the program is compiled.
    await settle(() => play(player)).catch((error) => out.push({ name, note: `failed: ${explain(error)}` }));
    cases.push(one);
    const all = forget(player, [".buildcache"]);
    cases.push({ ...one, name: `${ours}, compiling itself too`, prepare: all, runs: Math.min(runs, 3) });
  }
  const rows = await measure(cases, { runs, warmup: 0 });
  await show("cold-201", {
    title: "200 tasks of 50 input files and one that needs all, from nothing, one `cat` for each task",
    aim: "ahead of turbo, nx and wireit; at most 6 × ninja",
    reference: "ninja",
    rows: [...rows, ...out],
    facts: [await compareResults(players, shape)],
  });
}
