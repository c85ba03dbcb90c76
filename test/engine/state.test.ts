/** Whatever happens to the files of the cache, the next build is right, loses nothing else, and says what it met. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { type AbsolutePath, files, out, State, task } from "../../src/engine/index.ts";
import { built, damages, expectRight, given, v1 } from "./state-rig.ts";
import { run, workspace, write } from "./workshop.ts";

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
