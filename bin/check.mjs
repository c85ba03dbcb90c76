// The quick check while working: lint, types, and the tests that a change touches, the nearest first, as far as half a minute
// goes. An argument names the revision to compare with (default: HEAD, so what is not committed). `npm run verify` checks all.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { runChild } from "./child.mjs";
import { nearestTests } from "./nearest-tests.mjs";
import { root, runScript } from "./setup.mjs";
import { SetupFailure } from "./setup-failure.mjs";
import { isPipelineTest } from "./test-run.mjs";

/** Seconds of tests, one file after the other, that two cores run while nobody loses patience. */
const patience = 20;
/** Seconds that a test file is taken to need before it ran here. */
const guess = 2;

await runScript(async () => {
  const started = performance.now();
  const revision = process.argv[2] ?? "HEAD";
  const changed = await changedSince(revision);
  const statuses = await Promise.all([
    runModule("@biomejs/biome/bin/biome", ["check", "."]),
    runModule("typescript/bin/tsc", ["--noEmit"]),
  ]);
  const touched = changed.length === 0 ? [] : await touchedTests(revision);
  const tests = [
    ...new Set([...nearestTests(root, changed).filter((file) => !isPipelineTest(file)), ...touched]),
  ];
  const chosen = withinPatience(tests);
  if (chosen.length > 0)
    statuses.push(await runModule("vitest/vitest.mjs", ["run", "--project", "unit", ...chosen]));
  const failed = statuses.some((status) => status !== 0);
  const left = tests.length - chosen.length;
  const seconds = Math.round((performance.now() - started) / 1000);
  process.stdout.write(
    `\n${failed ? "failed" : "passed"}: lint, types and ${chosen.length} of the ${tests.length} test files that ${changed.length} changed files touch, in ${seconds} s\n`,
  );
  if (left > 0)
    process.stdout.write(
      `not run: ${left} test files; npx vitest run --project unit --changed=${revision}\n`,
    );
  return failed ? 1 : 0;
});

/**
 * As many as the patience is for, by what each took the last time; a long one is left for later.
 * @param {readonly string[]} tests The nearest first.
 */
function withinPatience(tests) {
  const seconds = lastSeconds();
  let left = patience;
  return tests.filter((name) => {
    const expected = seconds.get(name) ?? guess;
    if (expected > left) return false;
    left -= expected;
    return true;
  });
}

/** What vitest noted of its last runs: seconds by test file. */
function lastSeconds() {
  /** @type {Map<string, number>} */
  const seconds = new Map();
  const directory = path.join(root, "node_modules/.vite/vitest");
  if (!existsSync(directory)) return seconds;
  for (const name of readdirSync(directory)) {
    const file = path.join(directory, name, "results.json");
    if (!existsSync(file)) continue;
    /** @type {{ results: readonly (readonly [string, { duration: number }])[] }} */
    const { results } = JSON.parse(readFileSync(file, "utf8"));
    for (const [test, { duration }] of results) seconds.set(test.replace(/^\w*:/, ""), duration / 1000);
  }
  return seconds;
}

/**
 * Paths relative to the checkout of what changed since a revision, with what git does not know yet.
 * @param {string} revision
 */
async function changedSince(revision) {
  const tracked = await git(["diff", "--name-only", "--no-renames", "-z", revision, "--"]);
  const fresh = await git(["ls-files", "--others", "--exclude-standard", "-z"]);
  return [...new Set(`${tracked}${fresh}`.split("\0").filter((name) => name !== ""))].sort();
}

/**
 * The tests that import what changed, as vitest finds them: it sees no module that a test runs in another process.
 * @param {string} revision
 */
async function touchedTests(revision) {
  const script = path.join(root, "node_modules/vitest/vitest.mjs");
  const args = [script, "list", "--filesOnly", "--project", "unit", `--changed=${revision}`];
  const { output } = await runChild(process.execPath, args, { cwd: root, output: "kept" });
  return [...output.matchAll(/^(?:\[unit\] )?(test\/\S+\.test\.ts)$/gm)].map(([, name = ""]) => name);
}

/** @param {readonly string[]} args */
async function git(args) {
  const { status, output } = await runChild("git", args, { cwd: root, output: "kept" });
  if (status !== 0)
    throw new SetupFailure(
      "check-revision",
      `git ${args[0]} failed: ${output.trim()}`,
      "name a revision that git knows: npm run check -- main",
    );
  return output;
}

/**
 * @param {string} script Below node_modules.
 * @param {readonly string[]} args
 */
async function runModule(script, args) {
  const file = path.join(root, "node_modules", script);
  const { status } = await runChild(process.execPath, [file, ...args], { cwd: root, output: "shown" });
  return status;
}
