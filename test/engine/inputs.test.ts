/** What a pattern means is looked at anew whenever it could have changed. */
import fs, {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import path from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  type AbsolutePath,
  digestOfParts,
  file,
  files,
  out,
  State,
  type Task,
  type TaskId,
  task,
} from "../../src/engine/index.ts";
import { run, workspace, write } from "./workshop.ts";

/** A clock on which every file looks long settled, so that all that may be remembered is. */
const ahead = { now: () => Date.now() + 3_600_000 };

/** Writes down which files a pattern matches. */
function lister(patterns: string | readonly string[]): Task {
  return task({
    name: "lister",
    description: "",
    inputs: { found: files(patterns, { optional: true }) },
    outputs: { list: out.artifact("list") },
    run: ({ inputs, outputs }) => writeFileSync(outputs.list, inputs.found.paths.join("\n")),
  }) as Task;
}

async function listed(root: AbsolutePath, target: Task): Promise<string> {
  await run(root, [target], { clock: ahead });
  return readFileSync(path.join(root, "list"), "utf8");
}

/** Does something once, right after a directory of this name was read. */
function afterReading(name: string, act: () => void): void {
  const read = fs.readdirSync;
  let waits = true;
  fs.readdirSync = ((directory: string, ...others: readonly never[]) => {
    const found = read(directory, ...others);
    if (waits && path.basename(String(directory)) === name) {
      waits = false;
      act();
    }
    return found;
  }) as typeof read;
  syncBuiltinESMExports();
  onTestFinished(() => {
    fs.readdirSync = read;
    syncBuiltinESMExports();
  });
}

describe("a pattern", () => {
  it("does not remember what was removed, with its directory, while it was looked for", async () => {
    const root = workspace({ "in/deep/z": "", "in/y": "" });
    const target = task({
      name: "lister",
      description: "",
      inputs: { found: files("**", { root: "in", optional: true }) },
      outputs: { list: out.artifact("list") },
      run: ({ inputs, outputs }) => writeFileSync(outputs.list, inputs.found.paths.join("\n")),
    }) as Task;
    afterReading("deep", () => rmSync(path.join(root, "in"), { recursive: true }));
    expect(await listed(root, target)).toBe("");
    expect(await listed(root, target)).toBe("");
    write(root, "in/deep/z", "");
    expect(await listed(root, target)).toBe("deep/z");
  });

  it("finds files of a directory that did not exist when it was looked at before", async () => {
    const root = workspace({ "a/other": "" });
    const target = lister("a/b/c/*.txt");
    expect(await listed(root, target)).toBe("");
    write(root, "a/b/c/new.txt", "");
    expect(await listed(root, target)).toBe("a/b/c/new.txt");
  });

  it("finds files added to any of its alternatives", async () => {
    const root = workspace({ "a/1.txt": "", "b/1.txt": "" });
    const target = lister("{a,b}/*.txt");
    expect(await listed(root, target)).toBe("a/1.txt\nb/1.txt");
    write(root, "b/2.txt", "");
    expect(await listed(root, target)).toBe("a/1.txt\nb/1.txt\nb/2.txt");
    write(root, "a/2.txt", "");
    expect(await listed(root, target)).toBe("a/1.txt\na/2.txt\nb/1.txt\nb/2.txt");
  });

  it("finds files added to a directory that is reached through a link", async () => {
    const root = workspace({ "real/1.txt": "" });
    symlinkSync("real", path.join(root, "link"));
    const target = lister("link/*.txt");
    expect(await listed(root, target)).toBe("link/1.txt");
    write(root, "real/2.txt", "");
    expect(await listed(root, target)).toBe("link/1.txt\nlink/2.txt");
  });

  it("finds files in directories whose names are patterns themselves", async () => {
    const root = workspace({ "a (1)/x": "", "a (1)/sub/x": "" });
    const target = lister("a \\(1\\)/**");
    expect(await listed(root, target)).toBe("a (1)/sub/x\na (1)/x");
    write(root, "a (1)/sub/y", "");
    expect(await listed(root, target)).toBe("a (1)/sub/x\na (1)/sub/y\na (1)/x");
  });
});

describe("a digest", () => {
  it("of a file is remembered only when the file was settled as it was read", async () => {
    const remembers = async (offset: number): Promise<boolean> => {
      const root = workspace({ "in/text": "hello" });
      await run(root, [lister("in/*")], { clock: { now: () => Date.now() + offset } });
      const log = path.join(root, ".buildcache/v1/files.log");
      return existsSync(log) && readFileSync(log, "utf8").includes("in/text");
    };
    expect(await remembers(0)).toBe(false);
    expect(await remembers(1500)).toBe(false);
    expect(await remembers(-3_600_000)).toBe(false);
    expect(await remembers(60_000)).toBe(true);
  });

  it("of parts is another one when a character moves from one part to the next", () => {
    expect(digestOfParts(["ab", "c"])).not.toBe(digestOfParts(["a", "bc"]));
    expect(digestOfParts(["a\n1:b"])).not.toBe(digestOfParts(["a", "b"]));
    expect(digestOfParts(["a", ""])).not.toBe(digestOfParts(["a"]));
  });
});

describe("a stamp", () => {
  it("is dropped before the task begins, so that a crash finds none", async () => {
    const root = workspace({ "in/text": "hello" });
    const seen: (string | undefined)[] = [];
    const id = "watched@dev" as TaskId;
    const watched = task({
      name: "watched",
      description: "",
      inputs: { text: file("in/text") },
      outputs: { x: out.artifact("x") },
      run: ({ outputs }) => {
        seen.push(new State(root).stamps.currentFingerprint(id));
        writeFileSync(outputs.x, "");
        if (seen.length === 2) throw new Error("fails");
      },
    });
    await run(root, [watched]);
    expect(new State(root).stamps.currentFingerprint(id)).toBeDefined();
    write(root, "in/text", "bye");
    expect((await run(root, [watched])).outcome).toBe("failed");
    expect(seen).toEqual([undefined, undefined]);
    expect(new State(root).stamps.currentFingerprint(id)).toBeUndefined();
    expect(new State(root).stamps.last(id)).toBeDefined();
  });
});

describe("a named file", () => {
  it("counts as changed during the run when it is the target of a link that changed", async () => {
    const root = workspace({ "real/text": "one" });
    mkdirSync(path.join(root, "in"));
    symlinkSync("../real/text", path.join(root, "in/text"));
    const racing = task({
      name: "racing",
      description: "",
      inputs: { text: file("in/text") },
      outputs: { text: out.artifact("out") },
      run: ({ inputs, outputs }) => {
        write(root, "real/text", "two");
        writeFileSync(outputs.text, readFileSync(inputs.text));
      },
    });
    const { notes } = await run(root, [racing]);
    expect(notes.join()).toContain("changed while racing ran");
    expect(readdirSync(path.join(root, ".buildcache/v1")).sort()).not.toContain("lock");
  });
});
