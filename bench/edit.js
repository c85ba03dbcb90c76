// One controller script is edited: from a cold process to the new ISO, and the old way to the same.
import path from "node:path";
import { measure, measureMemory } from "./harness/measurement.js";
import { describeOldWay, missingTools, oldWay, prepareOldWay } from "./harness/old-way.js";
import { bytes, show } from "./harness/table.js";
import { buildSample, edit, openWorkspace, script } from "./harness/workspace.js";

/** @param {import("./run.js").Options} options */
export async function run({ runs = 10 }) {
  const missing = await missingTools();
  const workspace = await openWorkspace("sample");
  await buildSample(workspace);
  const cwd = workspace.root;
  const command = workspace.task("iso", "--source", "sample");
  const both = workspace.task("iso", "bundle", "--source", "sample");
  /** @type {import("./harness/measurement.js").Case[]} */
  const cases = [
    { name: "task iso", command, cwd, prepare: edit(workspace) },
    { name: "task iso bundle", command: both, cwd, prepare: edit(workspace), runs: Math.min(runs, 5) },
  ];
  const directory = await prepareOldWay(
    path.join(cwd, "build-files/razor-microkernel-bundle-dev.tar.gz"),
    "dev",
  );
  if (missing.length === 0) {
    cases.push({
      name: "the old way",
      command: oldWay(directory, { script: path.join(cwd, script) }),
      cwd,
      prepare: edit(workspace),
      runs: 1,
    });
  }
  const warm = await measure(cases.slice(0, 2), { runs });
  const old = await measure(cases.slice(2), { runs, warmup: 0 });
  await workspace.build("iso", "--source", "sample");
  const memory = await measureMemory({ command: [...command, "--force", "rebuild-iso"], cwd });
  await show("edit", {
    title: "one controller script edited, sample source, dev",
    aim: "task iso at least 100 × faster than the old way",
    reference: "the old way",
    rows: [...warm, ...old],
    facts: [
      ...(missing.length === 0 ? [] : [`the old way needs ${missing.join(", ")}`]),
      ...(await describeOldWay(directory, cwd)),
      ...(memory === undefined ? [] : [`peak memory of writing the ISO ${bytes(memory)}`]),
    ],
  });
}
