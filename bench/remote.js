// A machine without a cache of its own that finds its results in a remote cache: beside the download of the same bytes by curl,
// and beside the build from nothing. The server is nginx, on this machine.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import path from "node:path";
import { measure } from "./harness/measurement.js";
import { copySampleMirror, defineBenchSource } from "./harness/mirror.js";
import { ensureTools } from "./harness/peers.js";
import { place } from "./harness/place.js";
import { startServer } from "./harness/server.js";
import { show } from "./harness/table.js";
import { buildSample, lock, openWorkspace } from "./harness/workspace.js";

/** @param {import("./run.js").Options} options */
export async function run({ runs = 3 }) {
  const missing = await ensureTools(["nginx", "curl"]);
  if (missing.length > 0) {
    process.stderr.write(`bench: remote needs ${missing.join(", ")}\n`);
    return;
  }
  const sample = await openWorkspace("sample");
  await buildSample(sample);
  const files = await copySampleMirror(sample);
  const mirror = await startServer(files);
  const workspace = await openWorkspace("remote");
  const cwd = workspace.root;
  await defineBenchSource(workspace, files, mirror.url);
  const server = await startNginx();
  try {
    const iso = ["iso", "--source", "bench", "--lock", lock, "--prod"];
    const forget = ["bash", "-c", "rm -rf .buildcache/v1 build-files"];
    await workspace.build(...iso);
    const remote = ["--remote-cache", server.url];
    await workspace.build(...iso, "--force", ...remote, "--remote-upload", "--remote-upload-wait", "120");
    const contents = await readdir(path.join(server.data, "cas"));
    const list = place("remote", "urls");
    const lines = contents.map((name) => `url = "${server.url}/cas/${name}"\noutput = "/dev/null"\n`);
    await writeFile(list, lines.join(""));
    const uploading = ["--remote-cache", `${server.url}/empty`, "--remote-upload"];
    const rows = await measure(
      [
        { name: "curl of every content", command: ["curl", "-s", "-K", list], cwd },
        { name: "from the remote cache", command: workspace.task(...iso, ...remote), cwd, prepare: forget },
        { name: "from nothing", command: workspace.task(...iso), cwd, prepare: forget, runs: 1 },
        {
          name: "from nothing, uploading",
          command: workspace.task(...iso, ...uploading),
          cwd,
          prepare: ["bash", "-c", `rm -rf .buildcache/v1 build-files "$0"`, path.join(server.data, "empty")],
          runs: 1,
        },
        { name: "nothing changed", command: workspace.task(...iso, ...remote), cwd },
      ],
      { runs, warmup: 0 },
    );
    await show("remote", {
      title: "production ISO, remote cache on this machine",
      aim: "from the remote cache at most 2 × curl and a third of the build from nothing; uploads add at most 10 %",
      reference: "curl of every content",
      rows,
    });
  } finally {
    await Promise.all([server.close(), mirror.close()]);
  }
}

/** nginx with its DAV module, as docs/remote.md shows it, in a directory of its own. */
async function startNginx() {
  const root = place("remote", "nginx");
  const data = path.join(root, "data");
  await rm(root, { recursive: true, force: true });
  for (const name of ["data", "temporary"]) await mkdir(path.join(root, name), { recursive: true });
  const port = await freePort();
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (kind) => `${kind}_temp_path "${root}/temporary";`,
  );
  await writeFile(
    path.join(root, "nginx.conf"),
    `daemon off; worker_processes 2; pid "${root}/pid"; error_log "${root}/error.log";
${process.getuid?.() === 0 ? "user root;" : ""}
events { worker_connections 64; }
http { access_log off; sendfile on; ${temporary.join(" ")}
  server { listen 127.0.0.1:${port}; root "${data}"; client_max_body_size 0;
    location ~ "/(ac|cas)/[0-9a-f]{64}$" { dav_methods PUT; create_full_put_path on; } } }
`,
  );
  const nginx = spawn("nginx", ["-c", path.join(root, "nginx.conf"), "-p", root], {
    stdio: "ignore",
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
  });
  const url = `http://127.0.0.1:${port}`;
  while ((await fetch(url).catch(() => undefined)) === undefined && nginx.exitCode === null)
    await new Promise((resolve) => setTimeout(resolve, 50));
  if ((await stat(data)).isDirectory() && nginx.exitCode !== null) throw new Error("nginx does not start");
  return {
    url,
    data,
    close: async () => {
      const ended = once(nginx, "close");
      nginx.kill("SIGTERM");
      await ended;
    },
  };
}

async function freePort() {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}
