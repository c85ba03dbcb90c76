/** The closing line of verify and of the checks before a change goes in. */
import { expect, it } from "vitest";
import { addNumbers, closingLine, numbersIn } from "../../bin/test-numbers.mjs";

it("counts what vitest and verify print, in colour or not, and what is printed last", () => {
  const vitest =
    "\u001b[2m      Tests \u001b[22m \u001b[31m2 failed\u001b[39m | 10 passed | 3 skipped (15)\n";
  expect(numbersIn(vitest)).toEqual({ passed: 10, failed: 2, skipped: 3 });
  expect(numbersIn(`${vitest}\n7 passed, 1 failed\n`)).toEqual({ passed: 7, failed: 1, skipped: 0 });
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
