// Wall times and peak memory of whole processes: hyperfine's, in rounds over all cases, so that a change in the
// machine's load reaches each of them.
import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { hasTool } from "./peers.js";
import { environment, scratch, shell } from "./place.js";

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {readonly string[]} command Program and arguments; no shell reads them.
 * @property {string} cwd Absolute path.
 * @property {readonly string[]} [prepare] Run before each measured run, not measured.
 * @property {Readonly<Record<string, string>>} [env] Beside the ones that all have.
 * @property {number} [runs] How often it is measured, where that is not what the others are.
 * @property {string} [note] For the table's last column.
 */

/**
 * @typedef {object} Times Seconds.
 * @property {readonly number[]} all
 * @property {number} median
 * @property {number} min
 * @property {number} max
 * @property {number} cpu Mean of what the processors spent, in user and system mode: other load changes it less.
 */

/** @typedef {{ readonly times: readonly number[], readonly cpu: number }} Sample One round of a case, in seconds. */

/** @typedef {{ readonly name: string, readonly times?: Times, readonly note?: string }} Measured */

/** Runs of one case in a round: enough to be warm, few enough to come round often. */
const runsPerRound = 5;

/**
 * Measures each case `runs` times, a few at a time in turn. A case that fails is shown as failed; the others go on.
 * @param {readonly Case[]} cases
 * @param {{ runs: number, warmup?: number }} options `warmup`: unmeasured runs of a case before its first round.
 * @returns {Promise<Measured[]>}
 */
export async function measure(cases, { runs, warmup = 1 }) {
  /** @type {Map<Case, Sample[]>} */
  const samples = new Map(cases.map((one) => [one, []]));
  /** @type {Map<Case, string>} */
  const failures = new Map();
  for (let round = 0; round * runsPerRound < runs; round += 1) {
    for (const one of cases) {
      const left = (one.runs ?? runs) - round * runsPerRound;
      if (left <= 0 || failures.has(one)) continue;
      try {
        const now = { runs: Math.min(left, runsPerRound), warmup: round === 0 ? warmup : 0 };
        samples.get(one)?.push(await runHyperfine(one, now));
      } catch (error) {
        failures.set(one, explain(error));
      }
    }
  }
  return cases.map((one) => {
    const failure = failures.get(one);
    if (failure !== undefined) return { name: one.name, note: `failed: ${failure}` };
    const note = one.note === undefined ? {} : { note: one.note };
    return { name: one.name, times: summarise(samples.get(one) ?? []), ...note };
  });
}

/**
 * @param {readonly Sample[]} samples
 * @returns {Times}
 */
export function summarise(samples) {
  const all = samples.flatMap(({ times }) => times);
  const sorted = [...all].sort((one, other) => one - other);
  const spent = samples.reduce((sum, { times, cpu }) => sum + cpu * times.length, 0);
  return {
    all,
    median: medianOf(sorted),
    min: sorted[0] ?? Number.NaN,
    max: sorted.at(-1) ?? Number.NaN,
    cpu: spent / all.length,
  };
}

/** @param {readonly number[]} sorted */
function medianOf(sorted) {
  const middle = sorted.length / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle) - 1] ?? Number.NaN)) / 2;
}

/**
 * @param {Case} one
 * @param {{ runs: number, warmup: number }} how
 * @returns {Promise<Sample>}
 */
async function runHyperfine({ command, cwd, env = {}, prepare }, { runs, warmup }) {
  const file = path.join(await scratch(), `hyperfine-${process.pid}.json`);
  const options = ["--shell=none", "--style=none", "--export-json", file];
  if (prepare !== undefined) options.push("--prepare", line(prepare));
  await shell({
    cwd,
    env: { ...environment(), ...env },
  })`hyperfine ${options} --runs ${runs} --warmup ${warmup} ${line(command)}`;
  const { results } = JSON.parse(await readFile(file, "utf8"));
  await rm(file);
  const [{ times, user, system }] = results;
  return { times, cpu: user + system };
}

/**
 * Peak resident memory of a command and what it waits for, in bytes; undefined without GNU time.
 * @param {Pick<Case, "command" | "cwd" | "env">} one
 */
export async function measureMemory({ command, cwd, env = {} }) {
  if (!hasTool("/usr/bin/time")) return undefined;
  const file = path.join(await scratch(), `memory-${process.pid}`);
  await shell({ cwd, env: { ...environment(), ...env } })`/usr/bin/time -f %M -o ${file} ${command}`;
  const kibibytes = Number((await readFile(file, "utf8")).trim().split("\n").at(-1));
  await rm(file);
  return kibibytes * 1024;
}

/**
 * A command as hyperfine splits it without a shell: every word quoted as for one.
 * @param {readonly string[]} words
 */
function line(words) {
  return words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
}

/**
 * The line of a failed command's output that says most: an error's, or else the last one.
 * @param {unknown} error
 */
export function explain(error) {
  const said = error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
  const lines = said.split("\n").filter((line) => line.trim() !== "");
  return (lines.find((line) => /^error\b/i.test(line)) ?? lines.at(-1) ?? "unknown")
    .replace(/ Use the '-i'.*/, "")
    .trim();
}
