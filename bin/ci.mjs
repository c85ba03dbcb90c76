// All that is checked before a change goes in: both of the README's commands in a fresh machine, and the newest Nodes. Where no
// such machine can be made all of it runs here, and the last lines say so.

import { runChild } from "./child.mjs";
import { FreshMachine } from "./fresh-machine.mjs";
import { root, runScript, say } from "./setup.mjs";
import { SetupFailure } from "./setup-failure.mjs";
import { addNumbers, closingLine, numbersIn } from "./test-numbers.mjs";

/** @typedef {(user: "root" | "dev", command: readonly string[]) => Promise<{ status: number, output: string }>} Run */

const started = performance.now();

await runScript(async () => {
  /** @type {FreshMachine | undefined} */
  let machine;
  /** @type {string[]} */
  const notes = [];
  try {
    machine = await FreshMachine.make(root, say);
  } catch (error) {
    if (!(error instanceof SetupFailure) || error.status !== 1) throw error;
    say(`${error.message}\nrunning everything on this machine`);
    notes.push(
      `not proved: that README.md names everything that a fresh machine needs (${error.message.split("\n")[0]})`,
    );
  }
  const output = "shown-and-kept";
  /** @type {Run} */
  const run =
    machine === undefined
      ? (_user, [program = "", ...args]) => runChild(program, args, { cwd: root, output })
      : (user, command) => /** @type {FreshMachine} */ (machine).run(user, command, { output });
  try {
    const numbers = await runAll(run, machine !== undefined, notes);
    say(`it took ${Math.round((performance.now() - started) / 1000)} s`);
    process.stdout.write([...notes, closingLine(numbers), ""].join("\n"));
    return numbers.failed > 0 || numbers.passed === 0 ? 1 : 0;
  } finally {
    machine?.remove();
  }
});

/**
 * @param {Run} run
 * @param {boolean} isFresh Whether nothing is installed where it runs.
 * @param {string[]} notes Lines to be said at the end; more are added.
 */
async function runAll(run, isFresh, notes) {
  /** @type {import("./test-numbers.mjs").Numbers[]} */
  const all = [];
  /** @param {string} what @param {boolean} passed */
  const judge = (what, passed) => {
    all.push({ passed: passed ? 1 : 0, failed: passed ? 0 : 1, skipped: 0 });
    notes.push(`${passed ? "passed" : "failed"}: ${what}`);
  };
  /** @param {string} what @param {string} command */
  const count = async (what, command) => {
    const { status, output } = await run("root", command.split(" "));
    const numbers = numbersIn(output);
    if (status !== 0 && numbers.failed === 0) numbers.failed = 1;
    all.push(numbers);
    notes.push(`${numbers.failed === 0 ? "passed" : "failed"}: ${what} (${closingLine(numbers)})`);
    notes.push(...output.split("\n").filter((line) => /^(skipped|failed): /.test(line)));
  };
  if (isFresh) {
    const { status, output } = await run("dev", ["npm", "run", "quickstart"]);
    const says = /^ {2}apt-get install .*\n {2}hint: .*as root/m.test(output) && !/\n {4}at /.test(output);
    judge("npm run quickstart without root's rights says what root has to install", status === 1 && says);
  }
  judge("npm run quickstart", (await run("root", ["npm", "run", "quickstart"])).status === 0);
  await count("npm run verify", "npm run verify");
  await count("the newest releases of Node", "npm run newer-nodes");
  return addNumbers(all);
}
