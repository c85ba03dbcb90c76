// The host's programs: which ones a command of the project needs, which are missing, and how a package manager brings
// them: apt-get by being run, the others by the packages' names.
import { apt, statusOfLists, updateLists } from "./apt.mjs";
import { SetupFailure } from "./setup-failure.mjs";
import { isInstalled, readTable } from "./tool-table.mjs";

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
 * @param {Readonly<Record<string, import("./tool-table.mjs").Tool>>} table
 */
function describe(tool, table) {
  const entry = table[tool];
  return entry === undefined ? tool : `${tool}, for ${entry.for} (package ${entry.apt ?? "unknown"})`;
}

/**
 * Names of the packages, each once, in byte order.
 * @param {readonly string[]} tools
 * @param {Readonly<Record<string, import("./tool-table.mjs").Tool>>} table
 * @param {(typeof managers)[number]} manager
 */
function packagesOf(tools, table, manager) {
  const names = tools.flatMap((tool) => table[tool]?.[manager] ?? []);
  return [...new Set(names)].sort();
}

/**
 * @param {readonly string[]} missing
 * @param {Readonly<Record<string, import("./tool-table.mjs").Tool>>} table
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
