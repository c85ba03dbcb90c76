/** Watch mode: what a save is, in all the ways that programs save, and what happens to directories. */
import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { usesPrograms } from "../support/programs.ts";
import { Rig, watching } from "./watch-rig.ts";
import { made, pack, tree } from "./watched-tree.ts";
import { workspace, write } from "./workshop.ts";

usesPrograms("git");

describe("a save", () => {
  it("is built, in one cycle that names the file and says how long it took", async () => {
    const rig = await watching(tree, [pack]);
    expect(made(rig)).toBe("a.txt: 1\nsub/b.txt: 2");
    write(rig.root, "tree/sub/b.txt", "3");
    const cycle = await rig.next("cycle-finished");
    expect(cycle).toMatchObject({ changes: ["tree/sub/b.txt"], outcome: "succeeded" });
    expect(cycle.seconds).toBeGreaterThan(0);
    expect(made(rig)).toBe("a.txt: 1\nsub/b.txt: 3");
    expect(await rig.settle()).toHaveLength(1);
  });

  it("that leaves the bytes as they were runs nothing", async () => {
    const rig = await watching(tree, [pack]);
    const before = rig.events.length;
    write(rig.root, "tree/a.txt", "1");
    expect(await rig.next("unchanged")).toMatchObject({ paths: ["tree/a.txt"] });
    expect(await rig.settle()).toEqual([]);
    expect(rig.ranSince(before)).toEqual([]);
  });

  it("of many files at once is one cycle", async () => {
    const rig = await watching(tree, [pack]);
    for (let index = 0; index < 100; index += 1) write(rig.root, `tree/many/${index}`, "x");
    expect(await rig.settle()).toHaveLength(1);
    expect(made(rig).split("\n")).toHaveLength(102);
  });

  it("of a file that nobody reads, or that a task makes, starts nothing", async () => {
    const rig = await watching(tree, [pack]);
    write(rig.root, "other.txt", "x");
    write(rig.root, "tree/a.txt~", "x");
    write(rig.root, "made/list.txt", "edited");
    expect(await rig.settle()).toEqual([]);
  });
});

/** The calls that each editor makes, in its order (seen with strace). */
const editors: Readonly<Record<string, (name: string, text: string) => void>> = {
  vim: (name, text) => {
    const probe = path.join(path.dirname(name), "4913");
    writeFileSync(probe, "");
    unlinkSync(probe);
    renameSync(name, `${name}~`);
    writeFileSync(name, text);
    unlinkSync(`${name}~`);
  },
  emacs: (name, text) => {
    const lock = path.join(path.dirname(name), `.#${path.basename(name)}`);
    symlinkSync("somebody@somewhere.1", lock);
    renameSync(name, `${name}~`);
    writeFileSync(name, text);
    unlinkSync(lock);
  },
  "VS Code": (name, text) => {
    writeFileSync(name, "");
    writeFileSync(name, text);
  },
  "sed -i": (name, text) => {
    const beside = path.join(path.dirname(name), "sedQ3vB1d");
    writeFileSync(beside, text);
    renameSync(beside, name);
  },
  "a careful program": (name, text) => {
    writeFileSync(`${name}.tmp`, text);
    unlinkSync(name);
    renameSync(`${name}.tmp`, name);
  },
};

describe("an atomic save", () => {
  it.each(Object.entries(editors))("as %s does it is one cycle", async (_, save) => {
    const rig = await watching(tree, [pack]);
    for (const text of ["first", "second"]) {
      save(path.join(rig.root, "tree/sub/b.txt"), text);
      const cycles = await rig.settle();
      expect(cycles).toMatchObject([{ changes: ["tree/sub/b.txt"], outcome: "succeeded" }]);
      expect(made(rig)).toBe(`a.txt: 1\nsub/b.txt: ${text}`);
    }
  });

  it("by sed itself, in a process of its own, ends in the right result", async () => {
    const rig = await watching(tree, [pack]);
    execFileSync("sed", ["-i", "s/2/two/", path.join(rig.root, "tree/sub/b.txt")]);
    await rig.settle();
    expect(made(rig)).toBe("a.txt: 1\nsub/b.txt: two");
  });
});

