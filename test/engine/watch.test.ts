/** Watch mode: what starts a build, what does not, and what happens when files change while one runs. */
import { execFile, execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { build, file, files, out, ParameterValues, State, task } from "../../src/engine/index.ts";
import { gate, Rig, watching } from "./watch-rig.ts";
import { code, workspace, write } from "./workshop.ts";

/** Lists a folder's files with their contents. */
const pack = task({
  name: "pack",
  description: "",
  inputs: { tree: files("**", { root: "tree", ignore: ["**/*~"] }) },
  outputs: { list: out.artifact("made/list.txt") },
  run: ({ inputs, outputs }) => {
    const { root, paths } = inputs.tree;
    const lines = paths.map((name) => `${name}: ${readFileSync(path.join(root, name), "utf8").trim()}`);
    writeFileSync(outputs.list, lines.join("\n"));
  },
});

const tree = { "tree/a.txt": "1", "tree/sub/b.txt": "2" };
const made = (rig: Rig, name = "made/list.txt"): string => readFileSync(path.join(rig.root, name), "utf8");

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

describe("a folder", () => {
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

describe("a change during a build", () => {
  it("ends what it made stale, and only that", async () => {
    const started: string[] = [];
    const waits = { one: gate(), other: gate() };
    const slow = (name: "one" | "other") =>
      task({
        name,
        description: "",
        inputs: { text: file(`${name}.txt`) },
        outputs: { text: out.file("text") },
        run: async ({ inputs, outputs, signal }) => {
          const text = readFileSync(inputs.text, "utf8");
          started.push(`${name} ${text}`);
          const ended = new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
          if (text === "1") await Promise.race([waits[name].opened, ended]);
          writeFileSync(outputs.text, text);
        },
      });
    const both = task({
      name: "both",
      description: "",
      needs: { one: slow("one"), other: slow("other") },
      outputs: { text: out.artifact("both.txt") },
      run: ({ needs, outputs }) =>
        writeFileSync(
          outputs.text,
          [needs.one.text, needs.other.text].map((name) => readFileSync(name)).join(""),
        ),
    });
    const rig = new Rig(workspace({ "one.txt": "1", "other.txt": "1" }), [both]);
    while (started.length < 2) await rig.next("task-started");
    write(rig.root, "one.txt", "2");
    expect(await rig.next("task-outdated")).toMatchObject({ task: "one@dev" });
    while (!started.includes("one 2")) await rig.next("task-started");
    waits.other.open();
    expect(await rig.next("cycle-finished")).toMatchObject({ outcome: "succeeded", changes: ["one.txt"] });
    expect(started).toEqual(expect.arrayContaining(["one 1", "other 1", "one 2"]));
    expect(started).toHaveLength(3);
    expect(made(rig, "both.txt")).toBe("21");
    expect(await rig.settle()).toHaveLength(1);
  });

  it("of what is done already has it done again, with what stands on it", async () => {
    const go = gate();
    let lastRuns = 0;
    const last = task({
      name: "last",
      description: "",
      needs: { pack },
      outputs: { text: out.artifact("last.txt") },
      run: async ({ needs, outputs, signal }) => {
        lastRuns += 1;
        const ended = new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
        if (lastRuns === 1) await Promise.race([go.opened, ended]);
        writeFileSync(outputs.text, readFileSync(needs.pack.list));
      },
    });
    const rig = new Rig(workspace(tree), [last]);
    while (lastRuns === 0) await rig.next("task-started");
    write(rig.root, "tree/a.txt", "later");
    expect(await rig.next("task-outdated")).toMatchObject({ task: "last@dev" });
    expect(await rig.next("cycle-finished")).toMatchObject({ outcome: "succeeded" });
    expect(made(rig, "last.txt")).toContain("a.txt: later");
    expect(lastRuns).toBe(2);
  });

  it("that is taken back before anybody looked costs nothing", async () => {
    const go = gate();
    let runs = 0;
    const slow = task({
      name: "slow",
      description: "",
      inputs: { text: file("text.txt") },
      outputs: { text: out.file("text") },
      run: async ({ outputs }) => {
        runs += 1;
        await go.opened;
        writeFileSync(outputs.text, "");
      },
    });
    const rig = new Rig(workspace({ "text.txt": "same" }), [slow]);
    while (runs === 0) await rig.next("task-started");
    write(rig.root, "text.txt", "other");
    write(rig.root, "text.txt", "same");
    go.open();
    expect(await rig.next("cycle-finished")).toMatchObject({ outcome: "succeeded", changes: [] });
    expect(await rig.settle()).toEqual([]);
    expect(runs).toBe(1);
  });
});

describe("a failure", () => {
  it("waits for the next change, and is over when what was wrong is mended", async () => {
    const strict = task({
      name: "strict",
      description: "",
      inputs: { text: file("text.txt") },
      outputs: { text: out.file("text") },
      run: ({ inputs, outputs }) => {
        const text = readFileSync(inputs.text, "utf8");
        if (text !== "good") throw new Error("bad text");
        writeFileSync(outputs.text, text);
      },
    });
    const rig = await watching({ "text.txt": "bad" }, [strict]);
    expect(rig.events.at(-1)).toMatchObject({ outcome: "failed" });
    write(rig.root, "text.txt", "bad");
    await rig.next("unchanged");
    write(rig.root, "text.txt", "good");
    expect(await rig.next("cycle-finished")).toMatchObject({ outcome: "succeeded", changes: ["text.txt"] });
    expect(rig.events.filter(({ type }) => type === "task-failed")).toHaveLength(1);
  });

  it("on request is tried again", async () => {
    let fails = true;
    const moody = task({
      name: "moody",
      description: "",
      outputs: { text: out.file("text") },
      run: ({ outputs }) => {
        if (fails) throw new Error("not today");
        writeFileSync(outputs.text, "");
      },
    });
    const rig = await watching({}, [moody]);
    fails = false;
    rig.watch.rerun();
    expect(await rig.next("cycle-finished")).toMatchObject({ outcome: "succeeded" });
    rig.watch.rerun("all");
    await rig.next("cycle-finished");
    expect(rig.ranSince(0)).toEqual(["moody@dev", "moody@dev"]);
  });
});

describe("a task that changes its own input", () => {
  it("is reported as a loop that names the file, and stopped until somebody else changes something", async () => {
    let runs = 0;
    const circle = task({
      name: "circle",
      description: "",
      inputs: { text: file("text.txt") },
      outputs: { text: out.file("text") },
      run: ({ inputs, outputs }) => {
        runs += 1;
        const text = readFileSync(inputs.text, "utf8");
        writeFileSync(outputs.text, text);
        if (text !== "calm") writeFileSync(inputs.text, `${text}+`);
      },
    });
    const rig = new Rig(workspace({ "text.txt": "" }), [circle]);
    expect(await rig.next("loop")).toMatchObject({ loop: { task: "circle@dev", path: "text.txt" } });
    expect(runs).toBe(3);
    write(rig.root, "text.txt", "calm");
    expect(await rig.next("cycle-finished")).toMatchObject({ outcome: "succeeded", changes: ["text.txt"] });
    expect(runs).toBe(4);
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
      for (let folder = 0; folder < 100; folder += 1) {
        mkdirSync(path.join(root, "tree", String(folder)), { recursive: true });
        for (let name = 0; name < 100; name += 1)
          writeFileSync(path.join(root, "tree", String(folder), String(name)), text);
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

/** As the kernel counts them (proc(5), fdinfo). */
function folderWatches(): number {
  const texts = readdirSync("/proc/self/fdinfo").map((name) => {
    try {
      return readFileSync(`/proc/self/fdinfo/${name}`, "utf8");
    } catch {
      return "";
    }
  });
  return texts.join("").split("inotify wd:").length - 1;
}

describe("between two builds", () => {
  it("another invocation builds at once", async () => {
    const rig = await watching(tree, [pack]);
    const events: string[] = [];
    const other = new State(rig.root);
    await build(
      {
        taskfile: { kind: "taskfile", title: "", targets: [pack], variants: {} },
        state: other,
        code: code(),
        toolHint: () => undefined,
        env: {},
      },
      {
        targets: [pack],
        variant: "dev",
        values: new ParameterValues(new Map(), { root: rig.root, env: {}, variant: "dev", note: () => {} }),
        force: new Set(),
        keepGoing: false,
        command: "another",
        signal: new AbortController().signal,
        onEvent: ({ type }) => events.push(type),
      },
    );
    expect(events).toContain("task-fresh");
    expect(events).not.toContain("lock-wait");
  });

  it("a changed definition ends the wait and names the file", async () => {
    const rig = await watching({ ...tree, "tasks/pack.ts": "1" }, [pack], ["tasks/pack.ts"]);
    write(rig.root, "tasks/pack.ts", "1");
    write(rig.root, "tasks/pack.ts", "2");
    expect(await rig.ended).toMatchObject({ kind: "sources", changes: ["tasks/pack.ts"] });
  });

  it("an end leaves no watch behind", async () => {
    const before = folderWatches();
    const rig = await watching(tree, [pack]);
    expect(folderWatches()).toBeGreaterThan(before);
    rig.stop();
    expect(await rig.ended).toEqual({ kind: "stopped" });
    await rig.watch.close();
    expect(folderWatches()).toBe(before);
  });
});
