/** Whatever happens to the files of the cache, the next build is right, loses nothing else, and says what it met. */

import { createHash } from "node:crypto";
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import {
  type AbsolutePath,
  file,
  files,
  out,
  param,
  State,
  type Task,
  task,
} from "../../src/engine/index.ts";
import { run, workspace, write } from "./workshop.ts";

/** Three tasks in a row, a folder and a secret among them; `runs` counts. */
function chain() {
  const runs: string[] = [];
  const secret = param.secret({ name: "secret", description: "", default: undefined });
  const first = task({
    name: "first",
    description: "",
    inputs: { text: files("in/**") },
    params: { secret },
    outputs: { tree: out.directory("tree") },
    run: ({ inputs, outputs }) => {
      runs.push("first");
      for (const name of inputs.text.paths) {
        const text = readFileSync(path.join(inputs.text.root, name), "utf8");
        writeFileSync(path.join(outputs.tree, path.basename(name)), text.toUpperCase());
      }
      symlinkSync("text", path.join(outputs.tree, "link"));
    },
  });
  const second = task({
    name: "second",
    description: "",
    needs: { first },
    outputs: { text: out.file("text") },
    run: ({ needs, outputs }) => {
      runs.push("second");
      writeFileSync(outputs.text, readFileSync(path.join(needs.first.tree, "text")));
      chmodSync(outputs.text, 0o755);
    },
  });
  const third = task({
    name: "third",
    description: "",
    needs: { second },
    outputs: { text: out.artifact("build/third") },
    run: ({ needs, outputs }) => {
      runs.push("third");
      writeFileSync(outputs.text, `${readFileSync(needs.second.text, "utf8")}!`);
    },
  });
  return { third: third as Task, runs };
}

/** A task that gives a file to the store and places it as its output; `between` may do something to the blob. */
function downloads(between: (blob: string) => void = () => {}) {
  const root = workspace({});
  const text = "bytes from elsewhere";
  const digest = createHash("sha256").update(text).digest("hex");
  const taking = task({
    name: "taking",
    description: "",
    outputs: { text: out.file("text"), tree: out.directory("tree") },
    async run({ blobs, scratch, outputs }) {
      writeFileSync(path.join(scratch, "download"), text);
      await blobs.adopt(path.join(scratch, "download"), digest);
      between(blobs.pathOf(digest));
      await blobs.copyOut(digest, outputs.text);
      await blobs.copyOut(digest, path.join(outputs.tree, "text"));
    },
  });
  return { root, taking: taking as Task };
}

const given = { secret: "opensesame" };
const v1 = (root: string, ...rest: string[]) => path.join(root, ".buildcache/v1", ...rest);

async function built(content: Record<string, string> = { "in/text": "hello" }) {
  const root = workspace(content);
  const { third, runs } = chain();
  const first = await run(root, [third], { given });
  expect(first.outcome).toBe("succeeded");
  runs.length = 0;
  return { root, third, runs };
}

/** The result is right, and the run after it has nothing to do. */
async function expectRight(root: AbsolutePath, third: Task, wanted = "HELLO!") {
  const result = await run(root, [third], { given });
  expect(result.outcome).toBe("succeeded");
  expect(readFileSync(path.join(root, "build/third"), "utf8")).toBe(wanted);
  const again = await run(root, [third], { given });
  expect(new Set(Object.values(again.outcomes))).toEqual(new Set(["fresh"]));
  expect(again.notes).toEqual([]);
  return result;
}

function everyBlob(root: string): readonly string[] {
  const store = v1(root, "store");
  return readdirSync(store).flatMap((folder) =>
    readdirSync(path.join(store, folder)).map((name) => path.join(store, folder, name)),
  );
}

