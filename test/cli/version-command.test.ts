/** The command `version` in a project: what it prints, what it sets, and that the next build follows it. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { usesPrograms } from "../support/programs.ts";
import { realProject } from "./real-project.ts";
import { runTask } from "./workshop.ts";

usesPrograms("git");

describe("task version", () => {
  let project = "";
  const task = (...words: readonly string[]) => runTask(project, words, { GIT_CONFIG_GLOBAL: "/dev/null" });
  const written = (): string => readFileSync(path.join(project, "VERSION"), "utf8");

  beforeAll(async () => {
    project = await realProject({ kept: true });
    const git = (...args: readonly string[]) =>
      execFileSync("git", [...["-c", "user.name=tests", "-c", "user.email=tests@localhost"], ...args], {
        cwd: project,
      });
    git("init", "-q", "-b", "main");
    git("add", ".");
    git("commit", "-q", "-m", "one");
    git("tag", "v0.9.3");
  });

  it("prints git's version, sets one that takes precedence over it, and raises it", async () => {
    expect(await task("version")).toMatchObject({ status: 0, stdout: "0.9.3\n" });
    expect(existsSync(path.join(project, "VERSION"))).toBe(false);
    const set = await task("version", "--set", "1.0.0");
    expect(set).toMatchObject({ status: 0, stdout: "1.0.0\n", stderr: expect.stringContaining("commit it") });
    expect(written()).toBe("1.0.0\n");
    expect(await task("version")).toMatchObject({ status: 0, stdout: "1.0.0\n", stderr: "" });
    expect(await task("version", "--bump", "beta")).toMatchObject({ status: 0, stdout: "1.0.1-beta.1\n" });
    expect(written()).toBe("1.0.1-beta.1\n");
    const forecast = await task("iso", "-n", "--json", "--source", "sample");
    expect(forecast.status, forecast.stderr).toBe(0);
    expect((await task("settings")).stdout).toContain("1.0.1-beta.1");
  });

  it.each([
    [["--set", "1/2"], /not a valid version/],
    [["--bump", "pach"], /--bump is "pach".*\n.*\n? {2}hint: did you mean patch\?/],
    [["--set", "1.0.0", "--bump", "patch"], /exclude each other \[option-conflict\]/],
  ])("refuses %j, and changes nothing", async (words, message) => {
    const before = written();
    const run = await task("version", ...words);
    expect(run.status).toBe(2);
    expect(run.stderr).toMatch(message);
    expect(written()).toBe(before);
  });
});
