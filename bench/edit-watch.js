// One controller script is saved while `task iso --watch` runs: from the save to the new ISO on disk, and beside it what
// copying that ISO takes, since its bytes have to be written whatever happens.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { summarise } from "./harness/measurement.js";
import { bytes, show } from "./harness/table.js";
import { openWatch } from "./harness/watch.js";
import { buildSample, openWorkspace, script } from "./harness/workspace.js";

/** @param {import("./run.js").Options} options */
export async function run({ runs = 15 }) {
  const workspace = await openWorkspace("sample");
  await buildSample(workspace);
  const watch = await openWatch(workspace, "iso");
  const copy = path.join(workspace.root, ".buildcache/copy.iso");
  const file = path.join(workspace.root, script);
  const text = (await readFile(file, "utf8")).replace(/^# edit .*\n/gm, "");
  /** @type {Record<"disk" | "line" | "cp", number[]>} Seconds. */
  const times = { disk: [], line: [], cp: [] };
  let size = 0;
  try {
    // One round more: the first one warms up.
    for (let round = 0; round <= runs; round += 1) {
      const saved = performance.now();
      await writeFile(file, `${text}# edit ${Date.now()}-${round}\n`);
      const disk = await watch.next(
        (event) => event.type === "task-done" && event.task === "rebuild-iso@dev",
      );
      const line = await watch.next((event) => event.type === "cycle-finished");
      const iso = path.join(workspace.root, line.event.artifacts[0].path);
      size = (await stat(iso)).size;
      const began = performance.now();
      await once(spawn("cp", [iso, copy], { stdio: "ignore" }), "close");
      const copied = performance.now();
      await rm(copy);
      // Nobody saves again at once: what was written is older than the clock's grain by then.
      await new Promise((resolve) => setTimeout(resolve, 2500));
      if (round === 0) continue;
      times.disk.push((disk.at - saved) / 1000);
      times.line.push((line.at - saved) / 1000);
      times.cp.push((copied - began) / 1000);
    }
  } finally {
    await watch.close();
    await writeFile(file, text);
  }
  await show("edit-watch", {
    title: "one controller script saved, watch mode, sample source, dev",
    aim: "the ISO on disk within 6 × cp",
    reference: "cp",
    rows: [
      { name: "save → ISO on disk", times: summarise([{ times: times.disk, cpu: 0 }]) },
      { name: "save → summary line", times: summarise([{ times: times.line, cpu: 0 }]) },
      { name: "cp", times: summarise([{ times: times.cp, cpu: 0 }]) },
    ],
    facts: [`the ISO has ${bytes(size)}`],
  });
}
