/** Lines of a build as a log keeps them. */
import { expect, it } from "vitest";
import { FailureText } from "../../src/cli/output/failure.ts";
import { PlainReporter } from "../../src/cli/output/plain-reporter.ts";
import { SourceStack } from "../../src/cli/output/source-stack.ts";
import { plainStyle as style } from "../../src/cli/terminal/style.ts";
import type { Progress, TaskId } from "../../src/engine/index.ts";

it("have each large file once, when it is there, and nothing of the hundreds of small ones", () => {
  const lines: string[] = [];
  const reporter = new PlainReporter({
    style,
    failure: new FailureText(style, false, new SourceStack({ directory: "/", packageRoot: "/" }, "/")),
    verbose: false,
    quiet: false,
    notes: true,
    fresh: true,
    compact: undefined,
    progressLines: true,
    print: (line) => lines.push(line),
    logText: () => undefined,
  });
  const tell = (item: string, done: number, total: number): void => {
    const progress: Progress = { item, done, total, unit: "bytes" };
    reporter.onEvent({ type: "task-progress", task: "fetch@dev" as TaskId, progress });
  };
  tell("bash.tcz", 500_000, 1_000_000);
  tell("bash.tcz.info", 579, 579);
  tell("bash.tcz", 1_000_000, 1_000_000);
  tell("bash.tcz", 1_000_000, 1_000_000);
  expect(lines).toEqual(["  fetch | bash.tcz 1.0 MB"]);
});
