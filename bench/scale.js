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

/** @param {import("./run.js").Options} options */
export async function run({ runs = 5 }) {
  /** @type {import("./harness/measurement.js").Measured[]} */
  const rows = [];
  /** @type {string[]} */
  const facts = [];
  /** @param {{ rows: readonly import("./harness/measurement.js").Measured[], fact?: string }} part */
  const add = (part) => {
    rows.push(...part.rows);
    if (part.fact !== undefined) facts.push(part.fact);
  };
  for (const count of fileCounts) {
    add(await measureGraph(`${count} files`, { tasks: 20, filesPerTask: count / 20 }, runs));
  }
  for (const count of taskCounts) {
    add(await measureGraph(`${count} tasks`, { tasks: count, filesPerTask: 5 }, runs));
  }
  for (const size of imageSizes) add(await measureImage(size, runs));
  await show("scale", {
    title: "nothing changed, and one file edited, at growing sizes",
    aim: "cost grows no faster than the work; peak memory at most 256 MB at 800 MB",
    rows,
    facts,
  });
}

/**
 * @param {string} name
 * @param {import("./harness/graph.js").Shape} shape
 * @param {number} runs
 */
async function measureGraph(name, shape, runs) {
  process.stderr.write(`bench: ${name}\n`);
  const player = await writeOurs(shape, "scale");
  try {
    await settle(() => play(player));
  } catch (error) {
    return { rows: [{ name, note: `failed: ${explain(error)}` }] };
  }
  const write = "echo $(date +%s%N) > packages/p00000/src/00000.txt";
  const rows = await measure(
    [
      { ...player, name: `${name}, nothing changed` },
      { ...player, name: `${name}, one edited`, prepare: ["bash", "-c", write] },
    ],
    { runs },
  );
  return { rows, fact: memoryFact(name, await measureMemory(player)) };
}

/**
 * @param {number} size Bytes that the image has beside the sample's own.
 * @param {number} runs
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
    return { rows, fact: memoryFact(`${name}, empty cache`, cold) };
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