const damages: Readonly<Record<string, (target: string) => void>> = {
  "a flipped bit near its start": (target) => flip(target, 5),
  "a flipped bit in its middle": (target) => flip(target, Math.floor(readFileSync(target).length / 2)),
  "a flipped bit at its end": (target) => flip(target, readFileSync(target).length - 2),
  "half of it gone": (target) => truncateSync(target, Math.floor(readFileSync(target).length / 2)),
  "its last byte gone": (target) => truncateSync(target, readFileSync(target).length - 1),
  "nothing in it": (target) => truncateSync(target, 0),
  "a newer version's content": (target) => writeFileSync(target, "razor-mk-state 999\nsomething else\n"),
  "noise in it": (target) =>
    writeFileSync(target, Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) % 256))),
  "noise after it": (target) => appendFileSync(target, Buffer.from([0, 255, 10, 9, 10, 128])),
  "a folder in its place": (target) => {
    rmSync(target);
    mkdirSync(path.join(target, "below"), { recursive: true });
  },
  "nothing in its place": (target) => rmSync(target),
};

function flip(target: string, at: number): void {
  chmodSync(target, 0o644);
  const bytes = readFileSync(target);
  const place = Math.max(0, Math.min(at, bytes.length - 1));
  bytes.writeUInt8(bytes.readUInt8(place) ^ 0x10, place);
  writeFileSync(target, bytes);
}

describe("a state file", () => {
  for (const name of ["stamps.log", "files.log", "secret.key"]) {
    for (const [what, damage] of Object.entries(damages)) {
      it(`${name} with ${what} makes no wrong result`, async () => {
        const { root, third } = await built();
        // So that the stat cache holds something, whatever the time.
        if (name === "files.log") {
          await run(root, [third], { given, clock: { now: () => Date.now() + 3_600_000 } });
        }
        damage(v1(root, name));
        const { notes } = await expectRight(root, third);
        const silent = name === "secret.key" || what === "nothing in it" || what === "nothing in its place";
        if (!silent) expect(notes.join()).toContain(name);
        // Twice, since what was put aside must not be in the way of the next.
        if (existsSync(v1(root, name))) damage(v1(root, name));
        write(root, "in/text", "other");
        await expectRight(root, third, "OTHER!");
      });
    }
  }

  it("with one damaged line loses that record and no other", async () => {
    const { root, third, runs } = await built();
    const log = readFileSync(v1(root, "stamps.log"), "utf8").split("\n");
    const line = log.findIndex((text) => text.includes("result ") && text.includes('"third"'));
    expect(line).toBeGreaterThan(0);
    log[line] = (log[line] ?? "").replace("third", "thirt");
    writeFileSync(v1(root, "stamps.log"), log.join("\n"));
    await expectRight(root, third);
    expect(runs).toEqual(["third"]);
  });

  it("keeps what a newer version wrote, for that version", async () => {
    const { root, third } = await built();
    writeFileSync(v1(root, "stamps.log"), "razor-mk-state 999\nprecious\n");
    await expectRight(root, third);
    expect(readFileSync(v1(root, "stamps.log.foreign"), "utf8")).toContain("precious");
  });

  it("survives file names that a line cannot hold", async () => {
    const root = workspace({ "in/c\td": "1", 'in/e"\\f': "2", "in/x\ny/g\r\u2028h": "3", "in/😀": "4" });
    const odd = task({
      name: "odd",
      description: "",
      inputs: { text: files("in/**") },
      outputs: { tree: out.directory("tree") },
      run: ({ inputs, outputs }) => {
        writeFileSync(path.join(outputs.tree, "line\nfeed"), inputs.text.paths.join());
        writeFileSync(path.join(outputs.tree, "tab\there\n"), readFileSync(path.join(root, "in/c\td")));
      },
    });
    const clock = { now: () => Date.now() + 3_600_000 };
    const state = new State(root, clock);
    for (const wanted of ["never built", "fresh", "fresh"]) {
      const { outcomes, notes } = await run(root, [odd], { clock });
      expect(outcomes["odd@dev"]).toBe(wanted);
      expect(notes).toEqual([]);
    }
    expect(readFileSync(v1(root, "out/dev/odd/tree/line\nfeed"), "utf8").split(",")).toEqual([
      "in/c\td",
      'in/e"\\f',
      "in/x\ny/g\r\u2028h",
      "in/😀",
    ]);
    for (const name of ["in/c\td", "in/x\ny/g\r\u2028h"]) {
      write(root, name, "changed");
      expect((await run(root, [odd], { clock })).outcomes["odd@dev"]).toContain("changed");
    }
    write(root, "in/x\ny/new\n", "");
    expect((await run(root, [odd], { clock })).outcomes["odd@dev"]).toContain("added");
    // Also when the logs are written anew, with all that is in memory.
    state.files.at(path.join(root, "in/x\ny/new\n") as AbsolutePath);
    state.fileLog.compact();
    expect(new State(root).damage()).toEqual([]);
    rmSync(path.join(root, ".buildcache/v1/out/dev/odd/tree/line\nfeed"));
    expect((await run(root, [odd], { clock })).outcomes["odd@dev"]).toBe("restored");
  });
});

