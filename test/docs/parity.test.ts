/** The table of what became of the old scripts: the tests that it names are there. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");
const table = readFileSync(path.join(root, "docs/parity.md"), "utf8").split("\n");

/** The test files that a row names. */
const testsIn = (row: string): readonly string[] =>
  [...row.matchAll(/`(test\/[^`]+(?:\.test\.ts|_test\.rb))`/g)].map(([, file = ""]) => file);

describe("docs/parity.md", () => {
  it("names a test in every row of its tables but those of the trees", () => {
    const trees = table.indexOf("## The trees, line by line");
    const rows = table
      .slice(0, trees)
      .filter((line) => line.startsWith("| ") && !/^\| (---|the scripts|the defect)/.test(line));
    expect(rows.length).toBeGreaterThan(50);
    expect(rows.filter((row) => testsIn(row).length === 0)).toEqual([]);
  });

  it("names tests that are there", () => {
    const named = new Set(table.flatMap(testsIn));
    expect([...named].filter((file) => !existsSync(path.join(root, file)))).toEqual([]);
  });
});
