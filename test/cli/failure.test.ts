/** What a user is told of an error in the code of a task: where that code is, in the file that was written. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { demo, put, runTask } from "./workshop.ts";

/** The demonstration with a piece of its tasks replaced, and the line on which it now stands. */
function changed(from: string, to: string) {
  const root = demo();
  const text = readFileSync(path.join(root, "tasks/all.ts"), "utf8").replace(from, to);
  put(root, "tasks/all.ts", text);
  return { root, line: text.split(to)[0]?.split("\n").length };
}

it("an error that a task's code does not expect is told with the line, and with --verbose with the way to it", async () => {
  const { root, line } = changed("params.password?.reveal()", "params.nobody.reveal()");
  const { stderr, status } = await runTask(root, ["greet"]);
  expect(stderr).toContain(
    `error: greet: Cannot read properties of undefined (reading 'reveal')\n  where: tasks/all.ts:${line}\n  hint: `,
  );
  expect(stderr).not.toMatch(/a bug in razor-mk|\n {4}at /);
  expect(status).toBe(1);
  const verbose = await runTask(root, ["greet", "--verbose"]);
  expect(verbose.stderr).toMatch(new RegExp(`\n {4}at .*tasks/all\\.ts:${line}\\)?\\n`));
  expect(verbose.stderr).not.toContain("program.cjs");
});

it.each([
  ["outputs", "outputs: { text: out.artifact(", "more: { text: out.artifact("],
  ["needs.name", "needs: { name }", "needs: { name: undefined as never }"],
])("a task without its %s is told with the line on which it begins", async (part, from, to) => {
  const { root } = changed(from, to);
  const begins = readFileSync(path.join(root, "tasks/all.ts"), "utf8").split("export const greet ")[0];
  const { stderr, status } = await runTask(root, ["greet"]);
  expect(stderr).toContain(
    `error: the task "greet" has no ${part}\n  where: tasks/all.ts:${begins?.split("\n").length}\n`,
  );
  expect(status).toBe(1);
});
