/** A hostile cache can make builds run again, but neither write outside of the cache and outputs nor delete other files. */
import { createHash } from "node:crypto";
import {
  appendFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type AbsolutePath,
  collectGarbage,
  file,
  files,
  out,
  param,
  removeProducts,
  State,
  type Task,
  task,
  taskfile,
  verifyStore,
} from "../../src/engine/index.ts";
import { built, expectRight, given, v1 } from "./state-rig.ts";
import { code, run, workspace, write } from "./workshop.ts";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Appends a record as the engine does. */
function record(root: string, log: string, key: string, value: string): void {
  const body = Buffer.from(`${key}\t${value}`);
  const sum = crc32(body).toString(16).padStart(8, "0");
  appendFileSync(v1(root, log), Buffer.concat([Buffer.from(`${sum} `), body, Buffer.from("\n")]));
}

interface StampText {
  outputs: string;
  parts: [string, string][];
  [key: string]: unknown;
}

/** The stamps that a build left, by the name of their task. */
function stamps(root: string): ReadonlyMap<string, StampText & { fingerprint: string }> {
  const found = [...new State(root as AbsolutePath).stamps.results()].map(({ stamp }) => stamp);
  return new Map(
    found.map((stamp) => [
      new Map(stamp.parts).get("task") ?? "",
      JSON.parse(JSON.stringify(stamp)) as StampText & { fingerprint: string },
    ]),
  );
}

/** Puts a blob into the store. */
function blob(root: string, text: string, suffix = ""): string {
  const digest = sha256(text);
  mkdirSync(v1(root, "store", digest.slice(0, 2)), { recursive: true });
  writeFileSync(v1(root, "store", digest.slice(0, 2), digest.slice(2) + suffix), text, { flag: "w" });
  return digest;
}

/** A task with a folder and an artifact, built; its outputs are gone, so that the next build restores them. */
async function emptied() {
  const root = workspace({ "in/text": "one" });
  const runs: string[] = [];
  const both = task({
    name: "both",
    description: "",
    inputs: { text: files("in/**") },
    outputs: {
      tree: out.directory("tree"),
      made: out.artifactDirectory("build/made"),
      file: out.artifact("build/file"),
    },
    run: ({ outputs }) => {
      runs.push("both");
      for (const folder of [outputs.tree, outputs.made]) {
        mkdirSync(path.join(folder, "below"));
        writeFileSync(path.join(folder, "below/text"), "right");
        symlinkSync("below/../below/text", path.join(folder, "link"));
      }
      writeFileSync(outputs.file, "right");
    },
  }) as Task;
  expect((await run(root, [both])).outcome).toBe("succeeded");
  rmSync(v1(root, "out"), { recursive: true });
  rmSync(path.join(root, "build"), { recursive: true });
  runs.length = 0;
  return { root, both, runs };
}

/** An attacker who can write listings, but cannot change what tasks do. */
async function forged(change: (lines: string[], evil: string) => string[]) {
  const { root, both, runs } = await emptied();
  const outside = workspace({});
  const stamp = stamps(root).get("both");
  if (stamp === undefined) throw new Error("no stamp");
  const evil = blob(root, "evil");
  const lines = stamp.outputs.trimEnd().split("\n");
  // Sorted by path, as the engine's own are.
  const pathOf = (line: string): string => line.slice(line.lastIndexOf(' "'));
  const outputs = change(lines, `f ${evil} 4`).sort((a, b) => (pathOf(a) < pathOf(b) ? -1 : 1));
  record(
    root,
    "stamps.log",
    `result ${stamp.fingerprint}`,
    JSON.stringify({ ...stamp, outputs: `${outputs.join("\n")}\n` }),
  );
  return { root, both, runs, outside };
}

