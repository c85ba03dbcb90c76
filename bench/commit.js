// An empty commit, to the production ISO: beside an edit, and in a fresh clone into which the cache was restored.
import path from "node:path";
import { measure } from "./harness/measurement.js";
import { place, settle } from "./harness/place.js";
import { show } from "./harness/table.js";
import { buildSample, edit, openWorkspace } from "./harness/workspace.js";

const identity = "-c user.name=bench -c user.email=bench@localhost";

/** @param {import("./run.js").Options} options */
export async function run({ runs = 10 }) {
  const workspace = await openWorkspace("sample");
  await buildSample(workspace);
  const cwd = workspace.root;
  const words = ["iso", "--source", "sample", "--prod"];
  await settle(() => workspace.build(...words));
  const command = workspace.task(...words);
  const commit = ["sh", "-c", `git -C "$0" ${identity} commit -q --allow-empty -m commit`, cwd];
  const clone = place("pipeline", "commit");
  const cloning = [
    "sh",
    "-c",
    `rm -rf "$1" && git -C "$0" ${identity} commit -q --allow-empty -m commit && git clone -q "$0" "$1" && ` +
      'ln -s "$0/node_modules" "$1/node_modules" && cp -a "$0/.buildcache" "$1/.buildcache"',
    cwd,
    clone,
  ];
  const rows = await measure(
    [
      { name: "edit", command, cwd, prepare: edit(workspace) },
      { name: "commit", command, cwd, prepare: commit },
      {
        name: "commit, in a clone with the cache",
        // The clone is not there yet when the measuring program starts.
        command: ["env", "-C", clone, process.execPath, path.join(clone, "bin/task.js"), ...words],
        cwd: place("pipeline"),
        prepare: cloning,
        runs: Math.min(runs, 5),
      },
    ],
    { runs },
  );
  await show("commit", {
    title: "an empty commit, sample source, prod",
    aim: "at most 2 × edit",
    reference: "edit",
    rows,
  });
}
