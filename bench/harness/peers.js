// What the project is measured against and with: programs of the distribution, and task runners from npm in a directory of
// the benchmarks' own. Whatever cannot be installed is left out, and said so.
import { accessSync, constants } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { environment, place, shell } from "./place.js";

/** Debian's package of each program. */
const packages = {
  curl: "curl",
  hyperfine: "hyperfine",
  "/usr/bin/time": "time",
  nginx: "nginx-light",
  ninja: "ninja-build",
  make: "make",
  wget: "wget",
  advdef: "advancecomp",
  genisoimage: "genisoimage",
  xorriso: "xorriso",
  cpio: "cpio",
  "qemu-system-x86_64": "qemu-system-x86",
};

/** Versions that the graphs are written for. */
const runners = { turbo: "^2.11.11", nx: "^24.0.6", wireit: "^0.14.13" };

/**
 * Whether an executable of this name, or at this absolute path, is there.
 * @param {string} name
 */
export function hasTool(name) {
  const directories = path.isAbsolute(name) ? [""] : environment().PATH.split(":");
  return directories.some((directory) => {
    try {
      accessSync(path.join(directory, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Installs what is missing with apt, as root only; returns what is missing still.
 * @param {readonly (keyof typeof packages)[]} names
 */
export async function ensureTools(names) {
  const missing = names.filter((name) => !hasTool(name));
  if (missing.length > 0 && hasTool("apt-get") && process.getuid?.() === 0) {
    const wanted = missing.map((name) => packages[name]);
    process.stderr.write(`bench: installing ${wanted.join(" ")}\n`);
    await shell({ cwd: "/" })`apt-get install -qq --yes --no-install-recommends ${wanted}`.nothrow();
  }
  return names.filter((name) => !hasTool(name));
}

/** @typedef {keyof typeof runners} Runner */

/**
 * Installs the task runners of npm; maps each one that is there to the absolute path of its program.
 * @returns {Promise<ReadonlyMap<Runner, string>>}
 */
export async function ensureRunners() {
  const directory = runnersDirectory();
  const names = /** @type {Runner[]} */ (Object.keys(runners));
  /** @param {Runner} name */
  const program = (name) => path.join(directory, "node_modules", ".bin", name);
  if (!names.every((name) => hasTool(program(name)))) {
    await mkdir(directory, { recursive: true });
    await writeFile(path.join(directory, "package.json"), '{ "private": true }\n');
    for (const name of names) {
      process.stderr.write(`bench: installing ${name}\n`);
      const wanted = `${name}@${runners[name]}`;
      await shell({ cwd: directory })`npm install --no-audit --no-fund --loglevel=error ${wanted}`.nothrow();
    }
  }
  return new Map(names.filter((name) => hasTool(program(name))).map((name) => [name, program(name)]));
}

export function runnersDirectory() {
  return place("peers");
}
