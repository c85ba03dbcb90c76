// Everything that is checked before a change goes in: lint, types, all tests with the boots. Arguments choose test
// files. It ends with one line of numbers; what the tests are about it does not know.
import path from "node:path";
import { toolsOfBuild } from "./build-tools.mjs";
import { runChild } from "./child.mjs";
import { root, runScript, setUp } from "./setup.mjs";
import { addNumbers, closingLine } from "./test-numbers.mjs";
import { programsOfTests, testsWithout } from "./test-programs.mjs";
import { runTests } from "./test-run.mjs";

await runScript(async () => {
  const programs = programsOfTests(path.join(root, "test"));
  const called = [...new Set([...programs.values()].flat())];
  const missing = await setUp(() => toolsOfBuild(["iso", "--source", "sample"], { all: true }), called);
  const lint = await check("lint", "@biomejs/biome/bin/biome", ["check", "."]);
  const types = await check("types", "typescript/bin/tsc", ["--noEmit"]);
  process.stdout.write("\n== tests\n");
  const skipped = testsWithout(programs, missing, root);
  const tests = await runTests(process.execPath, { cwd: root }, process.argv.slice(2), skipped);

  const broken = [...(lint ? [] : ["lint"]), ...(types ? [] : ["types"])];
  const numbers = addNumbers([tests.numbers, { passed: 0, failed: broken.length, skipped: 0 }]);
  if (tests.numbers.passed + tests.numbers.failed === 0) process.stdout.write("no test ran\n");
  const lines = [...broken.map((what) => `failed: ${what}`), ...tests.lines, closingLine(numbers)];
  process.stdout.write(`${lines.join("\n")}\n`);
  return numbers.failed > 0 || numbers.passed === 0 ? 1 : 0;
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
