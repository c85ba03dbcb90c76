// Runs the tests with vitest, shows what it prints, and reads its report: counts, and the names of what failed.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { stripVTControlCharacters } from "node:util";
import { runChild } from "./child.mjs";
import { addNumbers } from "./test-numbers.mjs";

/** @typedef {import("./test-numbers.mjs").Numbers} Numbers */

/**
 * The part of vitest's JSON report that is read.
 * @typedef {object} FileResult
 * @property {string} name Absolute path of the test file.
 * @property {string} status
 * @property {string} message Why the file failed before its first test; empty otherwise.
 * @property {readonly { status: string, fullName: string, failureMessages?: readonly string[] }[]} assertionResults
 */

/**
 * Whether a test file makes whole builds or boots machines: those of vitest's project "pipeline".
 * @param {string} file Relative to the checkout.
 */
export function isPipelineTest(file) {
  return file.startsWith("test/pipeline/") || file === "test/sample-base.test.ts";
}

/**
 * A test file that does not run here.
 * @typedef {object} Skipped
 * @property {string} file Relative to the checkout.
 * @property {readonly string[]} programs Names of the programs that it calls and that are not installed.
 */

/**
 * Runs the tests, and returns their counts with one line for each that failed (file, name, first line of the message) or whose
 * file was skipped.
 * @param {string} node The Node that runs them: a path, or a name in the environment's PATH.
 * @param {{ readonly cwd: string, readonly env?: NodeJS.ProcessEnv }} place The checkout to test, and its environment.
 * @param {readonly string[]} args Arguments of `vitest run`.
 * @param {readonly Skipped[]} [skipped]
 * @returns {Promise<{ readonly numbers: Numbers, readonly lines: readonly string[] }>}
 */
export async function runTests(node, { cwd, env }, args, skipped = []) {
  const directory = mkdtempSync(path.join(tmpdir(), "razor-mk-tests-"));
  try {
    const report = path.join(directory, "report.json");
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
    const excluded = skipped.map(({ file }) => `--exclude=${file}`);
    const vitest = path.join(cwd, "node_modules/vitest/vitest.mjs");
    const options = /** @type {const} */ ({ cwd, output: "shown", ...(env === undefined ? {} : { env }) });
    const words = ["run", ...reporters, ...excluded, ...args];
    const { status } = await runChild(node, [vitest, ...words], options);
    const { numbers, failures } = resultOf(cwd, readReport(report));
    // An error after the last test belongs to no test.
    if (status !== 0 && failures.length === 0) failures.push(`vitest ended with status ${status}`);
    return {
      numbers: addNumbers([numbers, { passed: 0, failed: failures.length, skipped: skipped.length }]),
      lines: [
        ...failures.map((failure) => `failed: ${failure}`),
        ...skipped.map(({ file, programs }) => `skipped: ${file}, without ${programs.join(", ")}`),
      ],
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * Counts the tests that passed or were skipped, and names those that failed. A file that failed before its first test, or beside
 * its tests, is named itself.
 * @param {string} checkout Absolute path.
 * @param {readonly FileResult[]} files
 */
export function resultOf(checkout, files) {
  const numbers = { passed: 0, failed: 0, skipped: 0 };
  /** @type {string[]} */
  const failures = [];
  for (const { name, status, message, assertionResults } of files) {
    const file = path.relative(checkout, name);
    const failed = assertionResults.filter((test) => test.status === "failed");
    const passed = assertionResults.filter((test) => test.status === "passed").length;
    for (const test of failed) failures.push(lineOf([file, test.fullName, test.failureMessages?.[0] ?? ""]));
    if (status === "failed" && failed.length === 0) failures.push(lineOf([file, message]));
    numbers.passed += passed;
    numbers.skipped += assertionResults.length - passed - failed.length;
  }
  return { numbers, failures };
}

/** @param {readonly string[]} parts */
function lineOf(parts) {
  const firstLines = parts.map((part) => stripVTControlCharacters(part).trim().split("\n", 1)[0] ?? "");
  return firstLines.filter((line) => line !== "").join(": ");
}

/**
 * @param {string} file
 * @returns {readonly FileResult[]}
 */
function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).testResults;
  } catch {
    return [];
  }
}
