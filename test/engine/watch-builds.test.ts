/** Watch mode: what happens when files change while a build runs, when it fails, and when it would never end. */
import { readFileSync, utimesSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { file, out, task } from "../../src/engine/index.ts";
import { gate, Rig, Tally, watching } from "./watch-rig.ts";
import { made, pack, tree } from "./watched-tree.ts";
import { workspace, write } from "./workshop.ts";

describe("a change during a build", () => {
  it("ends what it made stale, and only that", async () => {
    const started: string[] = [];
    const starts = new Tally();
    const waits = { one: gate(), other: gate() };
    const slow = (name: "one" | "other") =>
      task({
        name,
        description: "",
        inputs: { text: file(`${name}.txt`) },
        outputs: { text: out.file("text") },
        run: async ({ inputs, outputs, signal }) => {
          const text = readFileSync(inputs.text, "utf8");
          started.push(`${name} ${text}`);
          starts.add();
          const ended = new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
          if (text === "1") await Promise.race([waits[name].opened, ended]);
          writeFileSync(outputs.text, text);
        },
      });
    const both = task({
      name: "both",
      description: "",
      needs: { one: slow("one"), other: slow("other") },
      outputs: { text: out.artifact("both.txt") },
      run: ({ needs, outputs }) =>
        writeFileSync(
          outputs.text,
          [needs.one.text, needs.other.text].map((name) => readFileSync(name)).join(""),
        ),
    });
    const rig = new Rig(workspace({ "one.txt": "1", "other.txt": "1" }), [both]);
    await starts.reaches(2);
    write(rig.root, "one.txt", "2");
    expect(await rig.next("task-outdated")).toMatchObject({ task: "one@dev" });
    await starts.reaches(3);
    waits.other.open();
    expect(await rig.next("cycle-finished")).toMatchObject({ outcome: "succeeded", changes: ["one.txt"] });
    expect(started).toEqual(expect.arrayContaining(["one 1", "other 1", "one 2"]));
    expect(started).toHaveLength(3);
    expect(made(rig, "both.txt")).toBe("21");
    expect(await rig.settle()).toHaveLength(1);
  });

  it("of what is done already has it done again, with what stands on it", async () => {
    const go = gate();
    const lastRuns = new Tally();
    const last = task({
      name: "last",
      description: "",
      needs: { pack },
      outputs: { text: out.artifact("last.txt") },
      run: async ({ needs, outputs, signal }) => {
        lastRuns.add();
        const ended = new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
        if (lastRuns.count === 1) await Promise.race([go.opened, ended]);
        writeFileSync(outputs.text, readFileSync(needs.pack.list));
      },
    });
    const rig = new Rig(workspace(tree), [last]);
    await lastRuns.reaches(1);
    write(rig.root, "tree/a.txt", "later");
    expect(await rig.next("task-outdated")).toMatchObject({ task: "last@dev" });
    expect(await rig.next("cycle-finished")).toMatchObject({ outcome: "succeeded" });
    expect(made(rig, "last.txt")).toContain("a.txt: later");
    expect(lastRuns.count).toBe(2);
  });

  it("of what no task has looked at yet is built with the rest, and named", async () => {
    const go = gate();
    const runs = new Tally();
    const first = task({
      name: "first",
      description: "",
      inputs: { text: file("first.txt") },
      outputs: { text: out.file("text") },
      run: async ({ outputs }) => {
        runs.add();
        if (runs.count > 1) await go.opened;
        writeFileSync(outputs.text, String(runs.count));
      },
    });
    const later = task({
      name: "later",
      description: "",
      needs: { first },
      inputs: { text: file("later.txt") },
      outputs: { text: out.artifact("made.txt") },
      run: ({ inputs, outputs }) => writeFileSync(outputs.text, readFileSync(inputs.text)),
    });
    const rig = await watching({ "first.txt": "1", "later.txt": "1" }, [later]);
    write(rig.root, "first.txt", "2");
    await runs.reaches(2);
    write(rig.root, "later.txt", "2");
    go.open();
    expect(await rig.settle()).toMatchObject([{ changes: ["first.txt", "later.txt"] }]);
    expect(made(rig, "made.txt")).toBe("2");
  });

  it("that is taken back before anybody looked has it done again, for nobody knows what the task read", async () => {
    const go = gate();
    const runs = new Tally();
    const slow = task({
      name: "slow",
      description: "",
      inputs: { text: file("text.txt") },
      outputs: { text: out.artifact("slow.txt") },
      run: async ({ inputs, outputs }) => {
        runs.add();
        if (runs.count === 1) {
          write(rig.root, "text.txt", "other");
          writeFileSync(outputs.text, readFileSync(inputs.text));
          write(rig.root, "text.txt", "same");
          await go.opened;
        } else writeFileSync(outputs.text, readFileSync(inputs.text));
      },
    });
    const rig = new Rig(workspace({ "text.txt": "same" }), [slow]);
    utimesSync(`${rig.root}/text.txt`, 1_000, 1_000);
    go.open();
    await runs.reaches(2);
    await rig.settle();
    expect(made(rig, "slow.txt")).toBe("same");
    expect(runs.count).toBe(2);
  });
});

describe("a failure", () => {
  it("waits for the next change, and is over when what was wrong is repaired", async () => {
    const strict = task({
      name: "strict",
      description: "",
      inputs: { text: file("text.txt") },
      outputs: { text: out.file("text") },
      run: ({ inputs, outputs }) => {
        const text = readFileSync(inputs.text, "utf8");
        if (text !== "good") throw new Error("bad text");
        writeFileSync(outputs.text, text);
      },
    });
    const rig = await watching({ "text.txt": "bad" }, [strict]);
    expect(rig.events.at(-1)).toMatchObject({ outcome: "failed" });
    write(rig.root, "text.txt", "bad");
    await rig.next("unchanged");
    write(rig.root, "text.txt", "good");
    expect(await rig.next("cycle-finished")).toMatchObject({ outcome: "succeeded", changes: ["text.txt"] });
    expect(rig.events.filter(({ type }) => type === "task-failed")).toHaveLength(1);
  });

  it("on request is tried again", async () => {
    let fails = true;
    const moody = task({
      name: "moody",
      description: "",
      outputs: { text: out.file("text") },
      run: ({ outputs }) => {
        if (fails) throw new Error("not today");
        writeFileSync(outputs.text, "");
      },
    });
    const rig = await watching({}, [moody]);
    fails = false;
    rig.watch.rerun();
    expect(await rig.next("cycle-finished")).toMatchObject({ outcome: "succeeded" });
    rig.watch.rerun("all");
    await rig.next("cycle-finished");
    expect(rig.ranSince(0)).toEqual(["moody@dev", "moody@dev"]);
  });
});

describe("a task that changes its own input", () => {
  it("is reported as a loop that names the file, and stopped until somebody else changes something", async () => {
    let runs = 0;
    const circle = task({
      name: "circle",
      description: "",
      inputs: { text: file("text.txt") },
      outputs: { text: out.file("text") },
      run: ({ inputs, outputs }) => {
        runs += 1;
        const text = readFileSync(inputs.text, "utf8");
        writeFileSync(outputs.text, text);
        if (text !== "calm") writeFileSync(inputs.text, `${text}+`);
      },
    });
    const rig = new Rig(workspace({ "text.txt": "" }), [circle]);
    expect(await rig.next("loop")).toMatchObject({ loop: { task: "circle@dev", path: "text.txt" } });
    expect(runs).toBe(3);
    write(rig.root, "text.txt", "calm");
    expect(await rig.next("cycle-finished")).toMatchObject({ outcome: "succeeded", changes: ["text.txt"] });
    expect(runs).toBe(4);
  });
});
