// The old way on the same inputs: the overlay and the Core ISO are taken out of the bundle that this project made.
// The script itself says what the old way is.
import { readdir, readFile, rename, stat } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { ensureTools } from "./peers.js";
import { emptyPlace, shell } from "./place.js";
import { bytes } from "./table.js";

const program = fileURLToPath(new URL("old-way.sh", import.meta.url));

/** What it runs and cannot do without; names of what is missing after an attempt to install it. */
export function missingTools() {
  return ensureTools(["wget", "advdef", "genisoimage", "xorriso", "cpio"]);
}

/**
 * Takes a bundle apart, unmeasured, into a folder of the given name.
 * @param {string} bundle Absolute path.
 * @param {string} name
 */
export async function prepareOldWay(bundle, name) {
  const folder = await emptyPlace("old-way", name);
  const input = path.join(folder, "input");
  const $ = shell({ cwd: folder });
  await $`mkdir -p ${input}/overlay`;
  await $`tar -C ${input} -xzf ${bundle}`;
  const tarball = path.join(input, "dependencies/razor-microkernel-overlay.tar.gz");
  await $`tar -C ${input}/overlay -xzf ${tarball}`;
  await rename(tarball, path.join(folder, "overlay.tar.gz"));
  return folder;
}

/**
 * @param {string} folder From `prepareOldWay`.
 * @param {{ script?: string, urls?: string }} [options] Absolute paths.
 */
export function oldWay(folder, { script = "", urls = "" } = {}) {
  return ["bash", program, path.join(folder, "input"), path.join(folder, "work"), script, urls];
}

/**
 * Lines about the last run: how long each step took, and how large the image is beside ours.
 * @param {string} folder
 * @param {string} workspace Absolute path of the one whose newest ISO is compared.
 */
export async function describeOldWay(folder, workspace) {
  const steps = await readFile(path.join(folder, "work/steps"), "utf8").catch(() => "");
  const old = await stat(path.join(folder, "work/image.iso")).catch(() => undefined);
  const own = await newestIso(workspace);
  const parts = steps
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split(" "))
    .map(([name, seconds]) => `${name} ${Number(seconds).toFixed(2)} s`);
  return [
    `the old way's last run: ${parts.length === 0 ? "none" : parts.join(", ")}`,
    `the ISO: ${own === undefined ? "none" : bytes(own)}; the old way's: ${old === undefined ? "none" : bytes(old.size)}`,
  ];
}

/** @param {string} workspace */
async function newestIso(workspace) {
  const folder = path.join(workspace, "build-files");
  const names = await readdir(folder).catch(() => []);
  const found = await Promise.all(
    names.filter((name) => name.endsWith(".iso")).map((name) => stat(path.join(folder, name))),
  );
  return found.sort((one, other) => other.mtimeMs - one.mtimeMs)[0]?.size;
}
