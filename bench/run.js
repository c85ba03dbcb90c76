// `npm run bench [-- NAME… --runs N]`: runs benchmarks one after the other. It knows their names, not what they do.
import { parseArgs } from "node:util";
import { explain } from "./harness/measurement.js";
import { ensureTools } from "./harness/peers.js";

/**
 * @typedef {object} Options
 * @property {number} [runs] Measured runs of each case; every benchmark has a default of its own.
 */

/** @type {Readonly<Record<string, () => Promise<{ run: (options: Options) => Promise<void> }>>>} */
const benchmarks = {
  noop: () => import("./noop.js"),
  "noop-10k": () => import("./noop-10k.js"),
  "one-edit": () => import("./one-edit.js"),
  "cold-201": () => import("./cold-201.js"),
  "scale-files": async () => ({ run: (await import("./scale.js")).runFiles }),
  "scale-tasks": async () => ({ run: (await import("./scale.js")).runTasks }),
  "scale-images": async () => ({ run: (await import("./scale.js")).runImages }),
  switch: () => import("./switch.js"),
  edit: () => import("./edit.js"),
  commit: () => import("./commit.js"),
  "edit-watch": () => import("./edit-watch.js"),
  serve: () => import("./serve.js"),
  cold: () => import("./cold.js"),
  "cold-prod": async () => ({ run: (await import("./cold.js")).runProd }),
  "slow-mirror": () => import("./slow-mirror.js"),
  remote: () => import("./remote.js"),
  matrix: () => import("./matrix.js"),
  look: () => import("./look.js"),
  report: () => import("./report.js"),
  boot: () => import("./boot.js"),
  remaster: () => import("./remaster.js"),
  disk: () => import("./disk.js"),
  own: () => import("./own.js"),
  release: () => import("./release.js"),
};

process.exitCode = await start();

async function start() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    // What is not known is answered below, as a wrong name is.
    strict: false,
    options: { help: { type: "boolean" }, runs: { type: "string" } },
  });
  const asked = positionals.length === 0 ? Object.keys(benchmarks) : positionals;
  // A name stands for all that begin with it too: `scale` for its three parts.
  const names = asked.flatMap((name) => {
    const parts = Object.keys(benchmarks).filter((one) => one.startsWith(`${name}-`));
    return name in benchmarks || parts.length === 0 ? [name] : parts;
  });
  const unknown = names.filter((name) => !(name in benchmarks));
  unknown.push(...Object.keys(values).filter((name) => name !== "help" && name !== "runs"));
  const runs = values.runs === undefined ? undefined : Number.parseInt(String(values.runs), 10);
  if (values.help || unknown.length > 0 || (runs !== undefined && !(Number.isInteger(runs) && runs > 0))) {
    const out = values.help ? process.stdout : process.stderr;
    out.write(
      `usage: npm run bench -- [NAME…] [--runs N]\nbenchmarks: ${Object.keys(benchmarks).join(", ")}\n`,
    );
    return values.help ? 0 : 2;
  }
  if ((await ensureTools(["hyperfine"])).length > 0) {
    process.stderr.write(
      "error: hyperfine is not installed\n  hint: install the distribution's package hyperfine\n",
    );
    return 1;
  }
  process.stdout.write(
    "Wall times of whole processes, medians, warm page cache, NODE_EXTRA_CA_CERTS unset (it slows the start of Node).\n" +
      "A shared machine is noisy: the ratio to the row measured in the same run is the figure.\n",
  );
  let status = 0;
  for (const name of names) {
    try {
      await (await benchmarks[name]?.())?.run(runs === undefined ? {} : { runs });
    } catch (error) {
      // What went wrong with one says nothing about the others.
      process.stderr.write(`\n${name}: could not be measured: ${explain(error)}\n`);
      status = 1;
    }
  }
  return status;
}
