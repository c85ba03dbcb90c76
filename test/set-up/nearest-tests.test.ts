/** What `npm run check` runs first. */
import path from "node:path";
import { expect, it } from "vitest";
import { nearestTests } from "../../bin/nearest-tests.mjs";

const root = path.resolve(import.meta.dirname, "../..");

it("begins with the tests that changed, and with those named after a changed module or its directory", () => {
  const tests = nearestTests(root, [
    "src/cli/init/index.ts",
    "src/engine/run/schedule.ts",
    "test/cli/git.test.ts",
  ]);
  for (const name of ["test/cli/init.test.ts", "test/engine/schedule.test.ts", "test/cli/git.test.ts"])
    expect(tests.slice(0, 4)).toContain(name);
});

it("goes on with the tests that use what a changed module exports", () => {
  expect(nearestTests(root, ["src/cli/init/dependency.ts"])).toEqual([
    "test/cli/init.test.ts",
    "test/set-up/package.test.ts",
  ]);
});

it("finds no test for what no test can be about", () => {
  expect(nearestTests(root, ["README.md", "src/gone.ts"])).toEqual([]);
});
