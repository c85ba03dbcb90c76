/** `task diff` as scripts use it: the real program, its exit status and its JSON. */
import { spawnSync } from "node:child_process";
import path from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { bytesContent, FileTree, writeLayer } from "../../src/formats/index.ts";
import { checkout } from "../cli/workshop.ts";
import { useWorkspace } from "../formats/workspace.ts";

const workspace = useWorkspace();
const mtime = 1_700_000_000;

/** Runs the command in a directory of the project, to which the names of files are relative. */
const diff = (...args: readonly string[]) => runTask("diff", ...args);

function runTask(command: string, ...args: readonly string[]) {
  const cwd = path.join(checkout, "test");
  const words = args.map((word) => (word.startsWith("-") ? word : path.relative(cwd, workspace.path(word))));
  return spawnSync(process.execPath, [path.join(checkout, "bin/task.js"), command, ...words], {
    timeout: 60_000,
    killSignal: "SIGKILL",
    ...{ cwd, encoding: "utf8", env: { ...process.env, NO_COLOR: "1" } },
  });
}

describe("task diff", () => {
  beforeAll(async () => {
    for (const [name, text] of [
      ["one.gz", "old\n"],
      ["copy.gz", "old\n"],
      ["two.gz", "new\n"],
    ] as const) {
      await writeLayer(new FileTree().addFile("note", bytesContent(text), { mtime }), workspace.path(name));
    }
  });

  test("ends with 0 for the same, 1 for different files, and shows the lines", () => {
    const same = diff("one.gz", "copy.gz");
    expect([same.status, same.stderr]).toEqual([0, ""]);
    expect(same.stdout).toMatch(/one\.gz and .*copy\.gz are the same/);
    const different = diff("one.gz", "two.gz");
    expect([different.status, different.stderr]).toEqual([1, ""]);
    expect(different.stdout).toContain("note (layer 1): content: 4 bytes → 4 bytes\n");
    expect(different.stdout).toContain("    -old\n    +new\n");
  });

  test("tells times in one line, and leaves them out where that is asked for", async () => {
    const layer = (time: number, text: string) => {
      const tree = new FileTree();
      for (let index = 0; index < 30; index += 1)
        tree.addFile(`file-${index}`, bytesContent("same\n"), { mtime: time });
      return tree.addFile("note", bytesContent(text), { mtime });
    };
    for (const [name, time, text] of [
      ["then.gz", mtime, "a\n"],
      ["later.gz", mtime + 3600, "a\n"],
      ["other.gz", mtime + 3600, "b\n"],
    ] as const)
      await writeLayer(layer(time, text), workspace.path(name));
    const times = diff("then.gz", "later.gz");
    expect(times.status).toBe(1);
    expect(times.stdout).toMatch(/^30 entries: time only, \S+ → \S+$/m);
    expect(times.stdout.split("\n").length).toBeLessThan(6);
    expect(diff("--ignore=times", "then.gz", "later.gz")).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/are the same, times left out\n$/),
    });
    const other = diff("--ignore=times", "then.gz", "other.gz");
    expect(other.status).toBe(1);
    expect(other.stdout).toMatch(/^note .*content: 2 bytes → 2 bytes$/m);
    expect(other.stdout).not.toMatch(/time only|file-/);
    expect(diff("--ignore=owners", "then.gz", "later.gz")).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/--ignore is "owners", but must be: times/),
    });
    expect(diff("--help").stdout).toContain("--ignore <REASON>");
  });

  test("ends with 2 and one message when a file is missing, or not two are named", () => {
    for (const args of [["one.gz", "none.gz"], ["one.gz"]]) {
      const failed = diff(...args);
      expect([failed.status, failed.stdout]).toEqual([2, ""]);
      expect(failed.stderr).toMatch(/^error: /);
    }
  });

  test("and task size wait for no pipe that nobody writes to, and say that a directory is no file", async () => {
    await workspace.$`mkfifo ${workspace.path("pipe")}`;
    const refused = [
      [
        runTask("diff", "pipe", "one.gz"),
        2,
        /^error: this is not a file \[not-a-file\]\n {2}where: .*pipe\n/,
      ],
      [
        runTask("diff", "one.gz", "pipe"),
        2,
        /^error: this is not a file \[not-a-file\]\n {2}where: .*pipe\n/,
      ],
      [
        runTask("size", "pipe"),
        1,
        /^error: the ISO is not a regular file \[not-a-file\]\n {2}where: .*pipe\n/,
      ],
      [runTask("size", "."), 1, /^error: the ISO is a directory \[not-a-file\]\n/],
    ] as const;
    for (const [ended, status, message] of refused) {
      expect(ended).toMatchObject({ status, stdout: "", stderr: expect.stringMatching(message) });
    }
  });

  test("prints one document with --json", () => {
    const { status, stdout } = diff("--json", "one.gz", "two.gz");
    expect(status).toBe(1);
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({ same: false, a: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/) } });
    expect(document.differences).toContainEqual(
      expect.objectContaining({ kind: "content", name: "note", lines: ["@@ -1,1 +1,1 @@", "-old", "+new"] }),
    );
  });
});
