// One file edited among growing numbers of tasks: what the unchanged ones cost, beside ninja and make.
import { forget, ours, play, writeGraphs } from "./harness/graph.js";
import { explain, measure } from "./harness/measurement.js";
import { settle } from "./harness/place.js";
import { show } from "./harness/table.js";

const taskCounts = [10, 100, 1_000, 10_000];

/** @param {import("./run.js").Options} options */
export async function run({ runs = 10 }) {
  /** @type {import("./harness/measurement.js").Measured[]} */
  const rows = [];
  /** @type {string[]} */
  const facts = [];
  for (const count of taskCounts) {
    const measured = await measureTasks(count, count < 10_000 ? runs : Math.min(runs, 5));
    rows.push(...measured);
    facts.push(...ratios(count, measured));
    await show("one-edit", {
      title: "one file edited, and nothing changed: growing numbers of tasks, of 5 input files each",
      aim: "one edit takes at most 5 × as long as none at 1,000 tasks, 10 × at 10,000",
      rows,
      facts,
    });
  }
}

/**
 * @param {number} count
 * @param {number} runs
 * @returns {Promise<readonly import("./harness/measurement.js").Measured[]>}
 */
async function measureTasks(count, runs) {
  process.stderr.write(`bench: ${count} tasks\n`);
  /** @type {import("./harness/measurement.js").Measured[]} */
  const out = [];
  /** @type {import("./harness/graph.js").Player[]} */
  const players = [];
  for (const { name, player, missing } of await writeGraphs(
    { tasks: count, filesPerTask: 5 },
    `one-edit-${count}`,
    ["ninja", "make", ours],
  )) {
    const row = rowName(name, count);
    try {
      if (player === undefined) throw new Error(missing);
      await play({ ...player, command: forget(player) });
      await play(player);
      players.push(player);
    } catch (error) {
      out.push({ name: row, note: `failed: ${explain(error)}` });
    }
  }
  await settle(async () => {
    for (const player of players) await play(player);
  });
  const write = "echo $(date +%s%N) > packages/p00000/src/00000.txt";
  const unchanged = players.map((player) => ({ ...player, name: rowName(player.name, count) }));
  const edited = unchanged.map((player) => ({
    ...player,
    name: `${player.name}, one edited`,
    prepare: ["bash", "-c", write],
  }));
  // Those without a change first: after an edit nothing is settled any more.
  return [...(await measure(unchanged, { runs })), ...(await measure(edited, { runs })), ...out];
}

/**
 * @param {string} name
 * @param {number} count
 */
function rowName(name, count) {
  return `${name}, ${count} tasks`;
}

/**
 * What an edit costs in terms of doing nothing, and of ninja's edit, by the processors' time.
 * @param {number} count
 * @param {readonly import("./harness/measurement.js").Measured[]} rows
 */
function ratios(count, rows) {
  /** @param {string} name */
  const cpu = (name) => rows.find((row) => row.name === name)?.times?.cpu ?? Number.NaN;
  const edit = cpu(`${rowName(ours, count)}, one edited`);
  const toNothing = (edit / cpu(rowName(ours, count))).toFixed(1);
  const toNinja = (edit / cpu(`${rowName("ninja", count)}, one edited`)).toFixed(1);
  return [`${count} tasks: one edit takes ${toNothing} × the cpu of none, and ${toNinja} × that of ninja's`];
}