describe("the memory of files", () => {
  it("forgets files that are gone, and grows no more for them", async () => {
    const root = workspace({});
    const copy = task({
      name: "copy",
      description: "",
      inputs: { all: files("in/**") },
      outputs: { list: out.file("list") },
      run: ({ inputs, outputs }) => writeFileSync(outputs.list, inputs.all.paths.join()),
    });
    const clock = { now: () => Date.now() + 3_600_000 };
    for (let generation = 0; generation < 6; generation += 1) {
      rmSync(path.join(root, "in"), { recursive: true, force: true });
      for (let count = 0; count < 600; count += 1) write(root, `in/${generation}-${count}`, "");
      expect((await run(root, [copy], { clock })).outcome).toBe("succeeded");
    }
    const lines = readFileSync(v1(root, "files.log"), "utf8").split("\n").length;
    expect(lines).toBeLessThan(4 * 600);
    expect(lines).toBeGreaterThan(600);
    expect((await run(root, [copy], { clock })).outcomes["copy@dev"]).toBe("fresh");
  });
});

describe("the store", () => {
  for (const [what, damage] of Object.entries(damages)) {
    it(`with blobs that have ${what} makes no wrong result`, async () => {
      const { root, third } = await built();
      for (const blob of everyBlob(root)) {
        chmodSync(blob, 0o644);
        damage(blob);
      }
      rmSync(v1(root, "out"), { recursive: true });
      rmSync(path.join(root, "build"), { recursive: true });
      await expectRight(root, third);
    });
  }

  it("is not needed for what is already in place", async () => {
    const { root, third, runs } = await built();
    rmSync(v1(root, "store"), { recursive: true });
    await expectRight(root, third);
    expect(runs).toEqual([]);
  });

  it("has what was taken over from a task read by no later build", async () => {
    const { root, taking } = downloads();
    expect((await run(root, [taking])).outcome).toBe("succeeded");
    const state = new State(root);
    expect((await run(root, [taking], { state })).outcomes["taking@dev"]).toBe("fresh");
    expect(state.files.hashed).toBe(0);
  });

  it("hands out nothing that was damaged after it had been taken over", async () => {
    const { root, taking } = downloads((blob) => {
      chmodSync(blob, 0o644);
      truncateSync(blob, 5);
    });
    const result = await run(root, [taking]);
    expect(result.outcome).toBe("failed");
    expect(JSON.stringify(result.events)).toContain("blob-damaged");
    expect(everyBlob(root)).toEqual([]);
  });

  it("holds nothing half-written and nothing writable", async () => {
    const { root } = await built();
    expect(everyBlob(root).every((blob) => /\/[0-9a-f]{62}$/.test(blob))).toBe(true);
  });

  it("is collected down to its limit, without what the workspace holds now", async () => {
    const { root, third, runs } = await built();
    for (const text of ["one", "two", "three"]) {
      write(root, "in/text", text);
      await run(root, [third], { given, maxSize: 1 });
    }
    runs.length = 0;
    rmSync(path.join(root, "build"), { recursive: true });
    await expectRight(root, third, "THREE!");
    expect(runs).toEqual([]);
    write(root, "in/text", "one");
    await expectRight(root, third, "ONE!");
    expect(runs).toContain("first");
  });
});

