/** A pattern matches the same paths for reading, ownership, `affected` and the watch. */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import {
  type BoundTask,
  files,
  inputCovers,
  out,
  type Task,
  type TaskId,
  task,
} from "../../src/engine/index.ts";
import { coverageOf } from "../../src/engine/watch/coverage.ts";
import { run, workspace } from "./workshop.ts";

const names = [
  "a.txt",
  "o2/a.txt",
  "o2/deep/b.txt",
  "src/a.txt",
  "src/o2/c.txt",
  "src/deep/d.md",
  ".dot/e.txt",
  "line\nbreak/f.txt",
];
const tree = Object.fromEntries(names.map((name) => [name, name]));

/** The patterns, what is left out, and the names that are meant. */
const cases: Readonly<
  Record<string, readonly [patterns: readonly string[], ignore: readonly string[], meant: readonly string[]]>
> = {
  "all but a directory, with a !": [
    ["**/*.txt", "!o2/**"],
    [],
    ["a.txt", "src/a.txt", "src/o2/c.txt", ".dot/e.txt", "line\nbreak/f.txt"],
  ],
  "all but a directory, with ignore": [
    ["**/*.txt"],
    ["o2/**"],
    ["a.txt", "src/a.txt", "src/o2/c.txt", ".dot/e.txt", "line\nbreak/f.txt"],
  ],
  "a directory left out by its name alone": [
    ["**/*.txt", "!o2"],
    [],
    ["a.txt", "src/a.txt", "src/o2/c.txt", ".dot/e.txt", "line\nbreak/f.txt"],
  ],
  "a directory left out above the pattern": [["o2/deep/*", "a.txt"], ["o2"], ["a.txt"]],
  "a ! before what it takes away": [["!**/*.md", "src/**"], [], ["src/a.txt", "src/o2/c.txt"]],
  "several of them": [["**", "!**/o2/**", "!**/*.md", "!.dot/**", "!line*/**"], [], ["a.txt", "src/a.txt"]],
  "a group with a !, which matches": [["!(src|o2|.dot|line*)"], [], ["a.txt"]],
  "one directory and a !": [["src/*", "!src/a*"], [], []],
};

describe("the patterns of an input", () => {
  for (const [what, [patterns, ignore, meant]] of Object.entries(cases)) {
    it(`mean the same to the build, to ownership, to affected and to a watch: ${what}`, async () => {
      const root = workspace(tree);
      const input = files(patterns, { ignore, optional: true });
      const read: string[] = [];
      const reader = task({
        name: "reader",
        description: "",
        inputs: { all: input },
        outputs: { made: out.file("made") },
        run: ({ inputs, outputs }) => {
          read.push(...inputs.all.paths);
          writeFileSync(outputs.made, "");
        },
      });
      expect((await run(root, [reader])).outcome).toBe("succeeded");
      expect([...read].sort()).toEqual([...meant].sort());

      const bound = {
        id: "reader" as TaskId,
        task: reader as Task,
        named: new Map(),
        outputs: [],
      } as unknown as BoundTask;
      const coverage = await coverageOf(new Map([[bound.id, bound]]), root, []);
      for (const name of names) {
        const expected = meant.includes(name);
        expect(await inputCovers(input, path.join(root, name), root, bound), `affected: ${name}`).toBe(
          expected,
        );
        expect(coverage.concernedBy(path.join(root, name)).size > 0, `watch: ${name}`).toBe(expected);
        const owner = task({
          name: "owner",
          description: "",
          inputs: { all: input },
          outputs: { made: out.artifact(name) },
          run: ({ outputs }) => writeFileSync(outputs.made, name),
        });
        const refused = await run(root, [owner]).then(
          () => false,
          (error: { code?: string }) => error.code === "output-is-input",
        );
        expect(refused, `ownership: ${name}`).toBe(expected);
      }
    });
  }
});
