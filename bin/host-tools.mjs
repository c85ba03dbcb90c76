// The host's programs: which ones a command of the project needs, which are missing, and how a package manager brings
// them. It knows apt well enough to install with it; of others it knows the packages' names.
import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { runChild } from "./child.mjs";
import { SetupFailure } from "./setup-failure.mjs";

/**
 * @typedef {object} Tool
 * @property {string} for What it is needed for, to be read after "for".
 * @property {readonly string[]} [files] Absolute paths, one of which is there when the tool is: for what is no program in
 *   PATH, or of no use without its files.
 * @property {string} [apt]
 * @property {string} [dnf]
 * @property {string} [pacman]
 * @property {string} [brew]
 */

/** What only the tests run; the table of what the program itself runs is src/host/tools.json. */
const testTools = {
  ar: {
    for: "Debian packages in tests",
    apt: "binutils",
    dnf: "binutils",
    pacman: "binutils",
    brew: "binutils",
  },
  genisoimage: {
    for: "ISOs of another maker in tests",
    apt: "genisoimage",
    dnf: "genisoimage",
    pacman: "cdrtools",
    brew: "cdrtools",
  },
  mcopy: { for: "FAT volumes in tests", apt: "mtools", dnf: "mtools", pacman: "mtools", brew: "mtools" },
  OVMF: {
    for: "booting under UEFI in tests",
    files: ["/usr/share/ovmf/OVMF.fd"],
    apt: "ovmf",
    dnf: "edk2-ovmf",
    pacman: "edk2-ovmf",
  },
  tinyproxy: {
    for: "downloads through a proxy in tests",
    apt: "tinyproxy",
    dnf: "tinyproxy",
    pacman: "tinyproxy",
    brew: "tinyproxy",
  },
  mandoc: { for: "the manual page in tests", apt: "mandoc", dnf: "mandoc", pacman: "mandoc", brew: "mandoc" },
  zsh: { for: "completion in tests", apt: "zsh", dnf: "zsh", pacman: "zsh", brew: "zsh" },
  fish: { for: "completion in tests", apt: "fish", dnf: "fish", pacman: "fish", brew: "fish" },
  // For the files, which localedef makes a locale of.
  locales: {
    for: "another language in tests",
    files: ["/usr/share/i18n/locales/tr_TR"],
    apt: "locales",
    dnf: "glibc-locale-source",
    pacman: "glibc",
  },
  tmux: { for: "whole screens in tests", apt: "tmux", dnf: "tmux", pacman: "tmux", brew: "tmux" },
  script: { for: "terminals in tests", apt: "bsdutils", dnf: "util-linux-script", pacman: "util-linux" },
};

/** What `task iso --source sample` runs. */
export const buildTools = [
  "xorriso",
  "isohdpfx.bin",
  "grub-mkimage",
  "unsquashfs",
  "mksquashfs",
  "openssl",
  "ssh-keygen",
  "dpkg-deb",
  "depmod",
  "ldconfig",
  "git",
  "apt-get",
  "apt-cache",
];

/** What the whole of the tests runs beside it. */
export const verifyTools = [
  ...buildTools,
  "cpio",
  "qemu-system-x86_64",
  "strace",
  "ar",
  "genisoimage",
  "mcopy",
  "OVMF",
  "tinyproxy",
  "mandoc",
  "zsh",
  "fish",
  "locales",
  "tmux",
  "script",
];

const managers = /** @type {const} */ (["apt", "dnf", "pacman", "brew"]);
const packageLists = "/var/lib/apt/lists";
/** Older lists may name packages that the archive has replaced since. */
const listsAreOldAfterMs = 24 * 3600 * 1000;

/** @returns {Readonly<Record<string, Tool>>} */
function readTable() {
  const file = fileURLToPath(new URL("../src/host/tools.json", import.meta.url));
  return { ...testTools, ...JSON.parse(readFileSync(file, "utf8")) };
}

/**
 * Whether an executable file of this name is in PATH, or where administrators' tools are: Debian keeps those out of a
 * plain user's PATH, and the build looks there too.
 * @param {string} tool
 */
export function isInstalled(tool) {
  const files = readTable()[tool]?.files;
  if (files !== undefined) return files.some((file) => existsSync(file));
  const folders = [...(process.env.PATH ?? "").split(":"), "/usr/sbin", "/sbin"];
  return folders.some((folder) => {
    try {
      const file = path.join(folder, tool);
      accessSync(file, constants.X_OK);
      return folder !== "" && statSync(file).isFile();
    } catch {
      return false;
    }
  });
}

/**
 * Makes sure that the tools are there and that apt has its package lists, of which the sample source is made. Says
 * what it does and why before it does it. Throws `SetupFailure`.
 * @param {readonly string[]} tools
 * @param {(line: string) => void} say
 */
