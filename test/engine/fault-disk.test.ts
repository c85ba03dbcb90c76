/** A disk that is full, and a cache that may not be written: nothing is lost, and the message says what happened. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { usesPrograms } from "../support/programs.ts";
import {
  checkout,
  expectBuilt,
  expectRight,
  expectSettled,
  home,
  isRoot,
  leftovers,
  newWorkspace,
  nobody,
  runProgram,
} from "./fault/rig.ts";

usesPrograms("mount", "umount");

/** A small file system of its own, or undefined where nothing can be mounted. */
function mountSmall(name: string, kilobytes: number): string | undefined {
  const directory = path.join(home, name);
  mkdirSync(directory);
  const { status } = spawnSync("mount", [
    "-t",
    "tmpfs",
    "-o",
    `size=${kilobytes}k,mode=755`,
    "tmpfs",
    directory,
  ]);
  return status === 0 ? directory : undefined;
}

const canMount =
  isRoot &&
  spawnSync("sh", [
    "-c",
    'd=$(mktemp -d) && mount -t tmpfs tmpfs "$d" && umount "$d"; s=$?; rmdir "$d"; exit $s',
  ]).status === 0;

describe("a full disk", () => {
  it.skipIf(!canMount)(
    `fails in words and keeps what was built${canMount ? "" : " (not tried: nothing can be mounted here)"}`,
    { timeout: 120_000 },
    () => {
      const root = mountSmall("small disk", 2048);
      if (root === undefined) throw new Error("nothing can be mounted");
      try {
        mkdirSync(path.join(root, "in"));
        for (const file of ["a", "b", "c"]) writeFileSync(path.join(root, "in", file), `${file} 0`);
        expectBuilt(root);
        const filler = path.join(root, "filler");
        // Less and less is left, so that every kind of write is the one that fails at some time.
        let failures = 0;
        for (const left of [200, 150, 120, 100, 80, 60, 48, 40, 32, 24, 16, 12, 8, 4, 0]) {
          rmSync(filler, { force: true });
          spawnSync("sh", [
            "-c",
            'cat /dev/zero > "$1" 2>/dev/null; [ "$2" = 0 ] || truncate -s "-$2"K "$1"',
            "sh",
            filler,
            String(left),
          ]);
          const before = readFileSync(path.join(root, "build/joined"), "utf8");
          writeIfRoom(path.join(root, "in/a"), `left ${left}`);
          const report = runProgram(root);
          if (report.status === 0) expectRight(root);
          else {
            failures += 1;
            expect(report.text).toMatch(/no space left|ENOSPC\)/);
            expect(report.text).not.toMatch(/^\s+at /m);
            expect(readFileSync(path.join(root, "build/joined"), "utf8")).toBe(before);
          }
        }
        expect(failures).toBeGreaterThan(3);
        rmSync(filler);
        writeFileSync(path.join(root, "in/a"), "room again");
        const report = runProgram(root);
        expect(report.text).not.toContain("note");
        expect(report.status, report.text).toBe(0);
        // What did not change was not lost.
        expect(report.outcomes).toEqual({ t0: "ran", t1: "fresh", t2: "fresh", t3: "ran" });
        expectRight(root);
        expectSettled(root);
      } finally {
        spawnSync("umount", [root]);
      }
    },
  );
});

describe("a disk with no room for the compiled program", () => {
  it.skipIf(!canMount)("is said in words, and leaves nothing half-written", () => {
    const root = mountSmall("tiny disk", 300);
    if (root === undefined) throw new Error("nothing can be mounted");
    try {
      const engine = path.join(checkout, "src/engine/index.ts");
      writeFileSync(
        path.join(root, "Taskfile.ts"),
        `import { taskfile } from ${JSON.stringify(engine)};\nexport default taskfile({ title: "", targets: [], variants: { only: { description: "", flags: [] } } });\n`,
      );
      const { status, stderr } = spawnSync(process.execPath, [path.join(checkout, "bin/task.js"), "list"], {
        cwd: root,
        encoding: "utf8",
      });
      expect(stderr).toMatch(
        /^error: the program cannot be compiled: no space left on the device \[compile-unwritable\]\n {2}where: /,
      );
      expect(stderr).not.toMatch(/^\s+at .*:\d+:\d+/m);
      expect(status).toBe(1);
      expect(readdirSync(path.join(root, ".buildcache/compiled"))).toEqual([]);
    } finally {
      spawnSync("umount", [root]);
    }
  });
});

function writeIfRoom(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch {
    // Without room for the edit itself the old text, or none, is what will be built.
  }
}

describe("another user", () => {
  const asUser =
    isRoot &&
    spawnSync("setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", process.execPath, "-e", ""])
      .status === 0;

  it.skipIf(!asUser)("an input that cannot be read is reported as that, not as unwritable", () => {
    const root = newWorkspace("unreadable");
    spawnSync("chown", ["-R", `${nobody}:${nobody}`, root]);
    expectBuilt(root, "nobody");
    writeFileSync(path.join(root, "in/b"), "for root only");
    spawnSync("chown", ["0:0", path.join(root, "in/b")]);
    chmodSync(path.join(root, "in/b"), 0o600);
    const file = runProgram(root, "nobody");
    expect(file.status).toBe(1);
    expect(file.text).toMatch(/a file cannot be read \(permission denied\)/);
    expect(file.text).toContain("in/b");
    expect(file.text).not.toMatch(/written/);
    chmodSync(path.join(root, "in/b"), 0o644);
    expectBuilt(root, "nobody");
    expectSettled(root, "nobody");
  });

  it.skipIf(!asUser)("who may not write the cache is told so, and nothing changes", () => {
    const root = newWorkspace("read-only");
    expectBuilt(root);
    const report = runProgram(root, "nobody");
    expect(report.status).toBe(1);
    expect(report.text).toMatch(/cache directory cannot be written: permission denied/);
    expect(report.text).toMatch(/hint: make the workspace writable/);
    expectSettled(root);
  });

  it.skipIf(!asUser)(
    "who owns the workspace builds over a store that is read-only, and removes what tools made read-only",
    () => {
      const root = newWorkspace("owned");
      writeFileSync(path.join(root, "in/read-only"), "");
      spawnSync("chown", ["-R", `${nobody}:${nobody}`, root]);
      expect(runProgram(root, "nobody").text).not.toContain("failed");
      expect(leftovers(root)).toEqual([]);
      const store = path.join(root, ".buildcache/v1/store");
      spawnSync("chmod", ["-R", "a-w", store]);
      expectSettled(root, "nobody");
      writeFileSync(path.join(root, "in/a"), "new text");
      const report = runProgram(root, "nobody");
      expect(report.status).toBe(1);
      expect(report.text).toMatch(/permission denied/);
      expect(report.text).toMatch(/store/);
      spawnSync("chmod", ["-R", "u+w", store]);
      expectBuilt(root, "nobody");
      expectRight(root);
      expectSettled(root, "nobody");
    },
  );
});