describe("the store of a process that builds again and again", () => {
  it("stays near its limit", async () => {
    const { root, third } = await built();
    const size = (): number =>
      readdirSync(v1(root, "store"), { recursive: true, encoding: "utf8" })
        .map((name) => statSync(v1(root, `store/${name}`)))
        .reduce((sum, status) => sum + (status.isFile() ? status.size : 0), 0);
    const state = new State(root);
    const maxSize = size() + 400_000;
    for (let edit = 0; edit < 15; edit += 1) {
      write(root, "in/text", String(edit).padEnd(50_000, "x"));
      state.files.forgetAll();
      await run(root, [third], { given, maxSize, state });
      // What the workspace holds now is kept, whatever the limit: two texts of 50,000 bytes.
      expect(size()).toBeLessThan(maxSize + 200_000);
    }
  });
});

describe("an output", () => {
  it("is never written through a link that leaves the cache", async () => {
    const { root, third } = await built();
    const outside = workspace({ text: "precious" });
    rmSync(v1(root, "out/dev/second"), { recursive: true });
    symlinkSync(outside, v1(root, "out/dev/second"));
    await expectRight(root, third);
    expect(readFileSync(path.join(outside, "text"), "utf8")).toBe("precious");
  });

  it("is never written through a link that leaves the workspace, and nothing is done in vain before that is said", async () => {
    const { root, third, runs } = await built();
    const outside = workspace({});
    rmSync(path.join(root, "build"), { recursive: true });
    symlinkSync(outside, path.join(root, "build"));
    for (const text of ["restored", "made anew"]) {
      if (text === "made anew") write(root, "in/text", text);
      runs.length = 0;
      const { outcomes } = await run(root, [third], { given });
      expect(outcomes["third@dev"]).toContain("link that leaves the workspace");
      expect(runs).not.toContain("third");
      expect(readdirSync(outside)).toEqual([]);
    }
    // One that stays within is the user's own affair.
    rmSync(path.join(root, "build"));
    mkdirSync(path.join(root, "elsewhere"));
    symlinkSync("elsewhere", path.join(root, "build"));
    await expectRight(root, third, "MADE ANEW!");
    expect(readdirSync(path.join(root, "elsewhere"))).toHaveLength(1);
  });

  it("says what stands in the way of its folder, and leaves it there", async () => {
    const { root, third } = await built();
    rmSync(path.join(root, "build"), { recursive: true });
    write(root, "build", "the user's own");
    expect((await run(root, [third], { given })).outcomes["third@dev"]).toContain(
      "something else has its name",
    );
    expect(readFileSync(path.join(root, "build"), "utf8")).toBe("the user's own");
    rmSync(path.join(root, "build"));
    rmSync(v1(root, "out"), { recursive: true });
    writeFileSync(v1(root, "out"), "in the way");
    await expectRight(root, third);
  });

  it("that became a link to a large folder is replaced without a look into it", async () => {
    const { root, third } = await built();
    const outside = workspace({ "deep/file": "precious" });
    rmSync(v1(root, "out/dev/first/tree"), { recursive: true });
    symlinkSync(outside, v1(root, "out/dev/first/tree"));
    const state = new State(root);
    const { outcomes } = await run(root, [third], { given, state });
    expect(outcomes["first@dev"]).toBe("restored");
    expect(readFileSync(path.join(outside, "deep/file"), "utf8")).toBe("precious");
  });
});

