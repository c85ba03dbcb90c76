// The real pipeline with nothing changed: what it costs to see that.
import { measure, measureMemory } from "./harness/measurement.js";
import { settle } from "./harness/place.js";
import { bytes, show } from "./harness/table.js";
import { buildSample, openWorkspace } from "./harness/workspace.js";

/** @param {import("./run.js").Options} options */
export async function run({ runs = 30 }) {
  const workspace = await openWorkspace("sample");
  await buildSample(workspace);
  const command = workspace.task("iso", "--source", "sample");
  const cwd = workspace.root;
  await settle(() => workspace.build("iso", "--source", "sample"));
  const rows = await measure(
    [
      { name: "node -e 0", command: [process.execPath, "-e", "0"], cwd },
      { name: "task iso --source sample", command, cwd },
    ],
    { runs, warmup: 2 },
  );
  const memory = await measureMemory({ command, cwd });
  await show("noop", {
    title: "the real pipeline, sample source, nothing changed",
    aim: "at most 1.4 × `node -e 0`",
    reference: "node -e 0",
    rows,
    facts: memory === undefined ? [] : [`peak memory ${bytes(memory)}`],
  });
}
