/** Of several builds of a workspace one works at a time, whatever became of the others. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { describe, expect, it } from "vitest";
import { State } from "../../src/engine/index.ts";
import { built, chain, expectRight, given, v1 } from "./state-rig.ts";
import { run, workspace } from "./workshop.ts";

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

  it("that is a directory, or whose takeover a crash cut off, is taken over", async () => {
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
