#!/usr/bin/env node
// Starts the program: finds the workspace, makes sure the compiled form of its sources is current, and hands over.
// On a normal start nothing is compiled: a look at each source's status is enough. It knows nothing of targets.
import { existsSync, lstatSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const packageRoot = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** The nearest folder, from the current one upwards, that holds a Taskfile.ts. */
function findWorkspace() {
  for (let folder = process.cwd(); ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, "Taskfile.ts"))) return folder;
    if (folder === path.dirname(folder)) return undefined;
  }
}

/**
 * The manifest of the compiled program, when every source still has the status it was compiled with.
 * @param {string} folder
 * @returns {import("./compile.js").Manifest | undefined}
 */
function readCurrentManifest(folder) {
  try {
    /** @type {import("./compile.js").Manifest} */
    const manifest = JSON.parse(readFileSync(path.join(folder, "manifest.json"), "utf8"));
    if (manifest.packageRoot !== packageRoot) return undefined;
    for (const source of manifest.sources) {
      const status = lstatSync(source.path, { bigint: true });
      if (`${status.size}:${status.mtimeNs}:${status.ctimeNs}:${status.ino}` !== source.status)
        return undefined;
    }
    return manifest;
  } catch {
    return undefined;
  }
}

async function start() {
  const workspace = findWorkspace();
  if (workspace === undefined) {
    process.stderr.write(
      "error: no Taskfile.ts in this folder or any above it\n  hint: change into the project's folder first\n",
    );
    return 2;
  }
  const cache = path.join(workspace, ".buildcache", "compiled");
  let manifest = readCurrentManifest(cache);
  if (manifest === undefined) {
    if (!existsSync(path.join(packageRoot, "node_modules", "esbuild"))) {
      process.stderr.write(
        "error: the project's node modules are not installed\n  hint: run `npm run quickstart`, or `npm ci`\n",
      );
      return 1;
    }
    const { compile } = await import("./compile.js");
    const result = await compile({ workspace, packageRoot, cache });
    if (typeof result === "string") {
      process.stderr.write(result);
      return 1;
    }
    manifest = result;
  }
  const { main } = await import(pathToFileURL(path.join(manifest.folder, "main.js")).href);
  const taskfile = path.join(manifest.folder, "taskfile.js");
  return main({ argv: process.argv.slice(2), workspace, manifest, taskfile: pathToFileURL(taskfile).href });
}

process.exitCode = await start();
