// From an empty cache, with a mirror on this machine: downloads, bundle and ISO; and the old way to the same.
import { readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { measure } from "./harness/measurement.js";
import { copySampleMirror, defineBenchSource, urlsOf } from "./harness/mirror.js";
import { describeInitrds, describeOldWay, missingTools, oldWay, prepareOldWay } from "./harness/old-way.js";
import { startServer } from "./harness/server.js";
import { show } from "./harness/table.js";
import { buildSample, lock, openWorkspace } from "./harness/workspace.js";

/** @param {import("./run.js").Options} options */
export function run(options) {
  return runVariant("dev", options);
}

/** @param {import("./run.js").Options} options */
export function runProd(options) {
  return runVariant("prod", options);
}

/**
 * @param {"dev" | "prod"} variant
 * @param {import("./run.js").Options} options
 */
async function runVariant(variant, { runs = 3 }) {
  const missing = await missingTools();
  const sample = await openWorkspace("sample");
  await buildSample(sample);
  const mirror = await copySampleMirror(sample);
  const server = await startServer(mirror);
  try {
    const workspace = await openWorkspace("cold");
    const cwd = workspace.root;
    await defineBenchSource(workspace, mirror, server.url);
    // The old way's ISO starts under BIOS only.
    const same = ["--firmware", "bios"];
    const switches = [
      "--source",
      "bench",
      "--lock",
      lock,
      ...same,
      ...(variant === "prod" ? ["--prod"] : []),
    ];
    const forget = ["bash", "-c", `rm -rf .buildcache/v1 build-files ${lock}`];
    server.log.length = 0;
    await workspace.build("clean", "--all");
    await workspace.build("iso", "bundle", ...switches);
    const bundles = await readdir(path.join(cwd, "build-files"));
    const bundle = bundles.find((name) => name.endsWith(`-${variant}.tar.gz`)) ?? "";
    const directory = await prepareOldWay(path.join(cwd, "build-files", bundle), variant);
    const urls = path.join(directory, "urls");
    const list = await urlsOf(server.log, mirror, server.url);
    await writeFile(urls, `${list.join("\n")}\n`);
    const rows = await measure(
      [
        {
          name: "task iso bundle",
          command: workspace.task("iso", "bundle", ...switches),
          cwd,
          prepare: forget,
        },
        { name: "task iso", command: workspace.task("iso", ...switches), cwd, prepare: forget },
        ...(missing.length > 0
          ? []
          : [{ name: "the old way", command: oldWay(directory, { urls }), cwd, runs: 1 }]),
      ],
      { runs, warmup: 0 },
    );
    await show(variant === "prod" ? "cold-prod" : "cold", {
      title: `empty cache, mirror on this machine, ${variant}`,
      aim:
        variant === "prod"
          ? "at least 2 × faster than the old way, ISO not larger"
          : "at least 8 × faster than the old way",
      reference: "the old way",
      rows,
      facts: [
        ...(missing.length === 0 ? [] : [`the old way needs ${missing.join(", ")}`]),
        `the old way fetches ${list.length} files with one wget each`,
        ...(await describeOldWay(directory, cwd)),
        ...(await describeInitrds(directory, workspace)),
      ],
    });
  } finally {
    await server.close();
  }
}
