// Everything that is checked before a change goes in: lint, types, all tests with the boots. Arguments choose test
// files. It ends with one line of numbers; what the tests are about it does not know.
import path from "node:path";
import { toolsOfBuild } from "./build-tools.mjs";
import { runChild } from "./child.mjs";
import { root, runScript, setUp } from "./setup.mjs";
import { closingLine } from "./test-numbers.mjs";
import { programsOfTests } from "./test-programs.mjs";
import { runTests } from "./test-run.mjs";

await runScript(async () => {
  const programs = programsOfTests(path.join(root, "test"));
  const called = [...new Set([...programs.values()].flat())];
  const lacking = await setUp(() => toolsOfBuild(["iso", "--source", "sample"], { all: true }), called);
  const left = [...programs].filter(([, names]) => names.some((name) => lacking.includes(name)));
  const leftOut = left.map(([file]) => path.relative(root, file));
  const lint = await check("lint", "@biomejs/biome/bin/biome", ["check", "."]);
  const types = await check("types", "typescript/bin/tsc", ["--noEmit"]);
  process.stdout.write("\n== tests\n");
  const args = [...process.argv.slice(2), ...leftOut.map((file) => `--exclude=${file}`)];
  const { numbers, failures } = await runTests(process.execPath, { cwd: root }, args);

  const broken = [...(lint ? [] : ["lint"]), ...(types ? [] : ["types"])];
  for (const what of [...broken, ...failures]) process.stdout.write(`failed: ${what}\n`);
  if (numbers.passed + numbers.failed === 0) process.stdout.write("no test ran\n");
  for (const [file, names] of left)
    process.stdout.write(
      `skipped: ${path.relative(root, file)}, without ${names.filter((name) => lacking.includes(name)).join(", ")}\n`,
    );
  const failed = numbers.failed + broken.length;
  const skipped = numbers.skipped + left.length;
  process.stdout.write(`${closingLine({ passed: numbers.passed, failed, skipped })}\n`);
  return failed > 0 || numbers.passed === 0 ? 1 : 0;
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
