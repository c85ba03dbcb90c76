/** Patterns that mean files of one directory are not walked for: they find what fast-glob finds. */
import { mkdirSync, symlinkSync } from "node:fs";
import path from "node:path";
import glob from "fast-glob";
import { describe, expect, it } from "vitest";
import { flatDirectory, search } from "../../src/engine/files/search.ts";
import { workspace } from "./workshop.ts";

const tree = {
  "a.txt": "",
  "b.txt": "",
  ".hidden.txt": "",
  "a b's.txt": "",
  "ü.txt": "",
  "x.md": "",
  "deep/a.txt": "",
  "deep/.b.txt": "",
  "deep/er/c.txt": "",
  "a (1)/y.txt": "",
};

const patterns: readonly (readonly string[])[] = [
  ["*"],
  ["*.txt"],
  ["?.txt", "*.md"],
  [".*"],
  ["*.*", "a*"],
  ["deep/*"],
  ["deep/*.txt", "*.md", "deep/er/?.txt"],
  ["deep/er*"],
  ["link/*.txt"],
  ["none/*"],
  ["a b*"],
];

const ignores: readonly (readonly string[])[] = [
  [],
  ["b.txt"],
  ["**/*.md", "deep/**"],
  ["**/.*"],
  ["deep"],
  ["{a,b}.txt"],
];

describe("a pattern for one directory", () => {
  for (const some of patterns) {
    it(`finds what fast-glob finds: ${some.join(", ")}`, async () => {
      const root = workspace(tree);
      mkdirSync(path.join(root, "empty"));
      symlinkSync("deep", path.join(root, "link"));
      symlinkSync("nowhere", path.join(root, "broken.txt"));
      for (const ignore of ignores) {
        const options = { cwd: root, dot: true, onlyFiles: false, followSymbolicLinks: false };
        const wanted = glob.sync([...some], { ...options, ignore: [...ignore] }).sort();
        const found = (await search(some, { cwd: root, ignore })).map((entry) => entry.path).sort();
        expect([ignore, found]).toEqual([ignore, wanted]);
      }
      expect(some.map(flatDirectory)).not.toContain(undefined);
    });
  }

  for (const other of [
    "**",
    "**/*.txt",
    "a.txt",
    "{a,b}*",
    "d*/x",
    "!a*",
    "a/../*",
    "./*",
    "/tmp/*",
    "a\\*",
    "[ab]*",
    "+(a)*",
  ]) {
    it(`is not one that has to be walked for, or is a name: ${other}`, () => {
      expect(flatDirectory(other)).toBeUndefined();
    });
  }
});