describe("a recorded result", () => {
  it("is restored where its listing can be the task's", async () => {
    const { root, both, runs } = await forged((lines) => lines);
    expect((await run(root, [both])).outcomes["both@dev"]).toBe("restored");
    expect(runs).toEqual([]);
    expect(readFileSync(path.join(root, "build/made/link"), "utf8")).toBe("right");
  });

  const without = (lines: string[], ...names: string[]): string[] =>
    lines.filter((line) => !names.some((name) => line.endsWith(`"${name}"`) || line.includes(`"${name}/`)));
  const impossible: Readonly<Record<string, (lines: string[], evil: string) => string[]>> = {
    "a file below a link": (lines, evil) => [...lines, 'l "/tmp" "tree/x"', `${evil} "tree/x/pwn"`],
    "a file below a link within": (lines, evil) => [...lines, 'l "below" "tree/x"', `${evil} "tree/x/pwn"`],
    "a file below a file": (lines, evil) => [...lines, `${evil} "tree/below/text/pwn"`],
    "a file in a folder that is not listed": (lines, evil) => [...lines, `${evil} "tree/new/pwn"`],
    "a link in place of an output": (lines) => [...without(lines, "made"), 'l "/etc" "made"'],
    "a file in place of a folder": (lines, evil) => [...without(lines, "made"), `${evil} "made"`],
    "a folder in place of a file": (lines) => [...without(lines, "file"), 'd "file"'],
    "an output that is missing": (lines) => without(lines, "file"),
    "an output that is none": (lines, evil) => [...lines, `${evil} "other"`],
    "a path that leaves": (lines, evil) => [...lines, 'd "tree/.."', `${evil} "tree/../pwn"`],
    "an empty name": (lines, evil) => [...lines, 'd "tree/"', `${evil} "tree//pwn"`],
    "a dot for a name": (lines, evil) => [...lines, 'd "tree/."', `${evil} "tree/./pwn"`],
    "a NUL in a name": (lines, evil) => [...lines, `${evil} "tree/a\\u0000b"`],
    "half a character": (lines, evil) => [...lines, `${evil} "tree/\\ud800"`],
    "a path that comes twice": (lines, evil) => [...lines, `${evil} "tree/below/text"`],
    "a link to a root path": (lines) => [...lines, 'l "/etc/passwd" "tree/x"'],
    "a link out of its output": (lines) => [...lines, 'l "below/../../file" "tree/x"'],
    "a link that leaves by way of another": (lines) => [
      ...lines,
      'd "tree/a"',
      'd "tree/a/b"',
      'l ".." "tree/a/b/up"',
      'l "a/b/up/../.." "tree/x"',
    ],
    "a link to nothing": (lines) => [...lines, 'l "" "tree/x"'],
    "a mode of another kind": (lines) => lines.map((line) => line.replace(/^f /, "s ")),
    "a digest that is none": (lines) => [...lines, `f ${"../".repeat(21)}x 4 "tree/x"`],
  };
  for (const [what, change] of Object.entries(impossible)) {
    it(`counts as absent where its listing has ${what}`, async () => {
      const { root, both, runs } = await forged(change);
      const { outcome } = await run(root, [both]);
      expect(outcome).toBe("succeeded");
      expect(runs).toEqual(["both"]);
      expect(existsSync("/tmp/pwn")).toBe(false);
      expect(readdirSync(path.join(root, "build/made")).sort()).toEqual(["below", "link"]);
      expect(lstatSync(path.join(root, "build/made")).isDirectory()).toBe(true);
      expect((await run(root, [both])).outcomes["both@dev"]).toBe("fresh");
    });
  }

  it("is not fresh either where both it and what is there were brought along", async () => {
    const { root, both, runs } = await forged((lines) => [...without(lines, "tree"), 'l "/etc" "tree"']);
    await run(root, [both]);
    rmSync(v1(root, "out/dev/both/tree"), { recursive: true });
    symlinkSync("/etc", v1(root, "out/dev/both/tree"));
    const stamp = stamps(root).get("both");
    const outputs = without(stamp?.outputs.trimEnd().split("\n") ?? [], "tree");
    record(
      root,
      "stamps.log",
      `result ${stamp?.fingerprint}`,
      JSON.stringify({ ...stamp, outputs: `${[...outputs, 'l "/etc" "tree"'].join("\n")}\n` }),
    );
    runs.length = 0;
    expect((await run(root, [both])).outcome).toBe("succeeded");
    expect(runs).toEqual(["both"]);
    expect(lstatSync(v1(root, "out/dev/both/tree")).isDirectory()).toBe(true);
  });
});

