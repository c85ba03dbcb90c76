/** The fast up-to-date check: when nothing changed the program is not even loaded, and no change goes unseen. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { quickLook, statusOf } from "../../bin/path-status.js";
import { checksumOf, noteOf } from "../../bin/up-to-date.js";
import { type AbsolutePath, acquireLock } from "../../src/engine/index.ts";
import { demo, put, type Run, runTask, startTask } from "./workshop.ts";

const words = ["greet"];
/** Milliseconds: younger files are not yet believed. */
const clockGrain = 2000;

/** Builds in each directory until nothing is too young to be believed; only then a record can be left. */
async function settled(
  roots: readonly string[],
  given: readonly string[] = words,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    for (const root of roots) expect(await runTask(root, given, env)).toMatchObject({ status: 0 });
    const old = Date.now() + clockGrain + 100;
    // What is waited for is the clock itself.
    while (Date.now() < old) await new Promise((resolve) => setTimeout(resolve, old - Date.now()));
  }
  for (const root of roots) await runTask(root, given, env);
}

/** Runs the command, and tells whether the program was needed: what is compiled was taken away before. */
async function run(
  root: string,
  given: readonly string[] = words,
  env: Readonly<Record<string, string>> = {},
): Promise<Run & { readonly loaded: boolean }> {
  const compiled = path.join(root, ".buildcache/compiled");
  rmSync(compiled, { recursive: true, force: true });
  const result = await runTask(root, given, env);
  return { ...result, loaded: existsSync(compiled) };
}

const recordsOf = (root: string): readonly string[] => {
  const directory = path.join(root, ".buildcache/v1/up-to-date");
  return existsSync(directory) ? readdirSync(directory).map((name) => path.join(directory, name)) : [];
};

/** Whether these tests themselves run with warnings of what is to be deprecated. */
const warned = (process.env.NODE_OPTIONS ?? "").includes("pending-deprecation");

describe("the look at a path", () => {
  it("is the same whether Node is asked the short way or in public", () => {
    const root = demo();
    symlinkSync("nowhere", path.join(root, "link"));
    put(root, "a name with ü", "1\n");
    chmodSync(path.join(root, "a name with ü"), 0o751);
    const names = ["Taskfile.ts", "link", "a name with ü", "tasks", "absent", "Taskfile.ts/below", ""];
    const look = quickLook(path.join(root, "Taskfile.ts"));
    if ([20, 22, 24, 26].includes(Number.parseInt(process.versions.node, 10)) && !warned)
      expect(look).not.toBe(statusOf);
    const notes = names.map((name) => {
      const file = path.join(root, name);
      const note = noteOf(file, look(file));
      expect(note, name).toEqual(noteOf(file, statusOf(file)));
      return note.join(" ");
    });
    expect(new Set(notes).size).toBe(names.length);
  });

  it("is public where Node warns of what is to be deprecated, or the short way cannot be checked", () => {
    const root = demo();
    expect(quickLook(path.join(root, "nothing here"))).toBe(statusOf);
    const before = process.env.NODE_OPTIONS;
    process.env.NODE_OPTIONS = "--pending-deprecation";
    try {
      expect(quickLook(path.join(root, "Taskfile.ts"))).toBe(statusOf);
    } finally {
      if (before === undefined) delete process.env.NODE_OPTIONS;
      else process.env.NODE_OPTIONS = before;
    }
  });
});

