/** Inputs that move while a task runs: a result is only remembered for what was there all the time. */
import { chmodSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { file, files, only, out, task } from "../../src/engine/index.ts";
import { run, workspace, write } from "./workshop.ts";

/** A clock on which every file looks long settled, so that all that may be remembered is. */
const clock = { now: () => Date.now() + 3_600_000 };

describe("an input that is written to while its task runs", () => {
  for (const [how, back] of [
    ["written back", () => {}],
    ["given its time back too", (root: string) => utimesSync(path.join(root, "text"), 1_000, 1_000)],
  ] as const) {
    it(`and ${how} counts as changed: nobody knows which bytes the task read`, async () => {
      const root = workspace({ text: "first" });
      utimesSync(path.join(root, "text"), 1_000, 1_000);
      let meddles = true;
      const copy = task({
        name: "copy",
        description: "",
        inputs: { text: file("text") },
        outputs: { text: out.artifact("copy") },
        run: ({ inputs, outputs }) => {
          if (meddles) write(root, "text", "other");
          writeFileSync(outputs.text, readFileSync(inputs.text));
          if (meddles) write(root, "text", "first");
          if (meddles) back(root);
        },
      });
      const { outcome, notes } = await run(root, [copy], { clock });
      expect([outcome, notes]).toEqual([
        "succeeded",
        ["text changed while copy ran: its outputs are kept, and the next build makes them again"],
      ]);
      expect(readFileSync(path.join(root, "copy"), "utf8")).toBe("other");
      meddles = false;
      expect((await run(root, [copy], { clock })).outcomes["copy@dev"]).not.toBe("fresh");
      expect(readFileSync(path.join(root, "copy"), "utf8")).toBe("first");
      expect((await run(root, [copy], { clock })).outcomes["copy@dev"]).toBe("fresh");
    });
  }
});

describe("what another task made", () => {
  const graph = (during: () => void) => {
    const maker = task({
      name: "maker",
      description: "",
      inputs: { text: file("text") },
      outputs: { one: out.artifact("one"), tree: out.directory("tree") },
      run: ({ inputs, outputs }) => {
        writeFileSync(outputs.one, readFileSync(inputs.text));
        writeFileSync(path.join(outputs.tree, "leaf"), readFileSync(inputs.text));
      },
    });
    const reader = task({
      name: "reader",
      description: "",
      needs: { maker },
      outputs: { text: out.artifact("text.out") },
      run: ({ needs, outputs }) => {
        during();
        writeFileSync(outputs.text, readFileSync(needs.maker.one));
      },
    });
    const picky = task({
      name: "picky",
      description: "",
      needs: { maker: only(maker, "tree") },
      outputs: { text: out.artifact("picky.out") },
      run: ({ outputs }) => {
        during();
        writeFileSync(outputs.text, "");
      },
    });
    return { reader, picky };
  };

  it("and somebody edits while it is being read leaves no result that is believed", async () => {
    const root = workspace({ text: "made" });
    let edits = true;
    const { reader } = graph(() => edits && write(root, "one", "edited"));
    expect((await run(root, [reader], { clock })).notes.join()).toContain("one changed while reader ran");
    expect(readFileSync(path.join(root, "text.out"), "utf8")).toBe("edited");
    edits = false;
    const next = await run(root, [reader], { clock });
    expect(next.outcomes).toMatchObject({ "maker@dev": "restored" });
    expect(readFileSync(path.join(root, "text.out"), "utf8")).toBe("made");
  });

  it("and gets one file more while it is being read is named too", async () => {
    const root = workspace({ text: "made" });
    const extra = ".buildcache/v1/out/dev/maker/tree/extra";
    const { reader } = graph(() => write(root, extra, ""));
    expect((await run(root, [reader], { clock })).notes.join()).toContain(
      `${extra} changed while reader ran`,
    );
  });

  it("and is not needed may change", async () => {
    const root = workspace({ text: "made" });
    const { picky } = graph(() => write(root, "one", "edited"));
    expect((await run(root, [picky], { clock })).notes).toEqual([]);
  });
});

describe("a tool", () => {
  it("that is replaced while a task runs leaves no result that is believed", async () => {
    const root = workspace({ text: "", "bin/own-tool": "#!/bin/sh\necho 1\n" });
    const tool = path.join(root, "bin/own-tool");
    chmodSync(tool, 0o755);
    const before = process.env.PATH;
    process.env.PATH = `${path.dirname(tool)}:${before}`;
    try {
      let upgrades = true;
      const asks = task({
        name: "asks",
        description: "",
        inputs: { text: files("text") },
        tools: ["own-tool"],
        outputs: { text: out.artifact("answer") },
        run: async ({ $, outputs }) => {
          if (upgrades) writeFileSync(tool, "#!/bin/sh\necho 2\n");
          await $`own-tool > ${outputs.text}`;
          if (upgrades) writeFileSync(tool, "#!/bin/sh\necho 1\n");
        },
      });
      expect((await run(root, [asks], { clock })).notes.join()).toContain("own-tool changed while asks ran");
      upgrades = false;
      await run(root, [asks], { clock });
      expect(readFileSync(path.join(root, "answer"), "utf8")).toBe("1\n");
    } finally {
      process.env.PATH = before;
    }
  });
});