describe("records with a right checksum", () => {
  it("and anything else in them make no wrong result, and no failure", async () => {
    const { root, third } = await built();
    const keys = readFileSync(v1(root, "stamps.log"), "utf8") + readFileSync(v1(root, "files.log"), "utf8");
    const known = [
      ...new Set(keys.split("\n").flatMap((line) => /^[0-9a-f]{8} (.*?)\t/.exec(line)?.[1] ?? [])),
    ];
    const original = new Map(
      ["stamps.log", "files.log"].map((log) => [log, readFileSync(v1(root, log))] as const),
    );
    const junk = fc.oneof(
      fc.json(),
      fc.string({ unit: "binary" }).map((text) => text.replaceAll("\n", "")),
      fc.constantFrom(
        "null",
        "[]",
        "{}",
        '"x"',
        "../../etc",
        "a".repeat(64),
        `{"directories":[],"paths":["../x"]}`,
      ),
      fc
        .record({
          fingerprint: fc.constant("f".repeat(64)),
          parts: fc.oneof(fc.constant([]), fc.anything()),
          outputs: fc.oneof(fc.constant(""), fc.string()),
          seconds: fc.oneof(fc.constant(1), fc.anything()),
        })
        .map((value) => JSON.stringify(value, (_, one) => (typeof one === "bigint" ? 1 : one)) ?? ""),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom(...known), junk), { minLength: 1, maxLength: 12 }),
        async (forgeries) => {
          for (const [log, bytes] of original) writeFileSync(v1(root, log), bytes);
          for (const [key, value] of forgeries)
            for (const log of original.keys()) record(root, log, key, value.replaceAll("\n", ""));
          rmSync(path.join(root, "build"), { recursive: true, force: true });
          const { outcome, outcomes } = await run(root, [third], { given, maxSize: 1 });
          expect([outcome, JSON.stringify(outcomes)]).toEqual([
            "succeeded",
            expect.not.stringContaining("failed"),
          ]);
          expect(readFileSync(path.join(root, "build/third"), "utf8")).toBe("HELLO!");
          expect(await verifyStore(new State(root))).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
    await expectRight(root, third);
  }, 60_000);

  it("name no files that are outside of an input's folder", async () => {
    const root = workspace({ "in/text": "declared", secret: "not declared" });
    const seen: string[] = [];
    const reader = task({
      name: "reader",
      description: "",
      inputs: { text: files("**", { root: "in" }) },
      outputs: { text: out.file("text") },
      run: ({ inputs, outputs }) => {
        seen.push(...inputs.text.paths);
        writeFileSync(outputs.text, inputs.text.paths.join());
      },
    });
    const clock = { now: () => Date.now() + 3_600_000 };
    await run(root, [reader], { clock });
    const log = readFileSync(v1(root, "files.log"), "utf8");
    const key = /^[0-9a-f]{8} (glob [^\t]*)\t/m.exec(log)?.[1] ?? "";
    expect(key).not.toBe("");
    for (const directories of [[], [["x", "0:0:absent"]], "x"]) {
      record(root, "files.log", key, JSON.stringify({ directories, paths: ["text", "../secret"] }));
      write(root, "in/text", `changed ${JSON.stringify(directories)}`);
      seen.length = 0;
      expect((await run(root, [reader], { clock })).outcome).toBe("succeeded");
      expect(seen).toEqual(["text"]);
    }
  });
});

describe("the lists of parts in the store", () => {
  const parts = (root: string, digest: string, list: readonly string[]): void => {
    mkdirSync(v1(root, "store", digest.slice(0, 2)), { recursive: true });
    writeFileSync(
      v1(root, "store", digest.slice(0, 2), `${digest.slice(2)}.parts`),
      list.map((one) => `${one}\n`).join(""),
    );
  };

  it("that contain one another count as no content, and do not keep a check from ending", async () => {
    const { root, third, runs } = await built();
    const [a, b] = [sha256("a"), sha256("b")];
    parts(root, a, [b]);
    parts(root, b, [a]);
    const state = new State(root);
    expect(state.store.has(a as never)).toBe(false);
    expect([...(await verifyStore(state))].sort()).toEqual([a, b].sort());
    await expectRight(root, third);
    expect(runs).toEqual([]);
  });

  it("that mean more than any disk holds are no content", async () => {
    const { root } = await built();
    const names = Array.from({ length: 7 }, (_, index) => sha256(`level ${index}`));
    const bottom = blob(root, "x");
    for (const [index, name] of names.entries())
      parts(
        root,
        name,
        Array.from({ length: 1000 }, () => names[index + 1] ?? bottom),
      );
    expect(new State(root).store.has(names[0] as never)).toBe(false);
  });
});

