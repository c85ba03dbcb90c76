// Runs the tests that this machine can run: `npm run verify` installs what the others need. Arguments are vitest's.
import path from "node:path";
import { toolsOfBuild } from "./build-tools.mjs";
import { root, runScript } from "./setup.mjs";
import { closingLine } from "./test-numbers.mjs";
import { programsOfTests, testsWithout } from "./test-programs.mjs";
import { isPipelineTest, runTests } from "./test-run.mjs";
import { isInstalled } from "./tool-table.mjs";

await runScript(async () => {
  const built = await toolsOfBuild(["iso", "--source", "sample"], { all: true });
  const programs = new Map(
    [...programsOfTests(path.join(root, "test"))].map(([file, names]) => [
      file,
      isPipelineTest(path.relative(root, file)) ? [...new Set([...names, ...built])].sort() : names,
    ]),
  );
  const missing = [...new Set([...programs.values()].flat())].filter((name) => !isInstalled(name));
  const skipped = testsWithout(programs, missing, root);
  const { numbers, lines } = await runTests(process.execPath, { cwd: root }, process.argv.slice(2), skipped);
  process.stdout.write(`${[...lines, closingLine(numbers)].join("\n")}\n`);
  if (skipped.length > 0) process.stdout.write("npm run verify installs what the skipped tests need\n");
  return numbers.failed > 0 ? 1 : 0;
});
