/** Errors of system calls say what failed, with a path that the user knows. */
import path from "node:path";
import { describe, expect, it } from "vitest";
import { files, out, type Task, task } from "../../src/engine/index.ts";
import { explainSystemError } from "../../src/engine/run/system-failure.ts";
import { run, workspace } from "./workshop.ts";

const failureOf = async (root: ReturnType<typeof workspace>, failing: Task): Promise<unknown> => {
  const { events } = await run(root, [failing]);
  return events.find((event) => event.type === "task-failed")?.error;
};

/** An error as Node makes it of a failed call. */
const failed = (syscall: string, code: string, ends: { path?: string; dest?: string }): Error =>
  Object.assign(new Error(`${code}: it failed, ${syscall}`), { code, syscall, ...ends });

describe("a failure of the system", () => {
  it("by a command line that is too long says how to pass so many names, with a shell and without", async () => {
    const root = workspace({});
    const names = Array.from({ length: 100_000 }, (_, index) => `a-name-that-is-not-short-${index}`);
    for (const piped of [false, true]) {
      const long = task({
        name: "long",
        description: "",
        tools: ["true", "cat"],
        outputs: {},
        run: async ({ $ }) => void (piped ? await $`true ${names} | cat` : await $`true ${names}`),
      }) as Task;
      expect(await failureOf(root, long)).toMatchObject({
        code: "command-too-long",
        hint: expect.stringContaining("xargs"),
      });
    }
  });

  it("names the place of an output and not where it is staged", () => {
    const root = workspace({});
    const staging = path.join(root, ".buildcache/v1/tmp/x-1");
    const known = (staged: string) =>
      staged.startsWith(`${staging}/outputs/dir`) ? path.join(root, "build/dir") : undefined;
    const cases = [
      failed("rename", "EACCES", { path: path.join(root, "build/dir"), dest: `${staging}/replaced/dir` }),
      failed("rename", "EACCES", { path: `${staging}/outputs/dir`, dest: path.join(root, "build/dir") }),
      failed("mkdir", "EACCES", { path: `${staging}/outputs/dir` }),
      failed("chmod", "EPERM", { path: path.join(root, "build/dir") }),
      failed("unlink", "EROFS", { path: path.join(root, "build/dir") }),
    ];
    for (const error of cases)
      expect(explainSystemError(error, root, known), error.message).toMatchObject({
        code: "not-writable",
        where: "build/dir",
      });
    const full = failed("write", "ENOSPC", { path: `${staging}/outputs/dir` });
    expect(explainSystemError(full, root, known)).toMatchObject({ code: "no-space", where: "build/dir" });
  });

  it("of a task names the place in its output, also of a file below it", async () => {
    const root = workspace({});
    const failing = task({
      name: "failing",
      description: "",
      outputs: { dir: out.artifactDirectory("build/dir") },
      run: ({ outputs }) => {
        throw failed("mkdir", "EACCES", { path: path.join(outputs.dir, "deep/below") });
      },
    }) as Task;
    expect(await failureOf(root, failing)).toMatchObject({
      code: "not-writable",
      where: "build/dir/deep/below",
    });
  });

  it("says that something cannot be read where that is so, and names what", () => {
    const root = workspace({ there: "" });
    for (const call of ["scandir", "lstat", "read"])
      expect(explainSystemError(failed(call, "EACCES", { path: path.join(root, "in") }), root)).toMatchObject(
        {
          code: "not-readable",
          message: "a file cannot be read (permission denied)",
          where: "in",
        },
      );
    const copy = failed("lstat", "EACCES", { path: path.join(root, "in"), dest: path.join(root, "copy") });
    expect(explainSystemError(copy, root)).toMatchObject({ code: "not-readable", where: "in" });
    // What can be read was to be written, and so was what is not there.
    for (const name of ["there", "new"])
      expect(
        explainSystemError(failed("open", "EACCES", { path: path.join(root, name) }), root),
      ).toMatchObject({
        code: "not-writable",
      });
  });

  it("leaves what a program may not do to the program", () => {
    const error = failed("spawn /x", "EACCES", { path: "/x" });
    expect(explainSystemError(error, "/w")).toBe(error);
  });
});

describe("an input", () => {
  it("whose root is a file is refused with what to do, whatever its patterns", async () => {
    for (const patterns of ["*", "**/*.txt", "deep/*"]) {
      const root = workspace({ "src/a.txt": "" });
      const wrong = task({
        name: "wrong",
        description: "",
        inputs: { all: files(patterns, { root: "src/a.txt", optional: true }) },
        outputs: {},
        run: () => {},
      }) as Task;
      expect(await failureOf(root, wrong)).toMatchObject({
        code: "input-type",
        message: "an input's root is a file, but must be a directory",
        where: "src/a.txt",
      });
    }
  });
});
