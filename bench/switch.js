// From one variant to another and back: what was built once is not built again.
import { measure } from "./harness/measurement.js";
import { settle } from "./harness/place.js";
import { show } from "./harness/table.js";
import { buildSample, edit, openWorkspace } from "./harness/workspace.js";

/** @param {import("./run.js").Options} options */
export async function run({ runs = 10 }) {
  const workspace = await openWorkspace("sample");
  await buildSample(workspace);
  const cwd = workspace.root;
  const dev = workspace.task("iso", "--source", "sample");
  const prod = workspace.task("iso", "--source", "sample", "--prod");
  await workspace.build("iso", "--source", "sample", "--prod");
  const first = await measure(
    [
      { name: "dev, first build after an edit", command: dev, cwd, prepare: edit(workspace) },
      { name: "prod, first build after an edit", command: prod, cwd, prepare: edit(workspace) },
    ],
    { runs: Math.min(runs, 5), warmup: 0 },
  );
  await settle(async () => {
    await workspace.build("iso", "--source", "sample");
    await workspace.build("iso", "--source", "sample", "--prod");
  });
  const again = await measure(
    [
      { name: "node -e 0", command: [process.execPath, "-e", "0"], cwd },
      { name: "noop", command: dev, cwd },
      { name: "prod → dev", command: dev, cwd, prepare: prod },
      { name: "dev → prod", command: prod, cwd, prepare: dev },
    ],
    { runs },
  );
  await show("switch", {
    title: "dev → prod → dev → prod, sample source",
    aim: "the second build of a variant at most 2 × noop",
    reference: "noop",
    rows: [...again, ...first],
  });
}