// Most of their time they wait for the clock, so they wait together.
describe.concurrent("a build with nothing to do", () => {
  it("says the same as the one before without loading the program", async () => {
    const root = demo({ kept: true });
    await settled([root]);
    const careful = await runTask(root, ["greet"], { SOMETHING_ELSE: "1" });
    const quick = await run(root);
    expect(quick).toMatchObject({ status: 0, loaded: false });
    const timeless = (text: string): string => text.replace(/\d+\.\d\d s/, "0.00 s");
    expect(timeless(quick.stderr)).toBe(timeless(careful.stderr));
    expect(quick.stderr).toMatch(/nothing to do: 2 fresh in \d\.\d\d s/);
    expect(quick.stdout).toBe(careful.stdout);
    expect(quick.stdout).toContain("build/dev.txt");
  }, 240_000);

  it("sees every change of what it looked at", async () => {
    const changes: Readonly<Record<string, (root: string) => void>> = {
      "an input's content": (root) => put(root, "in/name", "Moon\n"),
      "an input's executable bit": (root) => chmodSync(path.join(root, "in/name"), 0o755),
      "an input that is gone": (root) => rmSync(path.join(root, "in/name")),
      "a file that comes to match a pattern": (root) => put(root, "in/more/one.txt", "1\n"),
      "an artifact that was edited": (root) => put(root, "build/dev.txt", "mine\n"),
      "an artifact that is gone": (root) => rmSync(path.join(root, "build/dev.txt")),
      "an output in the cache": (root) => put(root, ".buildcache/v1/out/dev/name/text", "mine"),
      "the Taskfile": (root) =>
        writeFileSync(
          path.join(root, "Taskfile.ts"),
          `${readFileSync(path.join(root, "Taskfile.ts"), "utf8")}\n`,
        ),
      "a task's code": (root) =>
        writeFileSync(
          path.join(root, "tasks/all.ts"),
          readFileSync(path.join(root, "tasks/all.ts"), "utf8").replace(".trim()", ".trim().toUpperCase()"),
        ),
      "the whole cache": (root) => rmSync(path.join(root, ".buildcache/v1"), { recursive: true }),
    };
    const cases = Object.entries(changes).map(([what, change]) => ({
      what,
      change,
      root: demo({ kept: true }),
    }));
    await settled(cases.map(({ root }) => root));
    for (const { what, change, root } of cases) {
      expect(await run(root), what).toMatchObject({ loaded: false });
      change(root);
      expect(await run(root), what).toMatchObject({ loaded: true });
    }
  }, 300_000);

  it("sees a link change in the middle of the way to what an input links to", async () => {
    const ways: Readonly<Record<string, string>> = {
      "of a named file": "in/name",
      "of a file that a pattern matches": "in/more/one.txt",
    };
    const cases = Object.entries(ways).map(([what, link]) => ({ what, link, root: demo({ kept: true }) }));
    for (const { root, link } of cases) {
      for (const [name, text] of Object.entries({ a: "Moon", b: "Mars" })) {
        put(root, `${name}/text`, text);
        put(root, `${name}/deep/one`, "");
      }
      // What the link says, taken by its letters alone, leads here.
      put(root, "text", "none");
      symlinkSync("a/deep", path.join(root, "via"));
      rmSync(path.join(root, link), { force: true });
      mkdirSync(path.dirname(path.join(root, link)), { recursive: true });
      symlinkSync(`${root}/via/../text`, path.join(root, link));
    }
    await settled(cases.map(({ root }) => root));
    for (const { what, root } of cases) {
      expect(await run(root), what).toMatchObject({ status: 0, loaded: false });
      rmSync(path.join(root, "via"));
      symlinkSync("b/deep", path.join(root, "via"));
      const { loaded, stderr } = await run(root);
      expect(loaded, what).toBe(true);
      expect(stderr, what).not.toContain("nothing to do");
    }
    expect(readFileSync(path.join(cases[0]?.root ?? "", "build/dev.txt"), "utf8")).toBe("Hello Mars\n");
  }, 240_000);

  it("is asked anew when the command line, a variable it reads, or its tools are others", async () => {
    const root = demo({ kept: true });
    const tools = path.join(root, "tools");
    mkdirSync(tools);
    const env = { PATH: `${tools}:${process.env.PATH ?? ""}` };
    await settled([root], words, env);
    expect(await run(root, words, env)).toMatchObject({ status: 0, loaded: false });
    expect(await run(root, words, { ...env, UNHEARD_OF: "1" })).toMatchObject({ loaded: false });

    expect(await run(root, ["greet", "--prod"], env)).toMatchObject({ status: 0, loaded: true });
    expect(await run(root, words, { ...env, DEMO_GREETING: "Bye" })).toMatchObject({ loaded: true });
    expect(readFileSync(path.join(root, "build/dev.txt"), "utf8")).toBe("Bye World\n");
    expect(await run(root, words, env)).toMatchObject({ status: 0, loaded: true });
    expect(readFileSync(path.join(root, "build/dev.txt"), "utf8")).toBe("Hello World\n");
  }, 240_000);

  it("notices a tool that comes to stand before the one it used", async () => {
    const root = demo({ kept: true });
    const tools = path.join(root, "tools");
    mkdirSync(tools);
    const env = { PATH: `${tools}:${process.env.PATH ?? ""}` };
    await settled([root], words, env);
    expect(await run(root, words, env)).toMatchObject({ loaded: false });
    symlinkSync("/bin/true", path.join(tools, "cat"));
    const { loaded, stderr } = await run(root, words, env);
    expect(loaded).toBe(true);
    expect(stderr).toContain("cat changed");
  }, 240_000);

  it("waits for another build that is at work, since that may be changing what was fresh", async () => {
    const root = demo({ kept: true });
    await settled([root]);
    const lock = path.join(root, ".buildcache/v1/lock") as AbsolutePath;
    const release = await acquireLock(lock, "another", new AbortController().signal, () => {});
    const { child, done } = startTask(root, words);
    await new Promise<void>((resolve) => {
      let said = "";
      child.stderr?.on("data", (text) => {
        said += text;
        if (said.includes("waiting for another build")) resolve();
      });
      child.once("close", () => resolve());
    });
    release();
    expect(await done).toMatchObject({ status: 0, stderr: expect.stringContaining("waiting for another") });
  }, 240_000);

  it("leaves no record where a secret was given, and believes no damaged one", async () => {
    const root = demo({ kept: true });
    await settled([root], ["greet", "-t", "hunter2"]);
    expect(recordsOf(root)).toEqual([]);

    const other = demo({ kept: true });
    await settled([other]);
    const [record = ""] = recordsOf(other);
    const bytes = readFileSync(record);
    for (let at = 0; at < bytes.length; at += Math.ceil(bytes.length / 8)) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      writeFileSync(record, damaged);
      const { status, loaded } = await run(other);
      expect({ at, status, loaded }).toEqual({ at, status: 0, loaded: true });
    }
    writeFileSync(record, bytes.subarray(0, 200));
    expect(await run(other)).toMatchObject({ status: 0, loaded: true });

    // What somebody else may have written: a right checksum, and no path that could have changed.
    const header = JSON.parse(bytes.toString("utf8", 12, 12 + bytes.readUInt32LE(4))) as object;
    const said = [[1, "up to date, says who?\n"]];
    const forgeries: Readonly<Record<string, readonly [header: string, names: readonly string[]]>> = {
      "no path": [JSON.stringify({ ...header, own: 0, said }), [""]],
      "paths that nobody has": [
        JSON.stringify({ ...header, own: 3, said }),
        ["/nowhere/a", "/nowhere/b", "/nowhere/c"],
      ],
      "the logs, not there": [
        JSON.stringify({ ...header, own: 3, said }),
        ["lock", "stamps.log", "files.log"].map((name) => path.join(other, ".buildcache/v1", name)),
      ],
      "no header": ["{", [""]],
      "a header of another form": [JSON.stringify({ ...header, said: 7, environment: null }), [""]],
      null: ["null", [""]],
    };
    for (const [what, [text, names]] of Object.entries(forgeries)) {
      const texts = [Buffer.from(text), Buffer.from(names.join("\0"))];
      const notes = names.map((name) => Buffer.from(noteOf(name, undefined).buffer));
      const prefix = Uint32Array.of(
        checksumOf(texts[0] ?? Buffer.of()),
        ...texts.map(({ length }) => length),
      );
      writeFileSync(record, Buffer.concat([Buffer.from(prefix.buffer), ...texts, ...notes]));
      put(other, "in/name", `${what}\n`);
      const { status, loaded, stdout, stderr } = await run(other);
      expect({ what, status, loaded, stderr }).toMatchObject({ what, status: 0, loaded: true });
      expect(stdout).not.toContain("says who");
      expect(readFileSync(path.join(other, "build/dev.txt"), "utf8")).toBe(`Hello ${what}\n`);
    }
  }, 300_000);
});
