/**
 * Whole processes that die, run out of disk or may not write: the next run is right, nothing that was built is lost,
 * and the message says what happened.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { build as bundle } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const checkout = path.resolve(import.meta.dirname, "../..");
const isRoot = process.getuid?.() === 0;
const nobody = 65534;

let home = "";
let program = "";
beforeAll(async () => {
  home = mkdtempSync(path.join(tmpdir(), "fault test "));
  chmodSync(home, 0o755);
  program = path.join(home, "program", "builder.js");
  // One file that any user may read, wherever the checkout stands.
  await bundle({
    entryPoints: [path.join(import.meta.dirname, "fault", "builder.ts")],
    outfile: program,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    banner: {
      js: 'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);',
    },
    logLevel: "error",
    absWorkingDir: checkout,
  });
  writeFileSync(path.join(home, "program", "package.json"), '{"type":"module"}');
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

function newWorkspace(name: string): string {
  const root = path.join(home, name);
  mkdirSync(path.join(root, "in"), { recursive: true });
  for (const file of ["a", "b", "c"]) writeFileSync(path.join(root, "in", file), `${file} 0`);
  return root;
}

interface Report {
  readonly status: number | null;
  /** How each task came out, by name. */
  readonly outcomes: Readonly<Record<string, string>>;
  readonly text: string;
}

function runProgram(root: string, as: "self" | "nobody" = "self"): Report {
  const [command, words]: [string, string[]] =
    as === "self"
      ? [process.execPath, [program, root]]
      : [
          "setpriv",
          [`--reuid=${nobody}`, `--regid=${nobody}`, "--clear-groups", process.execPath, program, root],
        ];
  const { status, stdout, stderr } = spawnSync(command, words, {
    encoding: "utf8",
    timeout: 60_000,
    cwd: home,
  });
  return reportOf(status, `${stdout}${stderr}`);
}

function reportOf(status: number | null, text: string): Report {
  const outcomes = Object.fromEntries(
    [...text.matchAll(/^(t\d): (\w+)/gm)].map((match) => [match[1], match[2]]),
  );
  return { status, outcomes, text };
}

/** What the tasks make of the inputs, computed without them. */
function expectRight(root: string): void {
  const inputs = ["a", "b", "c"].map((name) => readFileSync(path.join(root, "in", name), "utf8"));
  for (const [index, text] of inputs.entries()) {
    expect(readFileSync(path.join(root, `.buildcache/v1/out/dev/t${index}/tree/text`), "utf8")).toBe(
      text.repeat(2000),
    );
  }
  expect(readFileSync(path.join(root, "build/joined"), "utf8")).toBe(
    inputs.map((text) => text.repeat(2000)).join("\n"),
  );
}

/** A run now does nothing that was done before, and the one after it nothing at all. */
function expectSettled(root: string, as: "self" | "nobody" = "self"): void {
  const report = runProgram(root, as);
  expect(report.text).not.toMatch(/note|failed/);
  expect(report.status, report.text).toBe(0);
  expect(new Set(Object.values(report.outcomes))).toEqual(new Set(["fresh"]));
}

function expectBuilt(root: string, as: "self" | "nobody" = "self"): void {
  const report = runProgram(root, as);
  expect(report.status, report.text).toBe(0);
}

/** What runs left in the folder of their intermediate files. */
function leftovers(root: string): readonly string[] {
  const folder = path.join(root, ".buildcache/v1/tmp");
  return existsSync(folder) ? readdirSync(folder) : [];
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once("close", (status) => resolve(status)));
}

/** Reproducible numbers below one: which moments are tried does not depend on luck. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}

/** Processes that are started ahead, up to the point where they look at the state: a kill then hits work, not Node's start. */
class Prepared {
  readonly #root: string;
  readonly #waiting: ChildProcess[] = [];

  constructor(root: string) {
    this.#root = root;
  }

  /** The one that has had most time to start; it works when "go" is written to it. */
  take(): ChildProcess {
    while (this.#waiting.length < 3) {
      const child = spawn(process.execPath, [program, this.#root, "wait"], {
        stdio: ["pipe", "pipe", "ignore"],
      });
      this.#waiting.push(child);
    }
    return this.#waiting.shift() as ChildProcess;
  }

