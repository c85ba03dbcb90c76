/** What a user relies on when auditing: what a task's own JavaScript touches is named as well, each task's by itself. */
import { execFileSync } from "node:child_process";
import fs, {
  createReadStream,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { cp, open, opendir, readFile, rename, stat } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { type AbsolutePath, file, files, only, out, task } from "../../src/engine/index.ts";
import { usesPrograms } from "../support/programs.ts";
import { run, workspace } from "./workshop.ts";

usesPrograms("strace");

type Touch = (
  root: string,
  given: { readonly scratch: string; readonly outputs: { readonly text: string } },
) => unknown;

/** A task with one input, `in/text`, that touches something beside it. */
function toucher(root: string, touch: Touch, name = "toucher") {
  return task({
    name,
    description: "",
    inputs: { text: file("in/text") },
    outputs: { text: out.file("text") },
    run: async (given) => {
      await touch(root, given);
      writeFileSync(given.outputs.text, readFileSync(given.inputs.text));
    },
  });
}

const content = {
  "in/text": "declared",
  "in/other": "not declared",
  "more/one": "1",
  "more/two": "2",
};

/** What an audit says of the toucher, without the sentence's beginning. */
async function named(touch: Touch): Promise<readonly string[]> {
  const root = workspace(content);
  symlinkSync("in/other", path.join(root, "link"));
  const { outcome, notes, outcomes } = await run(root, [toucher(root, touch)], { audit: "report" });
  expect([outcome, outcomes]).toEqual(["succeeded", { "toucher@dev": "never built" }]);
  return notes.map((note) => note.replace("toucher: its code used undeclared files: ", ""));
}

describe("an audit of a task's code names", () => {
  it.each<readonly [how: string, touch: Touch, said: string]>([
    ["readFileSync", (root) => readFileSync(path.join(root, "in/other")), "read in/other"],
    ["readFile of fs/promises", (root) => readFile(path.join(root, "in/other")), "read in/other"],
    ["readFile of fs.promises", (root) => fs.promises.readFile(path.join(root, "in/other")), "read in/other"],
    [
      "readFile with a callback",
      (root) => promisify(fs.readFile)(path.join(root, "in/other")),
      "read in/other",
    ],
    ["a file's URL", (root) => readFile(pathToFileURL(path.join(root, "in/other"))), "read in/other"],
    ["a path as bytes", (root) => readFile(Buffer.from(path.join(root, "in/other"))), "read in/other"],
    ["a relative path", (root) => readFile(path.relative("", path.join(root, "in/other"))), "read in/other"],
    ["a link", (root) => readFile(path.join(root, "link")), "read in/other"],
    [
      "a link that the task made itself",
      (root, { scratch }) => {
        symlinkSync(path.join(root, "in/other"), path.join(scratch, "link"));
        return readFile(path.join(scratch, "link"));
      },
      "read in/other",
    ],
    [
      "a stream",
      async (root) => {
        for await (const _ of createReadStream(path.join(root, "in/other"))) break;
      },
      "read in/other",
    ],
    ["a descriptor", (root) => fs.closeSync(openSync(path.join(root, "in/other"), "r")), "read in/other"],
    ["a handle", async (root) => (await open(path.join(root, "in/other"))).close(), "read in/other"],
    [
      "a copy",
      (root, { scratch }) => fs.copyFileSync(path.join(root, "in/other"), path.join(scratch, "copy")),
      "read in/other",
    ],
    [
      "a copy of a directory",
      (root, { scratch }) => cp(path.join(root, "more"), path.join(scratch, "copy"), { recursive: true }),
      "copied more, read more/one, read more/two",
    ],
    ["a directory's names", (root) => readdirSync(path.join(root, "in")), "listed in"],
    ["an opened directory", async (root) => (await opendir(path.join(root, "more"))).close(), "listed more"],
    ["a status", (root) => stat(path.join(root, "in/other")), "looked at in/other"],
    ["a status at once", (root) => statSync(path.join(root, "in/other")), "looked at in/other"],
    [
      "a question for a file that is there",
      (root) => existsSync(path.join(root, "in/other")),
      "looked at in/other",
    ],
    ["a question for one that is not", (root) => existsSync(path.join(root, "in/none")), "looked at in/none"],
    ["where a link leads", (root) => fs.readlinkSync(path.join(root, "link")), "looked at link"],
    ["a resolved path", (root) => fs.realpathSync.native(path.join(root, "link")), "looked at in/other"],
    ["a failed reading", (root) => readFile(path.join(root, "in/none")).catch(() => ""), "read in/none"],
    [
      "reading and looking, once",
      (root) => [statSync(path.join(root, "link")), readFileSync(path.join(root, "link"))],
      "read in/other",
    ],
    [
      "what a callback reads later",
      (root) =>
        new Promise<void>((resolve) =>
          setTimeout(() => resolve(void readFileSync(path.join(root, "in/other"))), 1),
        ),
      "read in/other",
    ],
    [
      "a file that it writes",
      (root) => writeFileSync(path.join(root, "left behind"), ""),
      "wrote left behind",
    ],
    ["a directory that it makes", (root) => mkdirSync(path.join(root, "left behind")), "wrote left behind"],
    ["what it removes", (root) => rmSync(path.join(root, "more/one")), "wrote more/one"],
    [
      "both names of what it renames",
      (root) => rename(path.join(root, "more/one"), path.join(root, "more/three")),
      "wrote more/one, wrote more/three",
    ],
    [
      "a file opened for both",
      (root) => fs.closeSync(openSync(path.join(root, "more/one"), "r+")),
      "wrote more/one",
    ],
    ["a program that it starts by itself", () => execFileSync("true", ["x"]), "ran true"],
    ["a thread", () => new Worker("", { eval: true }).terminate(), "ran a thread"],
  ])("%s", async (_, touch, said) => {
    expect(await named(touch)).toEqual([said]);
  });

  it("what it writes to an input", async () => {
    const said = await named((root) => fs.utimesSync(path.join(root, "in/text"), 1, 1));
    expect(said[0]).toBe("wrote in/text");
  });
});

describe("a strict audit", () => {
  it("fails the task whose code reads what it does not declare, and leaves no output of it", async () => {
    const root = workspace(content);
    const reader = toucher(root, () => readFileSync(path.join(root, "in/other")));
    const { outcome, outcomes } = await run(root, [reader], { audit: "strict" });
    expect(outcome).toBe("failed");
    expect(outcomes["toucher@dev"]).toContain("its code used undeclared files: read in/other");
    expect(existsSync(path.join(root, ".buildcache/v1/out/dev/toucher/text"))).toBe(false);
  });

  it("tells two tasks that run at once apart", async () => {
    const root = workspace(content);
    let here = 0;
    let bothHere: () => void = () => {};
    const both = new Promise<void>((resolve) => {
      bothHere = resolve;
    });
    const meet = async (): Promise<void> => {
      if (++here === 2) bothHere();
      await both;
    };
    const one = toucher(root, async () => [await meet(), await readFile(path.join(root, "more/one"))], "one");
    const two = toucher(root, async () => [await meet(), await readFile(path.join(root, "more/two"))], "two");
    const three = toucher(root, () => undefined, "three");
    const { outcomes } = await run(root, [one, two, three], { audit: "strict", keepGoing: true, jobs: 3 });
    expect(outcomes["one@dev"]).toMatch(/: read more\/one$/);
    expect(outcomes["two@dev"]).toMatch(/: read more\/two$/);
    expect(outcomes["three@dev"]).toBe("never built");
  });

  it("passes a task that uses all it was given", async () => {
    const root = workspace({ ...content, "tree/a": "a", "tree/b/c": "c", "tree/.a.swp": "" });
    symlinkSync("../in/other", path.join(root, "tree/link"));
    const first = task({
      name: "first",
      description: "",
      outputs: { tree: out.directory("tree"), other: out.file("other") },
      run: ({ outputs }) => {
        writeFileSync(path.join(outputs.tree, "made"), "made");
        writeFileSync(outputs.other, "other");
      },
    });
    const second = task({
      name: "second",
      description: "",
      inputs: {
        text: file("in/text"),
        none: file("none", { optional: true }),
        tree: files("**", { root: "tree", links: "keep", ignore: ["**/*.swp"] }),
        lock: file("more/one", { mutable: true }),
      },
      needs: { first: only(first, "tree") },
      tools: ["cat"],
      outputs: { text: out.file("text"), all: out.directory("all"), joined: out.file("joined") },
      run: async ({ $, inputs, needs, outputs, scratch, memo, join, digest, blobs, log }) => {
        const from = needs.first.tree;
        await cp(from, path.join(outputs.all, "made"), { recursive: true });
        for (const name of readdirSync(from)) statSync(path.join(from, name));
        for (const name of readdirSync(inputs.tree.root)) fs.lstatSync(path.join(inputs.tree.root, name));
        existsSync(path.join(root, "none"));
        statSync(root);
        writeFileSync(path.join(root, "more/one.1.part"), "3");
        statSync(path.join(root, "more/one.1.part"));
        fs.renameSync(path.join(root, "more/one.1.part"), path.join(root, "more/one"));
        const made = await memo(["key"], async (target) => writeFileSync(target, "memo"));
        const joined = await join(outputs.joined, [{ file: made }, { file: inputs.text }]);
        await digest([{ file: inputs.text }]);
        const kept = path.join(scratch, "kept");
        writeFileSync(kept, "memodeclared");
        await blobs.adopt(kept, joined.sha256);
        await blobs.copyOut(joined.sha256, kept);
        readFileSync(blobs.pathOf(joined.sha256));
        log("said");
        console.log("said too");
        await $`cat ${inputs.text} > ${outputs.text}`;
        await $({ cwd: scratch })`cat ${inputs.text} > ${outputs.text}`;
      },
    });
    const { outcomes } = await run(root, [second], { audit: "strict" });
    expect(outcomes["second@dev"]).toBe("never built");
  });

  it("fails one that reads behind a link of which only the target's name counts", async () => {
    const root = workspace({ ...content, "tree/a": "a" });
    symlinkSync("../in/other", path.join(root, "tree/link"));
    const reader = task({
      name: "reader",
      description: "",
      inputs: { tree: files("**", { root: "tree", links: "keep" }) },
      outputs: { text: out.file("text") },
      run: ({ inputs, outputs }) => writeFileSync(outputs.text, readFileSync(`${inputs.tree.root}/link`)),
    });
    const { outcomes } = await run(root, [reader], { audit: "strict" });
    expect(outcomes["reader@dev"]).toMatch(/: read in\/other$/);
  });

  it("fails one that hands on an undeclared file to be joined, or writes in a piece of work that is remembered", async () => {
    const root = workspace(content);
    const concatenator = task({
      name: "joiner",
      description: "",
      outputs: { text: out.file("text") },
      run: async ({ outputs, join, memo }) => {
        await join(outputs.text, [{ file: path.join(root, "more/one") }]);
        await memo(["key"], async (target) => fs.copyFileSync(path.join(root, "more/two"), target));
      },
    });
    const { outcomes } = await run(root, [concatenator], { audit: "strict" });
    expect(outcomes["joiner@dev"]).toMatch(/: read more\/one, read more\/two$/);
  });

  it("is the same where the workspace is reached through a link", async () => {
    const root = workspace(content);
    const elsewhere = `${root} link`;
    symlinkSync(root, elsewhere);
    try {
      const quiet = toucher(elsewhere, () => undefined);
      const { outcomes } = await run(elsewhere as AbsolutePath, [quiet], { audit: "strict" });
      expect(outcomes["toucher@dev"]).toBe("never built");
    } finally {
      rmSync(elsewhere);
    }
  });
});

describe("the functions of node:fs", () => {
  it("are Node's own in a build that is not audited, and after one that was", async () => {
    const own = { readFileSync, readFile, open: fs.promises.open, spawn: fs.openSync };
    const now = () => ({ readFileSync, readFile, open: fs.promises.open, spawn: fs.openSync });
    const during: ReturnType<typeof now>[] = [];
    const root = workspace(content);
    const watcher = toucher(root, () => void during.push(now()));
    await run(root, [watcher]);
    expect(during).toEqual([own]);
    expect(during[0]?.readFile).toBe(own.readFile);
    await run(root, [watcher], { audit: "report", version: "2" });
    expect(during[1]?.readFile).not.toBe(own.readFile);
    expect(during[1]?.readFileSync).not.toBe(own.readFileSync);
    for (const [name, one] of Object.entries(now())) expect(one).toBe(Reflect.get(own, name));
  });
});
