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
 * Takes a bundle apart, unmeasured, into a directory of the given name.
 * @param {string} bundle Absolute path.
 * @param {string} name
 */
export async function prepareOldWay(bundle, name) {
  const directory = await emptyPlace("old-way", name);
  const input = path.join(directory, "input");
  const $ = shell({ cwd: directory });
  await $`mkdir -p ${input}/overlay`;
  await $`tar -C ${input} -xzf ${bundle}`;
  const tarball = path.join(input, "dependencies/razor-microkernel-overlay.tar.gz");
  await $`tar -C ${input}/overlay -xzf ${tarball}`;
  await rename(tarball, path.join(directory, "overlay.tar.gz"));
  return directory;
}

/**
 * @param {string} directory From `prepareOldWay`.
 * @param {{ script?: string, urls?: string }} [options] Absolute paths.
 */
export function oldWay(directory, { script = "", urls = "" } = {}) {
  return ["bash", program, path.join(directory, "input"), path.join(directory, "work"), script, urls];
}

/**
 * Lines about the last run: how long each step took, and how large the image is beside ours.
 * @param {string} directory
 * @param {string} workspace Absolute path of the one whose newest ISO is compared.
 */
export async function describeOldWay(directory, workspace) {
  const steps = await readFile(path.join(directory, "work/steps"), "utf8").catch(() => "");
  const old = await stat(path.join(directory, "work/image.iso")).catch(() => undefined);
  const own = await newestIso(workspace);
  const parts = steps
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split(" "))
    .map(([name, seconds]) => `${name} ${Number(seconds).toFixed(2)} s`);
  return [
    `the old way's last run: ${parts.length === 0 ? "none" : parts.join(", ")}`,
    `the ISO: ${own === undefined ? "none" : bytes(own.size)}; the old way's: ${old === undefined ? "none" : bytes(old.size)}`,
  ];
}

/**
 * Lines about where a difference in size is from: Core's own archive stays as its maker packed it.
 * @param {string} directory
 * @param {import("./workspace.js").Workspace} workspace
 */
export async function describeInitrds(directory, { root, build }) {
  const iso = await newestIso(root);
  const boot = path.join(directory, "work/newiso/boot");
  const name = (await readdir(boot).catch(() => [])).find((one) => /^core.*\.gz$/.test(one));
  if (iso === undefined || name === undefined) return [];
  const old = (await stat(path.join(boot, name))).size;
  /** @type {{ layers: { after: number }[] }} */
  const { layers } = JSON.parse(await build("size", iso.file, "--json"));
  const ours = layers.reduce((sum, { after }) => sum + after, 0);
  const core = layers[0]?.after ?? 0;
  const $ = shell({ cwd: path.join(directory, "work") });
  // The archive that the old way began with, packed as it packs.
  await $`bash -c ${`xorriso -osirrox on -indev "$1"/Core-current.iso -extract /boot/${name} packed.gz 2>/dev/null && chmod u+w packed.gz && advdef -q -z4 packed.gz`} bash ${path.join(directory, "input")}`;
  const packed = (await stat(path.join(directory, "work/packed.gz"))).size;
  return [
    `the initrd: ${bytes(ours)}; the old way's: ${bytes(old)}`,
    `of ours ${bytes(core)} are Core's own archive, byte for byte; packed the old way it has ${bytes(packed)}`,
  ];
}

/** @param {string} workspace */
async function newestIso(workspace) {
  const directory = path.join(workspace, "build-files");
  const names = await readdir(directory).catch(() => []);
  const found = await Promise.all(
    names
      .filter((name) => name.endsWith(".iso"))
      .map(async (name) => {
        const file = path.join(directory, name);
        const { size, mtimeMs } = await stat(file);
        return { file, size, mtimeMs };
      }),
  );
  return found.sort((one, other) => other.mtimeMs - one.mtimeMs)[0];
}
