// apt-get, as root and with its failures explained, and the package lists that it works with. What is to be installed, and why, it
// does not know.
import { spawnSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import path from "node:path";
import { runChild } from "./child.mjs";
import { SetupFailure } from "./setup-failure.mjs";
import { isInstalled } from "./tool-table.mjs";

const packageLists = "/var/lib/apt/lists";
/** Older lists may name packages that the archive has replaced since. */
const listsAreOldAfterMs = 24 * 3600 * 1000;

/** @returns {"none" | "old" | "recent"} */
export function statusOfLists() {
  try {
    if (!readdirSync(packageLists).some((name) => name.includes("_Packages"))) return "none";
    // A list's own time is the archive's; that of the directories is when apt last put something there.
    const times = [packageLists, path.join(packageLists, "partial")].map((directory) => {
      return statSync(directory, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    });
    return Date.now() - Math.max(...times) > listsAreOldAfterMs ? "old" : "recent";
  } catch {
    return "none";
  }
}

/**
 * @param {"none" | "old"} lists
 * @param {(line: string) => void} say
 */
export async function updateLists(lists, say) {
  say(lists === "none" ? "apt has no package lists yet" : "apt's package lists are more than a day old");
  const output = await apt(["update"], say);
  // apt-get update succeeds also when it reached nothing.
  if (statusOfLists() === "none") throw aptFailure("apt-get update", output);
}

/**
 * Whether apt's lists have a package of this name to install.
 * @param {string | undefined} name
 */
export function isKnownToApt(name) {
  if (name === undefined) return false;
  const { status, stdout } = spawnSync("apt-cache", ["policy", name], {
    encoding: "utf8",
    env: { ...process.env, LC_ALL: "C" },
  });
  return status === 0 && /^ {2}Candidate: (?!\(none\))/m.test(stdout);
}

/**
 * Throws `SetupFailure` with all the commands where apt-get cannot be run as root, so that one visit of root is enough.
 * @param {readonly (readonly string[])[]} commands Arguments of each.
 */
export function requireRights(commands) {
  if (process.getuid?.() === 0 || isInstalled("sudo")) return;
  const lines = commands.map((args) => `\n  apt-get ${args.join(" ")}`);
  throw new SetupFailure(
    "root-needed",
    `only root can install programs, and sudo is not installed${lines.join("")}`,
    "run the lines above as root (or ask an administrator), then run this command again",
  );
}

/**
 * Options of apt-get with which no package starts a service while it is installed: programs for tests, such as nginx and
 * RabbitMQ, would begin to listen. An administrator's own policy stays. Sources: apt.conf(5), invoke-rc.d(8).
 * @param {string} policy Absolute path of the program that decides.
 * @returns {readonly string[]}
 */
export function startingNoServices(policy) {
  const mark = "# For the duration of one apt-get.";
  const text = `#!/bin/sh\\n${mark}\\nexit 101\\n`;
  const file = `'${policy.replaceAll("'", "'\\''")}'`;
  const before = `[ -e ${file} ] || { printf '${text}' >${file} && chmod 0755 ${file}; }`;
  const after = `if grep -qsxF '${mark}' ${file}; then rm -f ${file}; fi`;
  return ["-o", `DPkg::Pre-Invoke::=${before}`, "-o", `DPkg::Post-Invoke::=${after}`];
}

/**
 * Runs apt-get as root, with its output kept for the case that it fails.
 * @param {readonly string[]} args
 * @param {(line: string) => void} say
 */
export async function apt(args, say) {
  // In C, so that a failure can be told by its message. Proxies, because sudo would take them away.
  const own = { LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" };
  const env = { ...process.env, ...own };
  requireRights([args]);
  const isRoot = process.getuid?.() === 0;
  const shown = `${isRoot ? "" : "sudo "}apt-get ${args.join(" ")}`;
  const command = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=60", "-o", "Dpkg::Use-Pty=0"];
  command.push(...startingNoServices("/usr/sbin/policy-rc.d"), ...args);
  if (!isRoot) {
    const proxies = Object.keys(process.env).filter((name) => /^(https?|ftp|no)_proxy$/i.test(name));
    // Without a terminal nobody can answer sudo's question: it must not wait for one.
    const ask = process.stdin.isTTY ? [] : ["--non-interactive"];
    command.unshift("sudo", ...ask, `--preserve-env=${[...Object.keys(own), ...proxies].join(",")}`);
  }
  say(`running ${shown}`);
  const [program = "", ...rest] = command;
  const { status, output } = await runChild(program, rest, { cwd: "/", output: "kept", env });
  if (status !== 0) throw aptFailure(shown, output, status);
  return output;
}

/**
 * @param {string} command
 * @param {string} output
 * @param {number} [status]
 */
function aptFailure(command, output, status) {
  const said = output.trim() === "" ? "" : `\n${output.trim().replaceAll(/^/gm, "  | ")}`;
  const how = status === undefined ? "downloaded no package lists" : `failed with status ${status}`;
  return new SetupFailure("packages-failed", `${command} ${how}${said}`, aptHint(output));
}

/** @param {string} output */
function aptHint(output) {
  if (/^sudo: /m.test(output)) return "run the apt-get command as root, then run this command again";
  if (/lock/i.test(output)) {
    return "another package manager is running: wait until it has finished, then run this command again";
  }
  if (/unable to locate|no installation candidate/i.test(output)) {
    return "run apt-get update; on Ubuntu, enable the component universe";
  }
  if (/dpkg was interrupted|dpkg --configure/i.test(output)) return "run dpkg --configure -a as root first";
  if (/no space left/i.test(output)) return "free disk space";
  return "check the network and apt's package sources; http_proxy and https_proxy name a proxy";
}
