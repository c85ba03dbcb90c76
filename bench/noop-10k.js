// 10,000 input files in 201 tasks, nothing changed: how long each runner takes to see that.
import { compareResults, ours, play, writeGraphs } from "./harness/graph.js";
import { explain, measure } from "./harness/measurement.js";
import { settle } from "./harness/place.js";
import { show } from "./harness/table.js";

const shape = { tasks: 200, filesPerTask: 50 };

/** @param {import("./run.js").Options} options */
export async function run({ runs = 20 }) {
  const entrants = await writeGraphs(shape, "graph-201");
  /** @type {import("./harness/measurement.js").Measured[]} */
  const out = [];
  /** @type {import("./harness/graph.js").Player[]} */
  const players = [];
  for (const { name, player, missing } of entrants) {
    if (player === undefined) {
      out.push({ name, note: missing ?? "" });
      continue;
    }
    process.stderr.write(`bench: first run of ${name}\n`);
    try {
      await play(player);
      players.push(player);
    } catch (error) {
      out.push({ name, note: `failed: ${explain(error)}` });
    }
  }
  await settle(async () => {
    for (const player of players) await play(player);
  });
  const node = { name: "node -e 0", command: [process.execPath, "-e", "0"], cwd: "/" };
  const slow = new Set(["nx", "wireit", "turbo"]);
  const rows = await measure(
    [node, ...players.map((one) => (slow.has(one.name) ? { ...one, runs: Math.min(runs, 5) } : one))],
    { runs },
  );
  await show("noop-10k", {
    title: "200 tasks of 50 input files and one that needs all, nothing changed",
    aim: "ahead of turbo, nx and wireit; at most `node -e 0` + 4 × ninja",
    reference: ours,
    rows: [...rows, ...out],
    facts: [await compareResults(players, shape), ...limit(rows)],
  });
}

/**
 * The aim in this run's times.
 * @param {readonly import("./harness/measurement.js").Measured[]} rows
 */
function limit(rows) {
  /** @param {string} name */
  const median = (name) => rows.find((row) => row.name === name)?.times?.median ?? Number.NaN;
  const allowed = median("node -e 0") + 4 * median("ninja");
  const ms = (allowed * 1000).toFixed(0);
  return [`node -e 0 + 4 × ninja = ${ms} ms; ${ours} takes ${(median(ours) / allowed).toFixed(2)} × that`];
}
