/** The table of what became of the old scripts: a test that it names is there. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");
const table = readFileSync(path.join(root, "docs/parity.md"), "utf8").split("\n");

/** Each test that a row names: the file, and its sentence; a file counts until the next one. */
function namedTests(): readonly (readonly [file: string, sentence: string])[] {
  return table.flatMap((row) => {
    let file = "";
    return [...row.matchAll(/`(test\/[^`]+\.ts)`|"([^"]+)"/g)].flatMap(([, path, sentence]) => {
      if (path !== undefined) file = path;
      return sentence === undefined || file === "" ? [] : [[file, sentence] as const];
    });
  });
}

describe("docs/parity.md", () => {
  it("names a test in every row of its tables but those of the trees", () => {
    const trees = table.indexOf("## The trees, line by line");
    const rows = table
      .slice(0, trees)
      .filter((line) => line.startsWith("| ") && !/^\| (---|the scripts|the defect)/.test(line));
    expect(rows.length).toBeGreaterThan(50);
    for (const row of rows) expect(row).toMatch(/`test\/[^`]+\.ts`: "[^"]+"/);
  });

  it.each(namedTests())("%s has a test that says: %s", (file, sentence) => {
    expect(readFileSync(path.join(root, file), "utf8")).toContain(`"${sentence}"`);
  });
});
