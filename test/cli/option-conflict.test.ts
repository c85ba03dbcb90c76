/** Options beside one another: what contradicts itself is refused, and nothing writes that was told not to. */
import { readdirSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { checkout, demo, put, runTask, snapshot } from "./workshop.ts";

describe("options that contradict one another", () => {
  it.each([
    [["greet", "-n", "-w"], /--dry-run and --watch exclude each other/],
    [["greet", "-n", "--on-success", "true"], /--dry-run and --on-success exclude/],
    [["greet", "-n", "--boot"], /--dry-run and --boot exclude/],
    [["greet", "-n", "--trace", "t.json"], /--dry-run and --trace exclude/],
    [["greet", "-n", "--summary", "s.json"], /--dry-run and --summary exclude/],
    [["greet", "-n", "--report", "r.html"], /--dry-run and --report exclude/],
    [["greet", "-w", "--report", "r.html"], /--watch and --report exclude/],
    [["greet", "-q", "-v"], /--quiet and --verbose exclude/],
    [["greet", "--json", "--summary", "-"], /--json and --summary - exclude/],
    [["greet", "--trace", "-", "--summary=-"], /--trace - and --summary - exclude/],
    [["-w"], /a watch needs a target/],
    [["list", "-w"], /`list` cannot be watched/],
    [["hello", "-w"], /hello is a command/],
    [["greet", "--since", "HEAD"], /--since is an option of `affected`/],
    [["greet", "--format", "svg"], /--format is an option of `graph`/],
    [["init", "new", "-n"], /`init` has no dry run/],
    [["cache", "clear", "-n"], /`cache` has no dry run/],
  ])("%j are refused with status 2, and nothing is written", async (words, message) => {
    const root = demo();
    const before = snapshot(root);
    const run = await runTask(root, words);
    expect(run.stderr).toMatch(message);
    expect(run).toMatchObject({ status: 2, stdout: "" });
    expect(run.stderr.match(/hint:/g)).toHaveLength(1);
    expect(snapshot(root)).toEqual(before);
    expect(readdirSync(root)).not.toContain("new");
  });
});

describe("a report named -", () => {
  it("is standard output, and all that is there", async () => {
    const root = demo();
    const { status, stdout, stderr } = await runTask(root, ["greet", "--summary", "-"]);
    expect(status, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      v: 1,
      outcome: "succeeded",
      artifacts: [{ path: "build/dev.txt" }],
    });
    expect(stderr).toMatch(/build\/dev\.txt {2}12 B {2}sha256/);
    const trace = await runTask(root, ["greet", "--force", "--trace", "-"]);
    expect(JSON.parse(trace.stdout)).toMatchObject({ traceEvents: expect.arrayContaining([]) });
    expect(readdirSync(root)).not.toContain("-");
  });
});

describe("--quiet", () => {
  it("prints the result and errors, and no note", async () => {
    const root = demo();
    const run = await runTask(root, ["greet", "-q", "-r"]);
    expect(run).toMatchObject({ status: 0, stderr: "", stdout: expect.stringMatching(/^build\/dev\.txt/) });
    put(root, "in/script", "false\n");
    expect((await runTask(root, ["greet", "-q"])).stderr).toMatch(/^error: greet: /);
  });
});

describe("outside of any project", () => {
  it("what needs none works", async () => {
    expect(await runTask("/", ["--version"])).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^razor-mk \d/),
    });
    for (const words of [["--help"], ["-h"], ["iso", "--help"], ["manual"]])
      expect(await runTask("/", words)).toMatchObject({ status: 0, stderr: "" });
    const file = path.join(checkout, "COPYING");
    const compared = await runTask("/", ["diff", file, file]);
    expect(compared, compared.stderr).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/are the same/),
    });
    // It is asked about the file, rather than refused.
    expect((await runTask("/", ["size", file])).stderr).not.toContain("Taskfile.ts");
  });

  it("what needs one is refused, and init is named", async () => {
    for (const words of [["greet"], ["iso"], ["size"], ["list"], [], ["cache", "stats"]])
      expect(await runTask("/", words)).toEqual({
        status: 2,
        stdout: "",
        stderr:
          "error: neither this directory nor one above it has a Taskfile.ts [no-project]\n" +
          "  hint: change into a project's directory, or create a project: task init DIRECTORY\n",
      });
  });
});