export async function ensureTools(tools, say) {
  const table = readTable();
  const missing = tools.filter((tool) => !isInstalled(tool));
  if (missing.length > 0 && (!isInstalled("apt-get") || !isInstalled("dpkg")))
    throw withoutApt(missing, table);

  const packages = packagesOf(missing, table, "apt");
  if (missing.length > 0) {
    say(`needed and not installed:\n${missing.map((tool) => `  ${describe(tool, table)}`).join("\n")}`);
  }
  const lists = statusOfLists();
  if (lists === "none" || (missing.length > 0 && lists === "old")) {
    await updateLists(lists, say);
  }
  if (packages.length === 0) return;
  await apt(["install", "--yes", "--no-install-recommends", ...packages], say);
  const still = tools.filter((tool) => !isInstalled(tool));
  if (still.length === 0) return;
  throw new SetupFailure(`still missing after the installation: ${still.join(", ")}`, "is it in PATH?");
}

/**
 * @param {string} tool
 * @param {Readonly<Record<string, Tool>>} table
 */
function describe(tool, table) {
  const entry = table[tool];
  return entry === undefined ? tool : `${tool}, for ${entry.for} (package ${entry.apt ?? "unknown"})`;
}

/**
 * Names of the packages, each once, in byte order.
 * @param {readonly string[]} tools
 * @param {Readonly<Record<string, Tool>>} table
 * @param {(typeof managers)[number]} manager
 */
function packagesOf(tools, table, manager) {
  const names = tools.flatMap((tool) => table[tool]?.[manager] ?? []);
  return [...new Set(names)].sort();
}

/**
 * @param {readonly string[]} missing
 * @param {Readonly<Record<string, Tool>>} table
 */
function withoutApt(missing, table) {
  const lines = managers.map((manager) => {
    const names = packagesOf(missing, table, manager);
    return `  ${`${manager}:`.padEnd(8)}${names.length === 0 ? "(none has them)" : names.join(" ")}`;
  });
  const noApt = missing.some((tool) => tool.startsWith("apt-"))
    ? "\nThe sample source is made of a distribution's packages with apt: without it, build from a Tiny Core mirror" +
      " (./bin/task.js iso), or on Debian or Ubuntu, in a container for example."
    : "";
  return new SetupFailure(
    `these programs are needed and not installed: ${missing.join(", ")}\nThe packages that have them:\n${lines.join("\n")}${noApt}`,
    "install them with your package manager, and run the command again",
  );
}

/** @returns {"none" | "old" | "recent"} */
function statusOfLists() {
  try {
    if (!readdirSync(packageLists).some((name) => name.includes("_Packages"))) return "none";
    // A list's own time is the archive's; that of the folders is when apt last put something there.
    const times = [packageLists, path.join(packageLists, "partial")].map((folder) => {
      return statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? 0;
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
async function updateLists(lists, say) {
  say(lists === "none" ? "apt has no package lists yet" : "apt's package lists are more than a day old");
  const output = await apt(["update"], say);
  // apt-get update succeeds also when it reached nothing.
  if (statusOfLists() === "none") throw aptFailure("apt-get update", output);
}

/**
 * Runs apt-get as root, with its output kept for the case that it fails.
 * @param {readonly string[]} args
 * @param {(line: string) => void} say
 */
async function apt(args, say) {
  // In C, so that a failure can be told by its message. Proxies, because sudo would take them away.
  const own = { LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" };
  const env = { ...process.env, ...own };
  const isRoot = process.getuid?.() === 0;
  const shown = `${isRoot ? "" : "sudo "}apt-get ${args.join(" ")}`;
  if (!isRoot && !isInstalled("sudo")) {
    throw new SetupFailure(
      `this needs root, and there is no sudo: apt-get ${args.join(" ")}`,
      "run it as root first",
    );
  }
  const command = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=60", "-o", "Dpkg::Use-Pty=0", ...args];
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
  const how = status === undefined ? "brought no package lists" : `failed with status ${status}`;
  return new SetupFailure(`${command} ${how}${said}`, aptHint(output));
}

/** @param {string} output */
function aptHint(output) {
  if (/^sudo: /m.test(output)) return "run that command yourself, as root, and then this one again";
  if (/lock/i.test(output)) {
    return "another package manager is at work: wait until it has finished, and run the command again";
  }
  if (/unable to locate|no installation candidate/i.test(output)) {
    return "run apt-get update; on Ubuntu the packages of the component universe are needed";
  }
  if (/dpkg was interrupted|dpkg --configure/i.test(output)) return "run dpkg --configure -a as root first";
  if (/no space left/i.test(output)) return "make room on the disk";
  return "is the network reachable, and are the package sources right? A proxy is named in http_proxy and https_proxy";
}
