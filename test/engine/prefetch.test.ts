/** What a user relies on when steps share things and begin early: a build is quicker, and comes to the same. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { file, out, type Shareable, task } from "../../src/engine/index.ts";
import { run, workspace, write } from "./workshop.ts";

/** `late` needs `slow`, which only ends when the prefetch of `late` lets it. */
function pair(prefetch: (text: string, scratch: string, signal: AbortSignal) => Promise<void>) {
  let release: () => void = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const seen: string[] = [];
  const slow = task({
    name: "slow",
    description: "",
    inputs: { text: file("in/slow") },
    outputs: { text: out.file("text") },
    async run({ inputs, outputs }) {
      await released;
      seen.push("slow ran");
      const text = readFileSync(inputs.text, "utf8");
      if (text === "fail") throw new Error("no luck");
      writeFileSync(outputs.text, text);
    },
  });
  const late = task({
    name: "late",
    description: "",
    needs: { slow },
    inputs: { text: file("in/late") },
    outputs: { text: out.file("text") },
    async prefetch({ inputs, scratch, signal }) {
      seen.push("prefetch");
      release();
      await prefetch(readFileSync(inputs.text, "utf8"), scratch, signal);
    },
    run({ needs, outputs }) {
      seen.push("late ran");
      writeFileSync(outputs.text, readFileSync(needs.slow.text));
    },
  });
  return { slow, late, seen };
}

describe("a prefetch", () => {
  it("begins while a need runs, and is over before the task runs", async () => {
    const root = workspace({ "in/slow": "1", "in/late": "2" });
    let read = "";
    const isReadable = () => existsSync(path.join(root, ".buildcache/v1/out/dev/slow/text"));
    let scratch = "";
    const { late, seen } = pair(async (text, directory) => {
      scratch = directory;
      expect(existsSync(directory)).toBe(true);
      // Long enough for the task to begin, did it not wait.
      while (!isReadable()) await new Promise(setImmediate);
      for (let turn = 0; turn < 20_000; turn += 1) await new Promise(setImmediate);
      read = text;
      seen.push("prefetch over");
    });
    const { outcomes } = await run(root, [late]);
    expect(outcomes).toEqual({ "slow@dev": "never built", "late@dev": "never built" });
    expect(read).toBe("2");
    expect(seen).toEqual(["prefetch", "slow ran", "prefetch over", "late ran"]);
    expect(existsSync(scratch)).toBe(false);

    // With nothing to wait for there is none.
    seen.splice(0);
    write(root, "in/late", "3");
    await run(root, [late]);
    await run(root, [late]);
    expect(seen).toEqual(["late ran"]);
  });

  it("that fails spoils nothing", async () => {
    const root = workspace({ "in/slow": "1", "in/late": "2" });
    const { late } = pair(async () => {
      throw new Error("nothing came");
    });
    const { outcomes } = await run(root, [late]);
    expect(outcomes).toEqual({ "slow@dev": "never built", "late@dev": "never built" });
    expect(readFileSync(path.join(root, ".buildcache/v1/out/dev/late/text"), "utf8")).toBe("1");
  });

  it("is given up when the build fails", async () => {
    const root = workspace({ "in/slow": "fail", "in/late": "2" });
    let isGivenUp = false;
    const { late } = pair(
      (_text, _scratch, signal) =>
        new Promise((resolve) => {
          signal.addEventListener("abort", () => {
            isGivenUp = true;
            resolve();
          });
        }),
    );
    const { outcomes } = await run(root, [late]);
    expect(outcomes["slow@dev"]).toMatch(/no luck/);
    expect(isGivenUp).toBe(true);
  });
});

describe("what the tasks of a build share", () => {
  it("is opened once, and closed when the build is over, whatever came of it", async () => {
    const root = workspace({ "in/text": "x" });
    const log: string[] = [];
    const kind: Shareable<{ readonly name: string; close(): Promise<void> }, string> = {
      open: (name) => {
        log.push(`open ${name}`);
        return { name, close: async () => void log.push(`close ${name}`) };
      },
    };
    const user = (name: string, fails: boolean) =>
      task({
        name,
        description: "",
        inputs: { text: file("in/text") },
        outputs: { text: out.file("text") },
        run({ share, outputs }) {
          log.push(`${name} uses ${share(kind, "it").name}`);
          writeFileSync(outputs.text, "");
          if (fails) throw new Error("no luck");
        },
      });
    await run(root, [user("first", false), user("second", true)], { keepGoing: true });
    expect(log[0]).toBe("open it");
    expect(log.slice(1, 3).sort()).toEqual(["first uses it", "second uses it"]);
    expect(log.slice(3)).toEqual(["close it"]);
  });
});