describe("the lock", () => {
  const owner = { host: hostname(), pid: process.pid, started: "1", command: "task x", token: "t" };
  const dead: Readonly<Record<string, string>> = {
    "of a process that is gone": JSON.stringify({ ...owner, pid: 2 ** 22 + 1 }),
    "of a process whose number another one has now": JSON.stringify(owner),
    "that says nothing": "",
    "that nobody can read": "\u0000{",
  };
  for (const [what, text] of Object.entries(dead)) {
    it(`${what} is taken over`, async () => {
      const { root, third } = await built();
      writeFileSync(v1(root, "lock"), text);
      await expectRight(root, third);
      expect(existsSync(v1(root, "lock"))).toBe(false);
    });
  }

  it("that is a folder, or whose takeover a crash cut off, is taken over", async () => {
    const { root, third } = await built();
    mkdirSync(v1(root, "lock/below"), { recursive: true });
    mkdirSync(v1(root, "lock.takeover"));
    await expectRight(root, third);
  });

  it("of a living process is waited for, and the wait says whom for and can be interrupted", async () => {
    const { root, third, runs } = await built();
    for (const host of [hostname(), "another machine"]) {
      writeFileSync(v1(root, "lock"), JSON.stringify({ ...owner, started: "", host }));
      const controller = new AbortController();
      const waits: unknown[] = [];
      const waiting = run(root, [third], {
        given,
        signal: controller.signal,
        onEvent: (event) => {
          if (event.type !== "lock-wait") return;
          waits.push(event);
          controller.abort();
        },
      });
      await expect(waiting).rejects.toThrow(/abort/);
      expect(waits).toEqual([{ type: "lock-wait", pid: process.pid, host, command: "task x" }]);
      rmSync(v1(root, "lock"));
    }
    expect(runs).toEqual([]);
  });

  it("makes the second of two builds find what the first one made", async () => {
    const root = workspace({ "in/text": "hello" });
    const { third, runs } = chain();
    // Both read the empty state before either has the lock.
    const results = await Promise.all([
      run(root, [third], { given, state: new State(root) }),
      run(root, [third], { given, state: new State(root) }),
    ]);
    expect(results.map(({ outcome }) => outcome)).toEqual(["succeeded", "succeeded"]);
    expect(runs).toEqual(["first", "second", "third"]);
  });
});

describe("a clock", () => {
  it("that is set back, or forward, makes nothing stale", async () => {
    const { root, third } = await built();
    for (const [index, offset] of [-1e9, 1e9, -1e12, 0].entries()) {
      write(root, "in/text", `text${index}`);
      const { outcome } = await run(root, [third], { given, clock: { now: () => Date.now() + offset } });
      expect(outcome).toBe("succeeded");
      expect(readFileSync(path.join(root, "build/third"), "utf8")).toBe(`TEXT${index}!`);
    }
  });
});

describe("a task", () => {
  it("is refused when another one has its name", async () => {
    const root = workspace({});
    const make = (name: string, text: string) =>
      task({
        name,
        description: "",
        outputs: { x: out.artifact(`build/${text}`) },
        run: ({ outputs }) => writeFileSync(outputs.x, text),
      });
    await expect(run(root, [make("twin", "a"), make("twin", "b")])).rejects.toThrow(
      /two tasks are named "twin"/,
    );
  });

  it("whose input cannot be read fails with its name, and so does one whose input is missing", async () => {
    const root = workspace({ "in/text": "hello" });
    const reader = task({
      name: "reader",
      description: "",
      inputs: { text: file("in/text") },
      outputs: { x: out.file("x") },
      run: ({ outputs }) => writeFileSync(outputs.x, ""),
    });
    rmSync(path.join(root, "in/text"));
    expect((await run(root, [reader])).outcomes["reader@dev"]).toMatch(/in\/text does not exist/);
    mkdirSync(path.join(root, "in/text"));
    expect((await run(root, [reader])).outcomes["reader@dev"]).toMatch(/not a regular file/);
  });

  it("can be copied with its whole workspace, and is not confused by where it was", async () => {
    const { root, third } = await built();
    const copy = workspace({});
    cpSync(root, copy, { recursive: true, verbatimSymlinks: true });
    write(copy, "in/text", "moved");
    await expectRight(copy, third, "MOVED!");
    await expectRight(root, third);
  });
});
