/** What is kept of the last build, and what a user wants done after one. */
import { existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { demo, put, runTask, startTask } from "./workshop.ts";

async function until(holds: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 30_000; !holds(); ) {
    if (Date.now() > deadline) throw new Error("what was waited for did not happen");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe("the log", () => {
  it("has reasons and output of the last build in which anything ran, also of one that failed", async () => {
    const root = demo();
    expect(await runTask(root, ["log"])).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/there is no log: nothing has run/),
    });
    put(root, "in/script", "echo one line; echo another >&2\n");
    await runTask(root, ["greet", "-t", "hush"]);
    // Nothing to do: what was done before is still to be seen.
    await runTask(root, ["greet", "-t", "hush"]);
    const all = await runTask(root, ["log"]);
    expect(all).toMatchObject({ status: 0, stderr: "" });
    expect(all.stdout).toMatch(/^task greet -t \*\*\*: succeeded, \d{4}-\d\d-\d\dT/);
    expect(all.stdout).toMatch(/^name: rebuilt \(.*\)\n {2}because never built\n {2}\| reading the name\n/m);
    expect(all.stdout).toMatch(
      /^greet: rebuilt \(.*\)\n {2}because never built\n {2}\| one line\n {2}\| another\n/m,
    );
    const one = await runTask(root, ["log", "hi"]);
    expect(one.stdout).toContain("one line");
    expect(one.stdout).not.toContain("reading the name");

    put(root, "in/script", "echo so far; exit 3\n");
    await runTask(root, ["greet"]);
    const failed = await runTask(root, ["log", "greet"]);
    expect(failed.stdout).toMatch(/: failed, /);
    expect(failed.stdout).toMatch(/greet: failed .*\n {2}\| so far\n {2}error: .*status 3/);
    const json = JSON.parse((await runTask(root, ["log", "--json"])).stdout);
    expect(json).toMatchObject({
      outcome: "failed",
      tasks: [{ task: expect.stringMatching(/^name/), verdict: "fresh" }, { verdict: "failed" }],
    });
    expect((await runTask(root, ["log", "gret"])).stderr).toMatch(/did you mean greet/);
  });

  it("is bounded, however much is printed, and readable by its owner only", async () => {
    const root = demo();
    put(root, "in/script", "yes 0123456789abcdef | head -c 3000000\n");
    expect(await runTask(root, ["greet"])).toMatchObject({ status: 0 });
    const { size, mode } = statSync(path.join(root, ".buildcache/v1/last-run.json"));
    expect(size).toBeLessThan(400_000);
    expect(mode & 0o777).toBe(0o600);
    expect((await runTask(root, ["log", "greet"])).stdout).toMatch(/omitted/);
  });
});

describe("a build of a watch that fails", () => {
  it("starts the command that is wanted then, and none after a success", async () => {
    const root = demo();
    const { child, done } = startTask(root, [
      "greet",
      "--on-failure",
      "echo x >> failures",
      "--on-success",
      "echo x >> successes",
    ]);
    const count = (name: string): number =>
      existsSync(path.join(root, name))
        ? readFileSync(path.join(root, name), "utf8").split("\n").length - 1
        : 0;
    await until(() => count("successes") === 1);
    put(root, "in/script", "exit 4\n");
    await until(() => count("failures") === 1);
    put(root, "in/script", "true # again\n");
    await until(() => count("successes") === 2);
    child.kill("SIGTERM");
    await done;
    expect([count("failures"), count("successes")]).toEqual([1, 2]);
    expect((await runTask(root, ["log"])).stdout).toContain("greet: rebuilt");
  });
});

describe("an interrupted build", () => {
  it("ends with a line that says what was done", async () => {
    const root = demo();
    put(root, "in/script", `touch '${root}/started'; sleep 60\n`);
    const { child, done } = startTask(root, ["greet"]);
    await until(() => existsSync(path.join(root, "started")));
    child.kill("SIGINT");
    const { status, stderr } = await done;
    expect(status).toBe(130);
    expect(stderr).toMatch(
      /interrupted: stopping running tasks\n(?:.*\n)*interrupted: 1 rebuilt, which is kept\n$/,
    );
  });
});
