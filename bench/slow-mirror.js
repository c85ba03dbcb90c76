// Everything fetched from a mirror that is far away: our three fetch targets, and one wget after the other.
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { measure, measureMemory } from "./harness/measurement.js";
import { makeMirror } from "./harness/mirror.js";
import { ensureTools } from "./harness/peers.js";
import { emptyPlace, settle } from "./harness/place.js";
import { startServer } from "./harness/server.js";
import { bytes, show } from "./harness/table.js";
import { defineSource, lock, openWorkspace } from "./harness/workspace.js";

const latencyMs = 80;
const bytesPerSecond = 2_000_000;

/** @param {import("./run.js").Options} options */
export async function run({ runs = 3 }) {
  const missing = await ensureTools(["wget", "xorriso", "cpio"]);
  const mirror = await makeMirror({ extensions: 20, gems: 6 });
  const server = await startServer(mirror.directory, { latencyMs, bytesPerSecond });
  try {
    const workspace = await openWorkspace("slow");
    const cwd = workspace.root;
    const { url } = server;
    await defineSource(workspace, { mirror: url, release: "14.x", arch: "x86_64", gems: `${url}/gems` });
    await writeFile(path.join(cwd, "lists/gem.list"), `${mirror.gems.join("\n")}\n`);
    await writeFile(
      path.join(cwd, "lists/builtin-extensions.lst"),
      `${mirror.extensions.slice(0, 10).join("\n")}\n`,
    );
    await writeFile(
      path.join(cwd, "lists/mirror-extensions.lst"),
      `${mirror.extensions.slice(10).join("\n")}\n`,
    );
    const names = ["fetch-iso", "fetch-tcz", "fetch-gems"];
    const command = workspace.task(...names, "--source", "bench", "--lock", lock);
    const urls = path.join(await emptyPlace("slow-wget"), "urls");
    await writeFile(urls, `${mirror.files.map((name) => `${url}${name}`).join("\n")}\n`);
    // Compiling the sources, which are new here, is no part of fetching.
    await settle(() => workspace.build("list"));
    server.log.length = 0;
    const memory = await forgetAndMeasure(cwd, command);
    const requests = server.log.length;
    const loop = `rm -rf files; while read -r url; do wget -q -x -P files "$url"; done < urls`;
    const rows = await measure(
      [
        {
          name: "task fetch-*, nothing pinned",
          command,
          cwd,
          prepare: ["bash", "-c", `rm -rf .buildcache/v1 ${lock}`],
        },
        { name: "task fetch-*, all pinned", command, cwd, prepare: ["bash", "-c", "rm -rf .buildcache/v1"] },
        ...(missing.length > 0
          ? []
          : [
              {
                name: "wget, one after the other",
                command: ["bash", "-c", loop],
                cwd: path.dirname(urls),
                runs: Math.min(runs, 2),
              },
            ]),
      ],
      { runs, warmup: 0 },
    );
    await show("slow-mirror", {
      title: `20 extensions of 5 files, gems and an ISO at ${latencyMs} ms and ${bytesPerSecond / 1e6} MB/s a connection`,
      aim: "at least 8 × faster than wget",
      reference: "wget, one after the other",
      rows,
      facts: [
        `${mirror.files.length} files, ${bytes(mirror.size)}; one connection alone carries that in ${(mirror.size / bytesPerSecond).toFixed(1)} s`,
        `the first fetch makes ${requests} requests that are answered with content`,
        ...(memory === undefined ? [] : [`peak memory ${bytes(memory)}`]),
      ],
    });
  } finally {
    await server.close();
  }
}

/**
 * @param {string} cwd
 * @param {readonly string[]} command
 */
async function forgetAndMeasure(cwd, command) {
  await rm(path.join(cwd, ".buildcache/v1"), { recursive: true, force: true });
  await rm(path.join(cwd, lock), { force: true });
  return await measureMemory({ command, cwd });
}
