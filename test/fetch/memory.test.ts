import { spawn } from "node:child_process";
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect, it, onTestFinished } from "vitest";
import { openWorkshop } from "./workshop.ts";

const size = 1024 ** 3;

/** Downloads one URL in a process of its own and prints that process's peak of resident memory in KiB. */
const program = `
import { readFileSync } from "node:fs";
import { Transport } from "./src/fetch/index.ts";
const [url, target] = process.argv.slice(2);
const transport = new Transport({ env: {} });
const outcome = await transport.download({ name: "big", kind: "any", url, target });
await transport.close();
const peak = /VmHWM:\\s+(\\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"));
process.stdout.write(JSON.stringify({ size: outcome.size, sha256: outcome.sha256, peak: Number(peak[1]) }));
`;

it("memory does not grow with the size of a file: 1 GiB takes less than 150 MB", async () => {
  const shop = await openWorkshop();
  const home = fileURLToPath(new URL("../..", import.meta.url));
  // Inside the project, because undici is found from there.
  const bundleDir = path.join(home, "node_modules", ".cache", `razor-mk test ${process.pid}`);
  try {
    await mkdir(bundleDir, { recursive: true });
    const outfile = path.join(bundleDir, "download.mjs");
    const stdin = { contents: program, resolveDir: home, loader: "ts" } as const;
    await build({ stdin, outfile, bundle: true, platform: "node", format: "esm", packages: "external" });
    shop.server.always("/big", async (_request, response) => {
      response.writeHead(200, { "content-length": String(size) });
      const chunk = Buffer.alloc(1024 ** 2, "0123456789abcdef");
      for (let sent = 0; sent < size; sent += chunk.length) {
        if (!response.write(chunk)) await new Promise((resolve) => response.once("drain", resolve));
      }
      response.end();
    });
    const child = spawn(process.execPath, [outfile, `${shop.server.url}/big`, path.join(shop.out, "big")], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { PATH: process.env.PATH },
    });
    onTestFinished(() => void child.kill());
    let text = "";
    for await (const piece of child.stdout) text += piece;
    const result = JSON.parse(text) as { size: number; peak: number };
    expect(result.size).toBe(size);
    expect(result.peak * 1024).toBeLessThan(150_000_000);
  } finally {
    await rm(bundleDir, { recursive: true, force: true });
    await shop.close();
  }
}, 300_000);