  end(): void {
    for (const child of this.#waiting) child.kill("SIGKILL");
  }
}

/** Lets the process work for a time, in milliseconds from when it begins, and kills it. True when it was still at work. */
async function killAfter(child: ChildProcess, milliseconds: number): Promise<boolean> {
  const closed = ended(child);
  let said = "";
  const begun = new Promise<void>((resolve) => {
    child.stdout?.on("data", (chunk) => {
      said += chunk;
      if (said.includes("begins")) resolve();
    });
    child.once("close", () => resolve());
  });
  child.stdin?.write("go\n");
  await begun;
  const start = performance.now();
  while (performance.now() - start < milliseconds && !said.includes("ends"))
    await new Promise((next) => setImmediate(next));
  child.kill("SIGKILL");
  await closed;
  return !said.includes("ends");
}

describe("a process that is killed", () => {
  it("at 200 moments of its work leaves nothing half-made, and the next run is right", {
    timeout: 600_000,
  }, async () => {
    const root = newWorkspace("killed");
    const startedAt = performance.now();
    expectBuilt(root);
    const random = numbers(20260101);
    const prepared = new Prepared(root);
    let whole = 60;
    let kills = 0;
    try {
      for (let moment = 0; kills < 200; moment += 1) {
        const child = prepared.take();
        writeFileSync(path.join(root, "in", ["a", "b", "c"][moment % 3] ?? "a"), `edit ${moment}`);
        if (moment % 5 === 0) rmSync(path.join(root, "build"), { recursive: true, force: true });
        const wait = random.next().value * whole;
        if (await killAfter(child, wait)) {
          kills += 1;
          // What the machine is slower at now, it is given more time for.
          whole = Math.min(2000, whole * 1.02);
        } else whole = Math.max(5, wait);
        // An artefact is whole whenever somebody looks: the old one, the new one, or none where it was removed.
        const artefact = path.join(root, "build/joined");
        if (existsSync(artefact)) expect(readFileSync(artefact, "utf8").split("\n")).toHaveLength(3);
        const beside = existsSync(path.join(root, "build")) ? readdirSync(path.join(root, "build")) : [];
        expect(beside.filter((name) => name !== "joined")).toEqual([]);
        if (moment % 10 === 9) {
          const report = runProgram(root);
          expect(report.text).not.toContain("failed");
          expect(report.status, report.text).toBe(0);
          expectRight(root);
        }
      }
    } finally {
      prepared.end();
    }
    expectBuilt(root);
    expectRight(root);
    expectSettled(root);
    expect(leftovers(root)).toEqual([]);
    const blobs = readdirSync(path.join(root, ".buildcache/v1/store"), { recursive: true, encoding: "utf8" });
    expect(blobs.filter((name) => !/^[0-9a-f]{2}(\/[0-9a-f]{62}(\.parts)?)?$/.test(name))).toEqual([]);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
    process.stdout.write(`killed at ${kills} moments of work, in ${seconds} s\n`);
  });
});

describe("eight invocations at once", () => {
  it("all succeed, and every task runs once", { timeout: 120_000 }, async () => {
    const root = newWorkspace("eight");
    for (const text of ["first", "second"]) {
      writeFileSync(path.join(root, "in/a"), text);
      // Half of them also find a dead owner's lock to take over.
      mkdirSync(path.join(root, ".buildcache/v1"), { recursive: true });
      writeFileSync(path.join(root, ".buildcache/v1/lock"), "");
      const children = Array.from({ length: 8 }, () => {
        const child = spawn(process.execPath, [program, root], { stdio: ["ignore", "pipe", "pipe"] });
        let said = "";
        for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said += chunk));
        return ended(child).then((status) => reportOf(status, said));
      });
      const reports = await Promise.all(children);
      expect(reports.map(({ status }) => status)).toEqual(Array(8).fill(0));
      const ran = reports.flatMap(({ outcomes }) =>
        Object.entries(outcomes)
          .filter(([, how]) => how === "ran")
          .map(([name]) => name),
      );
      expect(ran.sort()).toEqual(text === "first" ? ["t0", "t1", "t2", "t3"] : ["t0", "t3"]);
      expect(reports.some((report) => /waits for \d+/.test(report.text))).toBe(true);
      expectRight(root);
    }
    expectSettled(root);
    expect(readdirSync(path.join(root, ".buildcache/v1")).filter((name) => name.startsWith("lock"))).toEqual(
      [],
    );
  });
});

/** A small file system of its own, or undefined where nothing can be mounted. */
function mountSmall(name: string, kilobytes: number): string | undefined {
  const folder = path.join(home, name);
  mkdirSync(folder);
  const { status } = spawnSync("mount", [
    "-t",
    "tmpfs",
    "-o",
    `size=${kilobytes}k,mode=755`,
    "tmpfs",
    folder,
  ]);
  return status === 0 ? folder : undefined;
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
        /^error: the program cannot be compiled: no space left on the device\n {2}where: /,
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

  it.skipIf(!asUser)("who may not write the cache is told so, and nothing changes", () => {
    const root = newWorkspace("read-only");
    expectBuilt(root);
    const report = runProgram(root, "nobody");
    expect(report.status).toBe(1);
    expect(report.text).toMatch(/cache folder cannot be written: permission denied/);
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
