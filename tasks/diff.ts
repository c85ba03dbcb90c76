/**
 * What differs between two ISOs, bundles or initrds, of this project or not. Its exit status is diff's: 0 the same, 1 different,
 * 2 trouble.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { compareFiles, describeDifferences, digestFile, withoutTimes } from "../src/comparison/index.ts";
import { command, param } from "../src/engine/index.ts";
import { UsageError } from "../src/errors/index.ts";
import { limitParams, limitsGiven } from "./settings/limit-options.ts";

const ignored = param.list({
  name: "ignore",
  description: "with diff: omit differences of this kind only: times",
  value: "REASON",
  default: [],
  accept: (reason) => {
    if (reason !== "times")
      throw new UsageError(`--ignore is "${reason}", but must be: times`, {
        code: "diff-ignore",
        hint: "omit it to see every difference",
      });
  },
});

export const diff = command({
  name: "diff",
  takes: "<A> <B>",
  offers: "files",
  description: "Compare two ISOs or bundles, down to lines (exit status as of diff)",
  group: "look",
  params: { ...limitParams, ignored },
  needsProject: () => false,
  failureStatus: 2,
  async run({ words, cwd, show, signal, value }) {
    const [a, b] = words;
    if (a === undefined || b === undefined || words.length > 2) {
      throw new UsageError("`diff` needs exactly two files", {
        code: "diff-usage",
        hint: "usage: task diff A.iso B.iso",
      });
    }
    const limits = await limitsGiven(value);
    const files = { a: path.resolve(cwd, a), b: path.resolve(cwd, b) };
    const spoolDir = await mkdtemp(path.join(tmpdir(), "razor-mk-diff-"));
    try {
      const all = await compareFiles(files.a, files.b, { spoolDir, signal, limits });
      const isIgnored = (await value(ignored)).includes("times");
      const differences = isIgnored ? withoutTimes(all) : all;
      const names =
        path.basename(a) === path.basename(b) ? { a, b } : { a: path.basename(a), b: path.basename(b) };
      const count = differences.length === 1 ? "1 difference" : `${differences.length} differences`;
      const lines =
        differences.length === 0
          ? [`${a} and ${b} are the same${all.length === 0 ? "" : ", times left out"}`]
          : [...describeDifferences(differences, names), `${count} between ${a} and ${b}`];
      const about = async (file: string, given: string) => ({ path: given, ...(await digestFile(file)) });
      const same = differences.length === 0;
      show({ same, a: await about(files.a, a), b: await about(files.b, b), differences }, lines);
      return same ? 0 : 1;
    } finally {
      await rm(spoolDir, { recursive: true, force: true });
    }
  },
});
