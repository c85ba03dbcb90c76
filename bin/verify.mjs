// Everything that is checked before a change goes in: lint, types, all tests with the boots. Arguments choose test
// files. It ends with one line of numbers; what the tests are about it does not know.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { toolsOfBuild } from "./build-tools.mjs";
import { runChild } from "./child.mjs";
import { root, runScript, setUp } from "./setup.mjs";
import { closingLine } from "./test-numbers.mjs";
import { programsOfTests } from "./test-programs.mjs";

/** @typedef {import("./test-numbers.mjs").Numbers} Numbers */

await runScript(async () => {
  const programs = programsOfTests(path.join(root, "test"));
  const called = [...new Set([...programs.values()].flat())];
  const lacking = await setUp(() => toolsOfBuild(["iso", "--source", "sample"], { all: true }), called);
  const left = [...programs].filter(([, names]) => names.some((name) => lacking.includes(name)));
  const leftOut = left.map(([file]) => path.relative(root, file));
  const lint = await check("lint", "@biomejs/biome/bin/biome", ["check", "."]);
  const types = await check("types", "typescript/bin/tsc", ["--noEmit"]);
  const tests = await runTests([...process.argv.slice(2), ...leftOut.map((file) => `--exclude=${file}`)]);

  const broken = [...(lint ? [] : ["lint"]), ...(types ? [] : ["types"])];
  if (broken.length > 0) process.stdout.write(`failed beside the tests: ${broken.join(", ")}\n`);
  if (!tests.ran) process.stdout.write("no test ran\n");
  for (const [file, names] of left)
    process.stdout.write(
      `skipped: ${path.relative(root, file)}, without ${names.filter((name) => lacking.includes(name)).join(", ")}\n`,
    );
  const failed = tests.failed + broken.length;
  const skipped = tests.skipped + left.length;
  process.stdout.write(`${closingLine({ passed: tests.passed, failed, skipped })}\n`);
  return failed > 0 || tests.passed === 0 ? 1 : 0;
});

/**
 * @param {string} name
 * @param {string} script Below node_modules.
 * @param {readonly string[]} args
 */
async function check(name, script, args) {
  process.stdout.write(`\n== ${name}\n`);
  const { status } = await runModule(script, args);
  return status === 0;
}

/**
 * @param {string} script Below node_modules.
 * @param {readonly string[]} args
 */
function runModule(script, args) {
  const file = path.join(root, "node_modules", script);
  return runChild(process.execPath, [file, ...args], { cwd: root, output: "shown" });
}

/**
 * @param {readonly string[]} args
 * @returns {Promise<Numbers & { readonly ran: boolean }>}
 */
async function runTests(args) {
  process.stdout.write("\n== tests\n");
  const folder = mkdtempSync(path.join(tmpdir(), "razor-mk-verify-"));
  try {
    const report = path.join(folder, "report.json");
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
    const { status } = await runModule("vitest/vitest.mjs", ["run", ...reporters, ...args]);
    const numbers = readReport(report);
    // Something failed that is no test, such as an error after the last one: it may not go unseen.
    const failed = status !== 0 && numbers.failed === 0 ? 1 : numbers.failed;
    return { ...numbers, failed, ran: numbers.passed + numbers.failed > 0 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Counts tests; a file that failed before its first test, or beside its tests, counts as one that failed.
 * @param {string} file
 * @returns {Numbers}
 */
function readReport(file) {
  /** @type {{ testResults: readonly { status: string, assertionResults: readonly { status: string }[] }[] }} */
  let report;
  try {
    report = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return { passed: 0, failed: 0, skipped: 0 };
  }
  const numbers = { passed: 0, failed: 0, skipped: 0 };
  for (const { status, assertionResults } of report.testResults) {
    const failed = assertionResults.filter((test) => test.status === "failed").length;
    const passed = assertionResults.filter((test) => test.status === "passed").length;
    numbers.passed += passed;
    numbers.skipped += assertionResults.length - passed - failed;
    numbers.failed += status === "failed" && failed === 0 ? 1 : failed;
  }
  return numbers;
}
