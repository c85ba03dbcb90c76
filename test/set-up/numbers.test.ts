/** The last lines of verify and of the checks before a change goes in. */
import path from "node:path";
import { expect, it } from "vitest";
import { addNumbers, closingLine, numbersIn } from "../../bin/test-numbers.mjs";
import { resultOf, runTests } from "../../bin/test-run.mjs";

it("reads the counts of the last closing line", () => {
  expect(numbersIn("7 passed, 1 failed\n9 passed, 0 failed, 2 skipped\nthe end\n")).toEqual({
    passed: 9,
    failed: 0,
    skipped: 2,
  });
  expect(numbersIn("no such line, though 3 passed, 0 failed is in it\n")).toEqual({
    passed: 0,
    failed: 0,
    skipped: 0,
  });
});

it("says the sum in one line, and skipped ones only where there are any", () => {
  const one = { passed: 1, failed: 0, skipped: 0 };
  expect(closingLine(addNumbers([one, one]))).toBe("2 passed, 0 failed");
  expect(closingLine(addNumbers([one, { passed: 2, failed: 1, skipped: 4 }]))).toBe(
    "3 passed, 1 failed, 4 skipped",
  );
});

it("names what failed, in one line each: a test with its message, or a file that could not be loaded", () => {
  const tests = [
    { status: "passed", fullName: "adds" },
    {
      status: "failed",
      fullName: "sums up",
      failureMessages: ["\u001b[31mAssertionError: 1\u001b[39m\n    at x"],
    },
    { status: "skipped", fullName: "waits" },
  ];
  const files = [
    { name: "/checkout/test/a.test.ts", status: "failed", message: "", assertionResults: tests },
    {
      name: "/checkout/test/b.test.ts",
      status: "failed",
      message: "SyntaxError: b\nmore",
      assertionResults: [],
    },
  ];
  expect(resultOf("/checkout", files)).toEqual({
    numbers: { passed: 1, failed: 0, skipped: 1 },
    failures: ["test/a.test.ts: sums up: AssertionError: 1", "test/b.test.ts: SyntaxError: b"],
  });
});

it("counts a run of vitest that no test explains as failed", async () => {
  const checkout = path.resolve(import.meta.dirname, "../..");
  expect(await runTests(process.execPath, { cwd: checkout }, ["no such file"])).toEqual({
    numbers: { passed: 0, failed: 1, skipped: 0 },
    lines: ["failed: vitest ended with status 1"],
  });
});
