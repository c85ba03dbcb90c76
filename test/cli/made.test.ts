/** What a build made: said with path and size for every target that was asked for, wherever it lies. */
import { readFileSync, utimesSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { realProject } from "./real-project.ts";
import { demo, put, runTask } from "./workshop.ts";

/** The demonstration with a task that makes a directory. */
function withDirectory(): string {
  const root = demo();
  const tasks = readFileSync(path.join(root, "tasks/all.ts"), "utf8");
  const tree = `
export const tree = task({
  name: "tree", description: "Make a directory", outputs: { all: out.directory("all") },
  run: ({ outputs }) => { writeFileSync(outputs.all + "/a", "12345"); writeFileSync(outputs.all + "/b", "678"); },
});`;
  put(root, "tasks/all.ts", `${tasks}${tree}`);
  const taskfile = readFileSync(path.join(root, "Taskfile.ts"), "utf8");
  put(
    root,
    "Taskfile.ts",
    taskfile
      .replace("greeting, hello, name }", "greeting, hello, name, tree }")
      .replace("[name, greet,", "[name, tree, greet,"),
  );
  return root;
}

describe("what was made", () => {
  it("is said for files in the workspace, and for files and directories in the cache", async () => {
    const root = withDirectory();
    const run = await runTask(root, ["name", "tree", "greet"]);
    expect(run.status, run.stderr).toBe(0);
    expect(run.stdout).toMatch(/^\.buildcache\/\S+\/name\/text {2}5 B {2}sha256 [0-9a-f]{64}$/m);
    expect(run.stdout).toMatch(/^\.buildcache\/\S+\/tree\/all\/ {2}8 B in 2 files$/m);
    expect(run.stdout).toMatch(/^build\/dev\.txt {2}12 B {2}sha256 [0-9a-f]{64}$/m);
    // What is only needed by another target was not asked for.
    expect((await runTask(root, ["greet"])).stdout).not.toContain(".buildcache");
  });

  it("is an event of its own for programs", async () => {
    const { stdout } = await runTask(withDirectory(), ["tree", "greet", "--json"]);
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const made = events.filter(({ type }) => type === "artifact");
    expect(made).toEqual([
      {
        v: 1,
        type: "artifact",
        task: "tree",
        place: "cache",
        path: expect.stringMatching(/\/all\/$/),
        bytes: 8,
        files: 2,
      },
      {
        v: 1,
        type: "artifact",
        task: "greet",
        place: "workspace",
        path: "build/dev.txt",
        bytes: 12,
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    ]);
  });
});

describe("the help of a target", () => {
  it("has every option that concerns it, and no other", async () => {
    const project = await realProject();
    const iso = (await runTask(project, ["iso", "--help"])).stdout;
    for (const option of [
      "--pxe",
      "--bundle",
      "--source",
      "--watch",
      "--boot",
      "--trace",
      "--on-success",
      "--prod",
    ])
      expect(iso).toMatch(new RegExp(`^  (?:-\\w, )?${option}\\b`, "m"));
    for (const option of ["--since", "--format"]) expect(iso).not.toContain(option);
    const pxe = (await runTask(project, ["pxe", "--help"])).stdout;
    expect(pxe).not.toMatch(/^ {2}--(pxe|bundle)\b/m);
    const size = (await runTask(project, ["size", "--help"])).stdout;
    expect(size).toContain("--json");
    expect(size).not.toMatch(/--(watch|source)\b/);
    const menu = (await runTask(project, [])).stdout;
    for (const line of menu.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
    expect(menu.replace(/\n +/g, " ")).toContain("metadata, iPXE script");
  });
});

describe("size without an ISO", () => {
  it("measures the newest and builds none", async () => {
    const project = await realProject();
    expect(await runTask(project, ["size"])).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(
        /there is no ISO in build-files\/ \[iso-missing\]\n.*\n {2}hint: name an ISO, or build one: task iso/,
      ),
    });
    const made = (name: string, seconds: number): void => {
      put(project, `build-files/${name}`, "no ISO at all");
      utimesSync(path.join(project, "build-files", name), seconds, seconds);
    };
    const measured = async (...words: readonly string[]) =>
      /measuring (\S+),/.exec((await runTask(project, ["size", ...words])).stderr)?.[1];
    made("rz_mk_dev-image.1.iso", 1000);
    made("rz_mk_prod-image.1.iso", 2000);
    expect(await measured()).toBe("build-files/rz_mk_prod-image.1.iso");
    made("rz_mk_dev-image.1.iso", 3000);
    expect(await measured()).toBe("build-files/rz_mk_dev-image.1.iso");
    expect(await measured("--prod")).toBe("build-files/rz_mk_prod-image.1.iso");
  });
});
