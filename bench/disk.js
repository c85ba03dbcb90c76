// The image of a disk of 20 GB: from nothing but the fetched files, after an edit of one script, and with nothing changed.
import { stat } from "node:fs/promises";
import path from "node:path";
import { measure } from "./harness/measurement.js";
import { settle } from "./harness/place.js";
import { bytes, show } from "./harness/table.js";
import { buildSample, edit, openWorkspace } from "./harness/workspace.js";

/** The steps that make a disk of what an ISO is made of. */
const steps = ["disk-loaders", "disk-data", "disk"];

/** @param {import("./run.js").Options} options */
export async function run({ runs = 10 }) {
  const workspace = await openWorkspace("sample");
  await buildSample(workspace);
  const cwd = workspace.root;
  const words = ["disk", "--source", "sample", "--disk-size", "20G", "--iso-version", "bench"];
  const command = workspace.task(...words);
  await workspace.build(...words);
  const forced = steps.flatMap((step) => ["--force", step]);
  const image = path.join(cwd, "build-files/rz_mk_dev-disk.bench.img");
  const changing = await measure(
    [
      { name: "first: table, loaders, data, image", command: [...command, ...forced], cwd },
      { name: "one script edited", command, cwd, prepare: edit(workspace) },
    ],
    { runs },
  );
  await settle(() => workspace.build(...words));
  const unchanged = await measure(
    [
      { name: "node -e 0", command: [process.execPath, "-e", "0"], cwd },
      { name: "nothing changed", command, cwd },
    ],
    { runs: runs * 2, warmup: 2 },
  );
  const { size, blocks } = await stat(image);
  await show("disk", {
    title: "a disk of 20 GB with the Microkernel, sample source",
    aim: "first in 10 s, one script edited in 2 s, nothing changed at most 1.4 × `node -e 0`",
    reference: "node -e 0",
    rows: [...changing, ...unchanged],
    facts: [`each image writes ${bytes(blocks * 512)} of ${bytes(size)}; the rest are holes`],
  });
}
