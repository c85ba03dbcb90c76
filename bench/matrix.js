// Twelve images in one matrix, beside single builds of them, all from an empty cache with a mirror on this machine.
import { measure } from "./harness/measurement.js";
import { copySampleMirror, defineBenchSource } from "./harness/mirror.js";
import { startServer } from "./harness/server.js";
import { show } from "./harness/table.js";
import { buildSample, lock, openWorkspace } from "./harness/workspace.js";

const variants = ["dev", "prod", "debug"];
const layouts = ["layered", "single"];
const firmwares = ["bios", "both"];

/** @param {import("./run.js").Options} options */
export async function run({ runs = 3 }) {
  const sample = await openWorkspace("sample");
  await buildSample(sample);
  const mirror = await copySampleMirror(sample);
  const server = await startServer(mirror);
  try {
    const workspace = await openWorkspace("matrix");
    const cwd = workspace.root;
    await defineBenchSource(workspace, mirror, server.url);
    const source = ["--source", "bench", "--lock", lock];
    const forgetting = "rm -rf .buildcache/v1 build-files";
    const prepare = ["bash", "-c", forgetting];
    // The lock has every pin before anything is measured.
    await workspace.build("matrix", "iso", ...source, "--over", `variant=${variants.join()}`);
    const over = [`variant=${variants.join()}`, `layout=${layouts.join()}`, `firmware=${firmwares.join()}`];
    const each = variants.flatMap((variant) =>
      layouts.flatMap((layout) =>
        firmwares.map((firmware) => [`--${variant}`, "--layout", layout, "--firmware", firmware]),
      ),
    );
    const line = (/** @type {readonly string[]} */ words) => words.map((word) => `'${word}'`).join(" ");
    const singly = each.map(
      (options) => `${forgetting} && ${line(workspace.task("iso", ...source, ...options))}`,
    );
    const rows = await measure(
      [
        { name: "one dev image", command: workspace.task("iso", ...source, "--dev"), cwd, prepare },
        { name: "one prod image", command: workspace.task("iso", ...source, "--prod"), cwd, prepare },
        {
          name: "twelve images, one matrix",
          command: workspace.task("matrix", "iso", ...source, ...over.flatMap((axis) => ["--over", axis])),
          cwd,
          prepare,
        },
        {
          name: "twelve images, one by one",
          command: ["bash", "-c", singly.join(" && ")],
          cwd,
          runs: 1,
        },
      ],
      { runs, warmup: 0 },
    );
    await show("matrix", {
      title: "3 variants × 2 layouts × 2 kinds of firmware, empty cache, mirror on this machine",
      aim: "twelve images in at most 2.5 × the time of one (prod, the slowest)",
      reference: "one prod image",
      rows,
    });
  } finally {
    await server.close();
  }
}
