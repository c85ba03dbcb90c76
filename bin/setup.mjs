// Makes a fresh clone ready: Node new enough, node modules as the lock says, host tools there. Plain JavaScript without
// dependencies, for it runs before there are any.
import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { runChild } from "./child.mjs";
import { ensureTools } from "./host-tools.mjs";
import { SetupFailure } from "./setup-failure.mjs";

/** Absolute path of the project's directory. */
export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/**
 * Installs what is missing; does nothing when everything is there. The node modules come first: only with them the project can
 * say which host programs it runs. Throws `SetupFailure`.
 * @param {() => Promise<readonly string[]>} listTools Names of the host programs; asked when the node modules are there.
 * @param {readonly string[]} [dispensable] Tools that are installed with them where they can be had.
 * @returns {Promise<readonly string[]>} Those of `dispensable` that cannot be had.
 */
export async function setUp(listTools, dispensable = []) {
  requireNode();
  await ensureModules();
  return await ensureTools(await listTools(), say, dispensable);
}

/**
 * Runs a script's body and makes its result, or its failure, the exit status.
 * @param {() => Promise<number>} body
 */
export async function runScript(body) {
  try {
    process.exitCode = await body();
  } catch (error) {
    if (!(error instanceof SetupFailure)) throw error;
    process.stderr.write(error.text);
    process.exitCode = error.status;
  }
}

/** PATH without the directories that npm puts before it, in which other programs of the same names may be. */
export function fullPath() {
  const directories = (process.env.PATH ?? "").split(":");
  return directories.filter((directory) => !/node_modules[\\/]/.test(`${directory}/`)).join(":");
}

/** @param {string} line */
export function say(line) {
  process.stderr.write(`set-up: ${line}\n`);
}

function requireNode() {
  const { engines } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
  const [, major, minor] = /(\d+)\.(\d+)/.exec(engines.node) ?? [];
  const [ownMajor = 0, ownMinor = 0] = process.versions.node.split(".").map(Number);
  if (ownMajor > Number(major) || (ownMajor === Number(major) && ownMinor >= Number(minor))) return;
  throw new SetupFailure(
    "node-too-old",
    `Node ${major}.${minor} or later is needed; this is ${process.versions.node} (${process.execPath})`,
    "install a newer Node from nodejs.org or your distribution's backports",
  );
}

/** npm writes `.package-lock.json` at the very end: where it is missing or older than the lock, modules are too. */
async function ensureModules() {
  const installed = modifiedAt("node_modules/.package-lock.json");
  const wanted = modifiedAt("package-lock.json");
  if (installed !== undefined && installed >= (wanted ?? 0)) return;
  const why = installed === undefined ? "none are installed" : "package-lock.json is newer";
  say(`running npm ci to install the npm packages: ${why}`);
  // npm names itself to the scripts it runs; there may be no other in PATH.
  const own = process.env.npm_execpath;
  const npm = own !== undefined && path.basename(own) === "npm-cli.js" ? [process.execPath, own] : ["npm"];
  const [program = "npm", ...args] = [...npm, "ci", "--include=dev", "--no-fund", "--no-audit"];
  const { status, output } = await runChild(program, args, { cwd: root, output: "kept" });
  if (status === 0) return;
  throw new SetupFailure(
    "npm-failed",
    `npm ci failed with status ${status}\n${output.trim().replaceAll(/^/gm, "  | ")}`,
    "check the network; https_proxy names a proxy, NODE_EXTRA_CA_CERTS the file of a certificate authority",
  );
}

/** @param {string} file Relative to the project's directory. */
function modifiedAt(file) {
  return statSync(path.join(root, file), { throwIfNoEntry: false })?.mtimeMs;
}
