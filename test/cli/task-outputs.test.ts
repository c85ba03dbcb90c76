/** What each task printed in its last run, as the log and watch mode show it. */
import { expect, it } from "vitest";
import { TaskOutputs } from "../../src/cli/output/task-outputs.ts";
import { taskId } from "../../src/engine/define/names.ts";

const [one, other] = [taskId("one", "dev"), taskId("other", "dev")];

it("has the output of the last run only, and of each task for itself", () => {
  const outputs = new TaskOutputs(1000);
  outputs.onEvent({ type: "task-output", task: one, text: "before\n" });
  outputs.onEvent({ type: "task-started", task: one, reasons: [] });
  outputs.onEvent({ type: "task-output", task: one, text: "first, " });
  outputs.onEvent({ type: "task-output", task: other, text: "other\n" });
  outputs.onEvent({ type: "task-output", task: one, text: "second\n" });
  expect([...outputs.all()]).toEqual(
    [
      [other, "other\n"],
      [one, "first, second\n"],
    ].reverse(),
  );
  outputs.onEvent({ type: "task-outdated", task: one });
  expect([outputs.of(one), outputs.of(other)]).toEqual([undefined, "other\n"]);
});

it("replaces the output of a task by that of a run that sent no events", () => {
  const outputs = new TaskOutputs(1000);
  outputs.onEvent({ type: "task-output", task: one, text: "pieces" });
  outputs.replace(one, "all of it");
  expect(outputs.of(one)).toBe("all of it");
});

it("keeps a bounded part of each", () => {
  const outputs = new TaskOutputs(1000);
  for (let line = 0; line < 1000; line += 1)
    outputs.onEvent({ type: "task-output", task: one, text: `line ${line}\n` });
  const text = outputs.of(one) ?? "";
  expect(text.length).toBeLessThan(1200);
  expect(text).toContain("line 999\n");
});
