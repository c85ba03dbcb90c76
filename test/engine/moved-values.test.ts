/** Values that parameters compute from files, such as a version: what happens when they change during a build and between two. */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { file, out, param, type Task, task } from "../../src/engine/index.ts";
import { Rig, Tally, watching } from "./watch-rig.ts";
import { run, workspace, write } from "./workshop.ts";

/** A label that is computed: read from a file in a directory that no task has anything to do with. */
const label = param.text({
  name: "label",
  description: "",
  default: async ({ root, dependsOn }) => {
    const place = path.join(root, "labels/label.txt");
    dependsOn("label", async () => ({ paths: [place], isWhole: true }));
    return readFileSync(place, "utf8");
  },
});

/** Packs a text under the label; `meanwhile` is done while it runs. */
function labelled(meanwhile: (inputs: { readonly text: string }) => void = () => {}): Task {
  return task({
    name: "labelled",
    description: "",
    inputs: { text: file("text.txt") },
    params: { label },
    outputs: { text: out.artifact(({ value }) => `made/${value(label)}.txt`) },
    run: ({ inputs, params, outputs }) => {
      meanwhile(inputs);
      writeFileSync(outputs.text, `${params.label}: ${readFileSync(inputs.text, "utf8")}`);
    },
  });
}

const files = { "text.txt": "text", "labels/label.txt": "one" };
const at = (root: string, name: string): string => path.join(root, "made", `${name}.txt`);

describe("a value that changes", () => {
  it("during a build leaves nothing that is named after the old one", async () => {
    const root = workspace(files);
    const other = labelled(() => write(root, "labels/label.txt", "other"));
    const result = await run(root, [other]);
    expect(result.outcome).toBe("succeeded");
    expect(result.moved).toEqual(["label"]);
    expect(existsSync(at(root, "one"))).toBe(false);
    const again = await run(root, [other]);
    expect(again.moved).toEqual([]);
    expect(readFileSync(at(root, "other"), "utf8")).toBe("other: text");
  });

  it("during a build is none of what was given, or took no part", async () => {
    const root = workspace(files);
    const given = await run(root, [labelled(() => write(root, "labels/label.txt", "other"))], {
      given: { label: "given" },
    });
    expect(given.moved).toEqual([]);
    expect(readFileSync(at(root, "given"), "utf8")).toBe("given: text");
  });

  it("while a watch builds has it built again in the same cycle", async () => {
    const root = workspace(files);
    const runs = new Tally();
    const rig = new Rig(root, [
      labelled(() => {
        runs.add();
        if (runs.count === 1) write(root, "labels/label.txt", "other");
      }),
    ]);
    expect(await rig.next("cycle-finished")).toMatchObject({ outcome: "succeeded", changes: ["label"] });
    expect(existsSync(at(root, "one"))).toBe(false);
    expect(readFileSync(at(root, "other"), "utf8")).toBe("other: text");
    await rig.settle();
    expect(runs.count).toBe(2);
  });

  it("while a watch waits starts a build, however it came about", async () => {
    const rig = await watching(files, [labelled()]);
    await rig.settle();
    write(rig.root, "labels/label.txt", "other");
    expect(await rig.next("cycle-finished")).toMatchObject({ outcome: "succeeded", changes: ["label"] });
    expect(readFileSync(at(rig.root, "other"), "utf8")).toBe("other: text");
    rig.cycles.splice(0);
    // The same text anew, and a file beside it: neither makes the value another one.
    write(rig.root, "labels/label.txt", "other");
    write(rig.root, "labels/beside.txt", "x");
    expect(await rig.settle()).toEqual([]);
  });

  it("that can no longer be computed is an error of the watch, which goes on when it can again", async () => {
    const rig = await watching(files, [labelled()]);
    await rig.settle();
    renameSync(path.join(rig.root, "labels/label.txt"), path.join(rig.root, "labels/gone.txt"));
    expect(await rig.next("cycle-finished")).toMatchObject({ outcome: "failed" });
    write(rig.root, "labels/label.txt", "back");
    expect(await rig.next("cycle-finished")).toMatchObject({ outcome: "succeeded", changes: ["label"] });
    expect(readFileSync(at(rig.root, "back"), "utf8")).toBe("back: text");
  });

  it("with each build is a loop, and ends the watch's attempts", async () => {
    const root = workspace(files);
    let count = 0;
    const rig = new Rig(root, [labelled(() => write(root, "labels/label.txt", `label ${count++}`))]);
    expect(await rig.next("loop")).toMatchObject({ loop: { path: "label" } });
  });
});
