/** Watch mode: what it leaves to others between two builds, and at its end. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { build, ParameterValues, State } from "../../src/engine/index.ts";
import { watching } from "./watch-rig.ts";
import { pack, tree } from "./watched-tree.ts";
import { code, write } from "./workshop.ts";

/** As the kernel counts them (proc(5), fdinfo). */
function directoryWatches(): number {
  const texts = readdirSync("/proc/self/fdinfo").map((name) => {
    try {
      return readFileSync(`/proc/self/fdinfo/${name}`, "utf8");
    } catch {
      return "";
    }
  });
  return texts.join("").split("inotify wd:").length - 1;
}

describe("between two builds", () => {
  it("another invocation builds at once", async () => {
    const rig = await watching(tree, [pack]);
    const events: string[] = [];
    const other = new State(rig.root);
    await build(
      {
        taskfile: { kind: "taskfile", title: "", targets: [pack], variants: {} },
        state: other,
        code: code(),
        toolHint: () => undefined,
        env: {},
      },
      {
        targets: [pack],
        variant: "dev",
        values: new ParameterValues(new Map(), { root: rig.root, env: {}, variant: "dev", note: () => {} }),
        force: new Set(),
        keepGoing: false,
        command: "another",
        signal: new AbortController().signal,
        onEvent: ({ type }) => events.push(type),
      },
    );
    expect(events).toContain("task-fresh");
    expect(events).not.toContain("lock-wait");
  });

  it("a changed definition ends the wait and names the file", async () => {
    const rig = await watching({ ...tree, "tasks/pack.ts": "1" }, [pack], ["tasks/pack.ts"]);
    write(rig.root, "tasks/pack.ts", "1");
    write(rig.root, "tasks/pack.ts", "2");
    expect(await rig.ended).toMatchObject({ kind: "sources", changes: ["tasks/pack.ts"] });
  });

  it("an end leaves no watch behind", async () => {
    const before = directoryWatches();
    const rig = await watching(tree, [pack]);
    expect(directoryWatches()).toBeGreaterThan(before);
    rig.stop();
    expect(await rig.ended).toEqual({ kind: "stopped" });
    await rig.watch.close();
    expect(directoryWatches()).toBe(before);
  });
});
