/**
 * Builds in processes of their own, which a test may do things to that no process survives, and what is right after them.
 */
import { type ChildProcess, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { build as bundle } from "esbuild";
import { afterAll, beforeAll, expect } from "vitest";

export const checkout = path.resolve(import.meta.dirname, "../../..");
export const isRoot = process.getuid?.() === 0;
export const nobody = 65534;

export let home = "";
export let program = "";
beforeAll(async () => {
  home = mkdtempSync(path.join(tmpdir(), "fault test "));
  chmodSync(home, 0o755);
  program = path.join(home, "program", "builder.js");
  // One file that any user may read, wherever the checkout stands.
  await bundle({
    entryPoints: [path.join(import.meta.dirname, "builder.ts")],
    outfile: program,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    banner: {
      js: 'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);',
    },
    logLevel: "error",
    absWorkingDir: checkout,
  });
  writeFileSync(path.join(home, "program", "package.json"), '{"type":"module"}');
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

export function newWorkspace(name: string): string {
  const root = path.join(home, name);
  mkdirSync(path.join(root, "in"), { recursive: true });
  for (const file of ["a", "b", "c"]) writeFileSync(path.join(root, "in", file), `${file} 0`);
  return root;
}

export interface Report {
  readonly status: number | null;
  /** How each task came out, by name. */
  readonly outcomes: Readonly<Record<string, string>>;
  readonly text: string;
}

export function runProgram(root: string, as: "self" | "nobody" = "self"): Report {
  const [command, words]: [string, string[]] =
    as === "self"
      ? [process.execPath, [program, root]]
      : [
          "setpriv",
          [`--reuid=${nobody}`, `--regid=${nobody}`, "--clear-groups", process.execPath, program, root],
        ];
  const { status, stdout, stderr } = spawnSync(command, words, {
    encoding: "utf8",
    timeout: 60_000,
    cwd: home,
  });
  return reportOf(status, `${stdout}${stderr}`);
}

export function reportOf(status: number | null, text: string): Report {
  const outcomes = Object.fromEntries(
    [...text.matchAll(/^(t\d): (\w+)/gm)].map((match) => [match[1], match[2]]),
  );
  return { status, outcomes, text };
}

/** What the tasks make of the inputs, computed without them. */
export function expectRight(root: string): void {
  const inputs = ["a", "b", "c"].map((name) => readFileSync(path.join(root, "in", name), "utf8"));
  for (const [index, text] of inputs.entries()) {
    expect(readFileSync(path.join(root, `.buildcache/v1/out/dev/t${index}/tree/text`), "utf8")).toBe(
      text.repeat(2000),
    );
  }
  expect(readFileSync(path.join(root, "build/joined"), "utf8")).toBe(
    inputs.map((text) => text.repeat(2000)).join("\n"),
  );
}

/** A run now does nothing that was done before, and the one after it nothing at all. */
export function expectSettled(root: string, as: "self" | "nobody" = "self"): void {
  const report = runProgram(root, as);
  expect(report.text).not.toMatch(/note|failed/);
  expect(report.status, report.text).toBe(0);
  expect(new Set(Object.values(report.outcomes))).toEqual(new Set(["fresh"]));
}

export function expectBuilt(root: string, as: "self" | "nobody" = "self"): void {
  const report = runProgram(root, as);
  expect(report.status, report.text).toBe(0);
}

/** What runs left in the directory of their intermediate files. */
export function leftovers(root: string): readonly string[] {
  const directory = path.join(root, ".buildcache/v1/tmp");
  return existsSync(directory) ? readdirSync(directory) : [];
}

export function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once("close", (status) => resolve(status)));
}
