// Tries the project under the newest releases of Node: quickstart and the tests of the pipeline, but for the boots and for what other
// programs do, each in a clone of its own, with every use of what Node is to deprecate a failure. Arguments are major versions; without them those below.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import path from "node:path";
import { runChild } from "./child.mjs";
import { ensureTools } from "./host-tools.mjs";
import { fullPath, root, runScript, say } from "./setup.mjs";
import { SetupFailure } from "./setup-failure.mjs";
import { addNumbers, closingLine } from "./test-numbers.mjs";
import { programsOfTests } from "./test-programs.mjs";
import { runTests } from "./test-run.mjs";

const emulator = "qemu-system-x86_64";
/** The newest with long-term support, and the newest. */
const majors = ["24", "26"];
/** Tests in which a compiler, old scripts or a cluster work for minutes, and this program hardly at all. */
const ofOtherPrograms = ["recipes", "old-revisions", "cluster"].map(
  (name) => `test/pipeline/${name}.test.ts`,
);

await runScript(async () => {
  const words = process.argv.slice(2);
  // Official builds of Node 26 are linked with it, and a minimal system has none.
  await ensureTools(["libatomic.so.1"], say);
  /** @type {import("./test-numbers.mjs").Numbers[]} */
  const all = [];
  for (const major of words.length === 0 ? majors : words) all.push(await tryNode(major));
  const sum = addNumbers(all);
  process.stdout.write(`${closingLine(sum)}\n`);
  return sum.failed > 0 || sum.passed === 0 ? 1 : 0;
});

/**
 * @param {string} major
 * @returns {Promise<import("./test-numbers.mjs").Numbers>}
 */
async function tryNode(major) {
  const programs = await fetchNode(major);
  // Beside the checkout's cache, since it may be large; with a space, as users have it.
  const parent = path.join(root, ".buildcache");
  mkdirSync(parent, { recursive: true });
  const directory = mkdtempSync(path.join(parent, `node ${major} `));
  const clone = path.join(directory, "razor-mk");
  try {
    const cloned = await runChild("git", ["clone", "--quiet", "--no-hardlinks", root, clone], {
      cwd: directory,
      output: "errors-shown",
    });
    if (cloned.status !== 0)
      throw new SetupFailure(
        "checkout-clone",
        "the checkout cannot be cloned",
        "run the command in a git checkout",
      );
    const hook = path.join(clone, "test/support/deprecations.cjs");
    const env = {
      ...process.env,
      PATH: `${programs}:${fullPath()}`,
      NODE_OPTIONS: `--pending-deprecation --no-warnings --require=${JSON.stringify(hook)}`,
    };
    const version = await runChild("node", ["--version"], { cwd: clone, output: "kept", env });
    if (version.status !== 0)
      throw new SetupFailure(
        "node-release",
        `Node ${major} does not start: ${version.output.trim()}`,
        "install the shared library that the message names",
      );
    say(`trying ${version.output.trim()}`);
    const built = await runChild("npm", ["run", "quickstart"], { cwd: clone, output: "shown", env });
    const quickstart = { passed: built.status === 0 ? 1 : 0, failed: built.status === 0 ? 0 : 1, skipped: 0 };
    const tests = await runTests("node", { cwd: clone, env }, [
      "--project",
      "pipeline",
      ...withoutMachines(clone),
      ...ofOtherPrograms.map((file) => `--exclude=${file}`),
    ]);
    for (const line of tests.lines) process.stdout.write(`${line} (Node ${major})\n`);
    return addNumbers([quickstart, tests.numbers]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * Arguments that exclude the tests which boot virtual machines: to a machine it is no matter which Node made the image's bytes.
 * @param {string} clone Absolute path.
 */
function withoutMachines(clone) {
  const booting = [...programsOfTests(path.join(clone, "test"))].filter(([, programs]) =>
    programs.includes(emulator),
  );
  return booting.map(([file]) => `--exclude=${path.relative(clone, file)}`);
}

/**
 * Fetches a Node through npm, whose packages of this name hold nothing but the program.
 * @param {string} major
 * @returns {Promise<string>} Absolute path of the directory with the program.
 */
async function fetchNode(major) {
  if (!/^\d+$/.test(major))
    throw new SetupFailure("node-release", `"${major}" is not a major version`, "write it as 24");
  const directory = path.join(root, ".buildcache/nodes", major);
  const name = `node-linux-${process.arch}`;
  mkdirSync(directory, { recursive: true });
  const args = [
    "install",
    "--prefix",
    directory,
    "--no-save",
    "--no-package-lock",
    "--ignore-scripts",
    `${name}@${major}`,
  ];
  const { status, output } = await runChild("npm", args, { cwd: directory, output: "kept" });
  if (status === 0) return path.join(directory, "node_modules", name, "bin");
  throw new SetupFailure(
    "node-release",
    `Node ${major} cannot be downloaded: ${output.trim()}`,
    "check that npm's registry is reachable",
  );
}