describe("a directory", () => {
  it("that is renamed is followed to its new name", async () => {
    const rig = await watching(tree, [pack]);
    renameSync(path.join(rig.root, "tree/sub"), path.join(rig.root, "tree/new"));
    await rig.settle();
    expect(made(rig)).toBe("a.txt: 1\nnew/b.txt: 2");
    write(rig.root, "tree/new/b.txt", "3");
    expect(await rig.settle()).toMatchObject([{ changes: ["tree/new/b.txt"] }]);
    expect(made(rig)).toBe("a.txt: 1\nnew/b.txt: 3");
  });

  it("that is deleted and made again goes on being watched", async () => {
    const rig = await watching(tree, [pack]);
    for (const text of ["x", "y", "z"]) {
      rmSync(path.join(rig.root, "tree/sub"), { recursive: true });
      write(rig.root, "tree/sub/b.txt", text);
      await rig.settle();
      expect(made(rig)).toBe(`a.txt: 1\nsub/b.txt: ${text}`);
      write(rig.root, "tree/sub/b.txt", `${text}!`);
      await rig.settle();
      expect(made(rig)).toBe(`a.txt: 1\nsub/b.txt: ${text}!`);
    }
  });

  it("that all inputs were in fails while it is gone, and is built when it is back", async () => {
    const rig = await watching(tree, [pack]);
    rmSync(path.join(rig.root, "tree"), { recursive: true });
    expect(await rig.next("cycle-finished")).toMatchObject({ outcome: "failed" });
    write(rig.root, "tree/c.txt", "back");
    expect(await rig.next("cycle-finished")).toMatchObject({ outcome: "succeeded" });
    expect(made(rig)).toBe("c.txt: back");
  });

  it("that grows several levels at once is seen to its bottom", async () => {
    const rig = await watching(tree, [pack]);
    write(rig.root, "tree/1/2/3/4/deep.txt", "deep");
    await rig.settle();
    expect(made(rig)).toContain("1/2/3/4/deep.txt: deep");
    write(rig.root, "tree/1/2/3/4/deep.txt", "deeper");
    await rig.settle();
    expect(made(rig)).toContain("1/2/3/4/deep.txt: deeper");
  });

  it("that is reached through a link is watched where it is, and where the link points next", async () => {
    const root = workspace({ "one/a.txt": "1", "two/a.txt": "2" });
    symlinkSync("one", path.join(root, "tree"));
    const rig = new Rig(root, [pack]);
    await rig.next("cycle-finished");
    expect(made(rig)).toBe("a.txt: 1");
    write(root, "one/a.txt", "edited");
    await rig.settle();
    expect(made(rig)).toBe("a.txt: edited");
    unlinkSync(path.join(root, "tree"));
    symlinkSync("two", path.join(root, "tree"));
    await rig.settle();
    expect(made(rig)).toBe("a.txt: 2");
    write(root, "two/a.txt", "edited too");
    await rig.settle();
    expect(made(rig)).toBe("a.txt: edited too");
  });
});

describe("a checkout of ten thousand files", () => {
  it("is seen whole", async () => {
    // So many files are only quick where no disk is waited for.
    const root = workspace({}, existsSync("/dev/shm") ? "/dev/shm" : undefined);
    const run = promisify(execFile);
    const git = (...args: string[]) => {
      const settings = ["-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "gc.auto=0"];
      const env = { PATH: process.env.PATH, GIT_CONFIG_GLOBAL: "/dev/null" };
      return run("git", [...settings, ...args], { cwd: root, env });
    };
    const fill = (text: string): void => {
      for (let directory = 0; directory < 100; directory += 1) {
        mkdirSync(path.join(root, "tree", String(directory)), { recursive: true });
        for (let name = 0; name < 100; name += 1)
          writeFileSync(path.join(root, "tree", String(directory), String(name)), text);
      }
    };
    await git("init", "-q", "-b", "main");
    for (const text of ["one", "two"]) {
      fill(text);
      await git("add", "tree");
      await git("commit", "-q", "-m", text);
    }
    const rig = new Rig(root, [pack]);
    await rig.next("cycle-finished");
    await git("checkout", "-q", "HEAD~1");
    await rig.next("cycle-finished");
    await rig.settle();
    const lines = made(rig).split("\n");
    expect(lines).toHaveLength(10_000);
    expect(lines.filter((line) => line.endsWith(": one"))).toHaveLength(10_000);
  });
});
