// The host's programs: which ones a command of the project needs, which are missing, and how a package manager brings
// them: apt-get by being run, the others by the packages' names.
import { apt, isKnownToApt, requireRights, statusOfLists, updateLists } from "./apt.mjs";
import { SetupFailure } from "./setup-failure.mjs";
import { isInstalled, readTable } from "./tool-table.mjs";

const managers = /** @type {const} */ (["apt", "dnf", "pacman", "brew"]);
/**
 * Makes sure that the tools are there and that apt has its package lists, of which the sample source is made. Says
 * what it does and why before it does it. Throws `SetupFailure`.
 * @param {readonly string[]} tools
 * @param {(line: string) => void} say
 * @param {readonly string[]} [dispensable] Tools that come in the same call of apt where they can be had.
 * @returns {Promise<readonly string[]>} Those of `dispensable` that cannot be had.
 */
export async function ensureTools(tools, say, dispensable = []) {
  const table = readTable();
  const wanted = [...new Set([...tools, ...dispensable])];
  const missing = wanted.filter((tool) => !isInstalled(tool));
  if (missing.length > 0 && (!isInstalled("apt-get") || !isInstalled("dpkg")))
    throw withoutApt(missing, table);
  if (missing.length > 0) {
    say(
      `required programs that are not installed:\n${missing.map((tool) => `  ${describe(tool, table)}`).join("\n")}`,
    );
  }
  const lists = tools.includes("apt-cache") || missing.length > 0 ? statusOfLists() : "recent";
  const isStale = lists === "none" || (lists === "old" && missing.length > 0);
  const steps = [
    ...(isStale ? [["update"]] : []),
    ...(missing.length > 0 ? [installOf(missing, table)] : []),
  ];
  if (steps.length > 0) requireRights(steps);
  if (lists !== "recent" && isStale) await updateLists(lists, say);
  if (missing.length === 0) return [];
  const needed = missing.filter((tool) => tools.includes(tool));
  const known = missing.filter((tool) => needed.includes(tool) || isKnownToApt(table[tool]?.apt));
  try {
    await apt(installOf(known, table), say);
  } catch (error) {
    if (known.length === needed.length || !(error instanceof SetupFailure) || error.status !== 1) throw error;
    say(`${error.message}\ncontinuing without the programs that only tests need`);
    if (needed.length > 0) await apt(installOf(needed, table), say);
  }
  const still = missing.filter((tool) => !isInstalled(tool));
  const lost = still.filter((tool) => tools.includes(tool));
  if (lost.length === 0) return still;
  throw new SetupFailure(
    "packages-failed",
    `still missing after the installation: ${lost.join(", ")}`,
    "check that PATH has the directories of these programs",
  );
}

/**
 * Arguments of the apt-get that installs these tools.
 * @param {readonly string[]} tools
 * @param {Readonly<Record<string, import("./tool-table.mjs").Tool>>} table
 */
function installOf(tools, table) {
  return ["install", "--yes", "--no-install-recommends", ...packagesOf(tools, table, "apt")];
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
    return `  ${`${manager}:`.padEnd(8)}${names.length === 0 ? "(no package)" : names.join(" ")}`;
  });
  const noApt = missing.some((tool) => tool.startsWith("apt-"))
    ? "\nThe sample source is made from a distribution's packages with apt. Without apt, build from a Tiny Core mirror" +
      " (./bin/task.js iso), or on Debian or Ubuntu, for example in a container."
    : "";
  return new SetupFailure(
    "programs-missing",
    `required programs are not installed: ${missing.join(", ")}\nInstall one of these sets of packages:\n${lines.join("\n")}${noApt}`,
    "install them with your package manager, then run this command again",
  );
}
