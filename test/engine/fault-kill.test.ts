/** Processes that are killed, and many at once: the next run is right, and nothing that was built is lost. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import {
  ended,
  expectBuilt,
  expectRight,
  expectSettled,
  leftovers,
  newWorkspace,
  program,
  reportOf,
  runProgram,
} from "./fault/rig.ts";

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
        // An artifact is whole whenever somebody looks: the old one, the new one, or none where it was removed.
        const artifact = path.join(root, "build/joined");
        if (existsSync(artifact)) expect(readFileSync(artifact, "utf8").split("\n")).toHaveLength(3);
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