describe("links in the cache", () => {
  it("to folders of the user's have nothing there removed or written, by any command", async () => {
    for (const name of ["tmp", "store", "store/ab", "out", "out/dev"]) {
      const { root, third } = await built();
      const outside = workspace({ precious: "1", "deep/precious": "2" });
      rmSync(v1(root, name), { recursive: true, force: true });
      symlinkSync(outside, v1(root, name));
      const state = new State(root);
      await verifyStore(state);
      await collectGarbage(state, 0);
      write(root, "in/text", "other");
      await expectRight(root, third, "OTHER!");
      await removeProducts(
        {
          taskfile: taskfile({
            title: "",
            targets: [third],
            variants: { dev: { description: "", flags: [] } },
          }),
          state: new State(root),
          code: code(),
          toolHint: () => undefined,
          env: {},
        },
        { all: true },
        "test",
      );
      expect(readdirSync(outside, { recursive: true }).sort(), name).toEqual([
        "deep",
        "deep/precious",
        "precious",
      ]);
    }
  });

  it("in place of all of it lead nowhere either", async () => {
    const { root, third } = await built();
    const outside = workspace({ "tmp/precious": "1" });
    rmSync(v1(root), { recursive: true });
    symlinkSync(outside, v1(root));
    await expectRight(root, third);
    expect(readdirSync(outside)).toEqual(["tmp"]);
    expect(readdirSync(path.join(outside, "tmp"))).toEqual(["precious"]);
  });
});

describe("task clean", () => {
  it("removes what tasks made, also under earlier names, and no file that only a record names", async () => {
    const root = workspace({ "in/text": "x", "src/precious": "1", precious: "2" });
    const name = param.text({ name: "name", description: "", default: "one" });
    const made = task({
      name: "made",
      description: "",
      params: { name },
      outputs: {
        file: out.artifact(({ value }) => `build/${value(name)}.iso`),
        other: out.artifact("build/other"),
      },
      run: ({ outputs }) => {
        for (const file of Object.values(outputs)) writeFileSync(file, "1");
      },
    }) as Task;
    await run(root, [made]);
    await run(root, [made], { given: { name: "two" } });
    const stamp = stamps(root).get("made");
    const places = [
      "../x",
      "src",
      "src/precious",
      "precious",
      ".",
      "",
      "build/../precious",
      path.join(root, "precious"),
    ];
    for (const [index, place] of places.entries()) {
      const fingerprint = sha256(`${index}`);
      const parts = stamp?.parts.map(([label, value]) => [
        label,
        label.startsWith("output ")
          ? `file ${place}`
          : label.startsWith("param ")
            ? JSON.stringify("../src/precious")
            : value,
      ]);
      record(root, "stamps.log", `result ${fingerprint}`, JSON.stringify({ ...stamp, fingerprint, parts }));
    }
    const removed = await removeProducts(
      {
        taskfile: taskfile({ title: "", targets: [made], variants: { dev: { description: "", flags: [] } } }),
        state: new State(root),
        code: code(),
        toolHint: () => undefined,
        env: {},
      },
      { all: false },
      "test",
    );
    const artifacts = removed.filter((one) => !one.startsWith(".buildcache/"));
    expect([...artifacts].sort()).toEqual(["build/one.iso", "build/other", "build/two.iso"]);
    expect(readFileSync(path.join(root, "src/precious"), "utf8")).toBe("1");
    expect(readFileSync(path.join(root, "precious"), "utf8")).toBe("2");
  });

  it("finds artifacts whose names come from a parameter that only names an input, or is not fingerprinted", async () => {
    const root = workspace({ "lists/one.lst": "x", "lists/two.lst": "y" });
    const list = param.path({ name: "list", description: "", default: "lists/one.lst" });
    const label = param.text({ name: "label", description: "", default: "red", fingerprinted: false });
    const made = task({
      name: "made",
      description: "",
      variants: "shared",
      inputs: { list: file(list) },
      params: { label },
      outputs: {
        byInput: out.artifact(({ value }) => `build/${path.basename(value(list), ".lst")}.iso`),
        byLabel: out.artifact(({ value }) => `build/${value(label)}.txt`),
        byVariant: out.artifact(({ variant }) => `build/${variant}.img`),
      },
      run: ({ outputs }) => {
        for (const file of Object.values(outputs)) writeFileSync(file, "1");
      },
    }) as Task;
    await run(root, [made]);
    await run(root, [made], { given: { list: path.join(root, "lists/two.lst"), label: "blue" } });
    const removed = await removeProducts(
      {
        taskfile: taskfile({ title: "", targets: [made], variants: { dev: { description: "", flags: [] } } }),
        state: new State(root),
        code: code(),
        toolHint: () => undefined,
        env: {},
      },
      { all: false },
      "test",
    );
    const artifacts = removed.filter((one) => !one.startsWith(".buildcache/"));
    const names = ["blue.txt", "dev.img", "one.iso", "red.txt", "two.iso"];
    expect([...artifacts].sort()).toEqual(names.map((name) => `build/${name}`));
  });
});
