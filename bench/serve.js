// One controller script is saved while `task serve --watch` runs: until the next boot would get the edit, and until a machine that
// boots then has come up; beside it the same with the ISO of `task iso --watch`, and what copying that ISO takes.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { loadavg } from "node:os";
import path from "node:path";
import { bootCd, bootNetwork, emulator } from "./harness/machine.js";
import { summarise } from "./harness/measurement.js";
import { ensureTools } from "./harness/peers.js";
import { bytes, show } from "./harness/table.js";
import { openWatch } from "./harness/watch.js";
import { buildSample, openWorkspace, script } from "./harness/workspace.js";

/** MiB. */
const memory = 1024;
/** An emulated machine on a busy host may take minutes. */
const patience = 600_000;
/** Boots of each kind: each takes as long as dozens of edits. */
const mostBoots = 3;

/** @typedef {{ times: number[], cpu: number }} Row Seconds. */

/** @param {import("./run.js").Options} options */
export async function run({ runs = 15 }) {
  const workspace = await openWorkspace("sample");
  await buildSample(workspace);
  const file = path.join(workspace.root, script);
  const text = (await readFile(file, "utf8")).replace(/^# edit .*\n/gm, "");
  const copy = path.join(workspace.root, ".buildcache/copy.iso");
  const boots = (await ensureTools([emulator])).length > 0 ? 0 : Math.min(runs, mostBoots);
  /** @type {Map<string, Row>} */
  const rows = new Map();
  /**
   * @param {string} name
   * @param {number} since
   */
  const record = (name, since, { cpu = 0, at = performance.now() } = {}) => {
    const row = rows.get(name) ?? { times: [], cpu: 0 };
    row.times.push((at - since) / 1000);
    rows.set(name, { times: row.times, cpu: row.cpu + cpu });
  };
  let edits = 0;
  const save = async () => {
    edits += 1;
    // Nobody saves again at once: what was written is older than the clock's grain by then.
    await new Promise((resolve) => setTimeout(resolve, 2500));
    const saved = performance.now();
    await writeFile(file, `${text}# edit ${Date.now()}-${edits}\n`);
    return saved;
  };
  /**
   * @param {string} name
   * @param {number} saved
   * @param {import("./harness/machine.js").Machine} machine
   */
  const awaitUp = async (name, saved, machine) => {
    try {
      await machine.expect(/MK Loaded/, patience);
      record(name, saved, { at: performance.now(), cpu: await machine.cpu() });
    } finally {
      await machine.off();
    }
  };
  const facts = [];
  const before = loadavg()[0];
  try {
    const serving = await openWatch(workspace, "serve", "--port", "0");
    try {
      const { port } = serving.begun.find((event) => event.type === "serving");
      const isPublished = (/** @type {any} */ event) => event.type === "published";
      let loaded = await load(port);
      // One round more: the first one warms up.
      for (let round = 0; round <= runs; round += 1) {
        const saved = await save();
        const { at } = await serving.next(isPublished);
        const now = await load(port, loaded.files);
        if (round > 0) {
          record("save → in the next boot", saved, { at });
          record("save → loaded by a client that has the rest", saved);
        }
        if (now.bytes === 0) throw new Error("the edit is not in what is served");
        if (round === 1) facts.push(`an edit changes ${bytes(now.bytes)} of what is served`);
        loaded = now;
      }
      for (let round = 0; round < boots; round += 1) {
        const saved = await save();
        await serving.next(isPublished);
        await awaitUp("save → MK Loaded, from task serve", saved, bootNetwork(port, memory));
      }
    } finally {
      await serving.close();
    }
    const building = await openWatch(workspace, "iso");
    try {
      for (let round = 0; round <= Math.max(runs, boots); round += 1) {
        const saved = await save();
        const { event } = await building.next(({ type }) => type === "cycle-finished");
        const iso = path.join(workspace.root, event.artifacts[0].path);
        if (round > 0 && round <= runs) record("save → ISO on disk", saved);
        const began = performance.now();
        await once(spawn("cp", [iso, copy], { stdio: "ignore" }), "close");
        if (round > 0 && round <= runs) record("cp", began);
        await rm(copy);
        if (round === 0) facts.push(`the ISO has ${bytes((await stat(iso)).size)}`);
      }
      for (let round = 0; round < boots; round += 1) {
        const saved = await save();
        const { event } = await building.next(({ type }) => type === "cycle-finished");
        const iso = path.join(workspace.root, event.artifacts[0].path);
        await awaitUp("save → MK Loaded, from the ISO as a CD", saved, bootCd(iso, memory));
      }
    } finally {
      await building.close();
    }
  } finally {
    await writeFile(file, text);
  }
  facts.push(`load of this machine before and after: ${before?.toFixed(1)}, ${loadavg()[0]?.toFixed(1)}`);
  await show("serve", {
    title: "one controller script saved while it is served, sample source, dev",
    aim: "in the next boot within 1 × cp",
    reference: "cp",
    rows: [...rows].map(([name, { times, cpu }]) => ({
      name,
      times: summarise([{ times, cpu: cpu / times.length }]),
    })),
    facts,
  });
}

/**
 * Loads what the script of the server names, but for files that are known, which are addresses.
 * @param {number} port
 * @param {ReadonlySet<string>} known
 */
async function load(port, known = new Set()) {
  const script = await (await fetch(`http://127.0.0.1:${port}/boot.ipxe?variant=dev`)).text();
  const files = [...script.matchAll(/^(?:kernel|initrd) (\S+)/gm)].map(([, file]) => file ?? "");
  let bytes = 0;
  for (const file of files)
    if (!known.has(file))
      bytes += (await (await fetch(`http://127.0.0.1:${port}/${file}`)).arrayBuffer()).byteLength;
  return { files: new Set(files), bytes };
}
