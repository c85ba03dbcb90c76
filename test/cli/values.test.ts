/** Values that cannot be: each is refused before anything runs, with one error that names where it was said. */
import { existsSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { realProject } from "./real-project.ts";
import { demo, put, runTask } from "./workshop.ts";

describe("a value of the real project", () => {
  let project = "";
  beforeAll(async () => {
    project = await realProject({ kept: true });
    put(project, "typo.conf", "MK_BUNDLE_SOURSE=sample\n");
    put(project, "wrong.conf", "MK_BUNDLE_SOURCE=smaple\n");
  });

  it.each([
    [
      ["--source", "smaple"],
      /no source "smaple" \[source-unknown\]\n {2}where: --source\n {2}hint: did you mean sample\?/,
    ],
    [
      ["--source", "elsewhere"],
      /no source "elsewhere" \[source-unknown\]\n.*\n {2}hint: known sources: tinycore, tinycore-16, tinycore-16-x86_64, sample, sample-rpm;/,
    ],
    [["-c", "wrong.conf"], /no source "smaple" \[source-unknown\]\n {2}where: wrong\.conf:1\n/],
    [["--source", "ftp://example.org"], /only http, https and file/],
    [["--tcl-iso-url", "ftp://example.org/a.iso"], /only http, https and file/],
    [["--source-date-epoch", "yesterday"], /"yesterday" is not a time.*\n {2}where: --source-date-epoch/],
    [["--firmware", "boht"], /--firmware is "boht".*\n.*\n {2}hint: did you mean both\?/],
    [["--downloads", "many"], /--downloads is "many"/],
    [
      ["-c", "typo.conf"],
      /MK_BUNDLE_SOURSE.*\n {2}where: typo.conf:1\n {2}hint: did you mean MK_BUNDLE_SOURCE\?/,
    ],
  ])(
    "given as %j is refused with status 2 and one error, even where nothing uses it",
    async (words, what) => {
      for (const target of [["iso"], ["version"], ["iso", "-n"]]) {
        const run = await runTask(project, [...target, ...words]);
        expect(run.status).toBe(2);
        expect(run.stderr).toMatch(what);
        expect(run.stderr.match(/error:/g)).toHaveLength(1);
        expect(run.stderr).not.toContain("skipped");
        expect(run.stdout).toBe("");
      }
      expect(existsSync(path.join(project, ".buildcache/v1"))).toBe(false);
    },
  );

  it("that is offline and not there is listed with all the rest at once", async () => {
    const run = await runTask(project, ["iso", "--offline"]);
    expect(run.status).toBe(1);
    for (const name of ["Core-current.iso", "bash.tcz", "facter", "rubygems-1.8.24.tgz"])
      expect(run.stderr).toContain(name);
    expect(run.stderr.match(/skipped/g)).toHaveLength(2);
    expect(run.stderr).toMatch(/- skipped, since fetch-iso failed: fetch-tcz, .*rebuild-iso/);
  });
});

describe("a variable of the environment", () => {
  it("whose name is nearly an option's is refused, also after a build that had nothing to do", async () => {
    const root = demo();
    await runTask(root, ["greet"]);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    for (let again = 0; again < 2; again += 1)
      expect((await runTask(root, ["greet"])).stderr).toMatch(/nothing to do/);
    expect(await runTask(root, ["greet"], { DEMO_GREETNG: "x" })).toMatchObject({
      status: 2,
      stderr:
        "error: the variable DEMO_GREETNG is not known [variable-unknown]\n" +
        "  where: the environment\n  hint: did you mean DEMO_GREETING?\n",
    });
  });

  it("of another program is none of ours", async () => {
    expect(await runTask(demo(), ["greet"], { DEMO_UNRELATED: "x", GREETNG: "y" })).toMatchObject({
      status: 0,
    });
  });
});

describe("a value", () => {
  it("that a variant does not allow is passed over in a file, which serves all variants, and refused elsewhere", async () => {
    const project = await realProject();
    put(project, "dev.conf", "MK_BUNDLE_TC_PASSWD=secret\nMK_BUNDLE_SOURCE=sample\n");
    const file = await runTask(project, ["settings", "--prod", "-c", "dev.conf", "--json"]);
    expect(file.status).toBe(0);
    expect(JSON.parse(file.stdout)).toContainEqual({ option: "--tc-passwd", value: null, from: "built in" });
    const build = await runTask(project, ["sample-packages", "--prod", "-c", "dev.conf"]);
    expect(build.stderr).toContain(
      "note: dev.conf:1: a production image has no password: its user tc is locked; the line is not used\n",
    );
    const option = await runTask(project, ["settings", "--prod", "--tc-passwd", "secret"]);
    expect(option.stderr).toMatch(/a production image has no password.*\[password-in-prod\]/);
    const variable = await runTask(project, ["settings", "--prod"], { MK_BUNDLE_TC_PASSWD: "secret" });
    expect(variable.status).toBe(2);
  });
});
