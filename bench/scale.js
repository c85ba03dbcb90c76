// The same work at ten times the size: what it costs when there are more files, more tasks, larger images.
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { play, writeOurs } from "./harness/graph.js";
import { explain, measure, measureMemory } from "./harness/measurement.js";
import { addBallast, copySampleMirror, defineBenchSource } from "./harness/mirror.js";
import { settle } from "./harness/place.js";
import { startServer } from "./harness/server.js";
import { bytes, show } from "./harness/table.js";
import { buildSample, edit, lock, openWorkspace } from "./harness/workspace.js";

const fileCounts = [1_000, 10_000, 100_000];
const taskCounts = [10, 100, 1_000, 10_000];
const imageSizes = [50_000_000, 200_000_000, 800_000_000];

/** @typedef {{ readonly rows: readonly import("./harness/measurement.js").Measured[], readonly facts?: readonly string[] }} Part */

/** @param {import("./run.js").Options} options */
export async function runFiles({ runs = 5 }) {
  await showAll(
    "scale-files",
    "growing numbers of input files, in 20 tasks",
    fileCounts.map(
      (count) => () => measureGraph(`${count} files`, { tasks: 20, filesPerTask: count / 20 }, runs),
    ),
  );
}

/** @param {import("./run.js").Options} options */
export async function runTasks({ runs = 5 }) {
  await showAll(
    "scale-tasks",
    "growing numbers of tasks, of 5 input files each",
    taskCounts.map((count) => () => measureGraph(`${count} tasks`, { tasks: count, filesPerTask: 5 }, runs)),
  );
}

/** @param {import("./run.js").Options} options */
export async function runImages({ runs = 5 }) {
  await showAll(
    "scale-images",
    "growing images",
    imageSizes.map((size) => () => measureImage(size, runs)),
  );
}

/**
 * Shows after each size what is known so far, so that a run that is interrupted has shown that.
 * @param {string} name
 * @param {string} what
 * @param {readonly (() => Promise<Part>)[]} parts
 */
async function showAll(name, what, parts) {
  /** @type {import("./harness/measurement.js").Measured[]} */
  const rows = [];
  /** @type {string[]} */
  const facts = [];
  for (const measurePart of parts) {
    const part = await measurePart();
    rows.push(...part.rows);
    facts.push(...(part.facts ?? []));
    await show(name, {
      title: `nothing changed, and one file edited: ${what}`,
      aim: "cost grows no faster than the work; peak memory at most 256 MB at 800 MB",
      rows,
      facts,
    });
  }
}

/**
 * @param {string} name
 * @param {import("./harness/graph.js").Shape} shape
 * @param {number} runs
 * @returns {Promise<Part>}
 */
async function measureGraph(name, shape, runs) {
  process.stderr.write(`bench: ${name}\n`);
  const player = await writeOurs(shape, "scale");
  /** @type {number | undefined} */
  let cold;
  try {
    // Compiling has a memory of its own.
    await play({ ...player, command: [...player.command.slice(0, 2), "list"] });
    cold = await measureMemory(player);
    await settle(() => play(player));
  } catch (error) {
    return { rows: [{ name, note: `failed: ${explain(error)}` }] };
  }
  const write = "echo $(date +%s%N) > packages/p00000/src/00000.txt";
  const edited = { ...player, name: `${name}, one edited`, prepare: ["bash", "-c", write] };
  const rows = await measure([{ ...player, name: `${name}, nothing changed` }, edited], { runs });
  await play({ ...player, command: edited.prepare });
  const facts = [
    memoryFact(`${name}, from nothing`, cold),
    memoryFact(`${name}, one edited`, await measureMemory(player)),
    memoryFact(`${name}, nothing changed`, await measureMemory(player)),
  ];
  return { rows, facts };
}

/**
 * @param {number} size Bytes that the image has beside the sample's own.
 * @param {number} runs
 * @returns {Promise<Part>}
 */
async function measureImage(size, runs) {
  const name = `image + ${bytes(size)}`;
  process.stderr.write(`bench: ${name}\n`);
  const sample = await openWorkspace("sample");
  await buildSample(sample);
  const mirror = await copySampleMirror(sample, "mirror-scale");
  await addBallast(mirror, size);
  const server = await startServer(mirror);
  try {
    const workspace = await openWorkspace("scale");
    const cwd = workspace.root;
    await defineBenchSource(workspace, mirror, server.url);
    await writeFile(path.join(cwd, "lists/builtin-extensions.lst"), "bash.tcz\nballast.tcz\n");
    const args = ["iso", "--source", "bench", "--lock", lock];
    await workspace.build("clean", "--all");
    // Each size is another ballast.tcz.
    await rm(path.join(cwd, lock), { force: true });
    const command = workspace.task(...args);
    const cold = await measureMemory({ command, cwd });
    await settle(() => workspace.build(...args));
    const rows = await measure(
      [
        { name: `${name}, nothing changed`, command, cwd },
        { name: `${name}, one edited`, command, cwd, prepare: edit(workspace) },
      ],
      { runs },
    );
    return { rows, facts: [memoryFact(`${name}, empty cache`, cold)] };
  } catch (error) {
    return { rows: [{ name, note: `failed: ${explain(error)}` }] };
  } finally {
    await server.close();
  }
}

/**
 * @param {string} name
 * @param {number | undefined} memory
 */
function memoryFact(name, memory) {
  return `${name}: peak memory ${memory === undefined ? "not known, GNU time is missing" : bytes(memory)}`;
}
