/** A forged result makes its task run again, and nothing of it reaches the workspace. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { files, out, type Task, task } from "../../src/engine/index.ts";
import { blob, record, stamps } from "./forgery.ts";
import { v1 } from "./state-rig.ts";
import { run, workspace } from "./workshop.ts";

/** A task with a directory and an artifact, built; its outputs are gone, so that the next build restores them. */
async function emptied() {
  const root = workspace({ "in/text": "one" });
  const runs: string[] = [];
  const both = task({
    name: "both",
    description: "",
    inputs: { text: files("in/**") },
    outputs: {
      tree: out.directory("tree"),
      made: out.artifactDirectory("build/made"),
      file: out.artifact("build/file"),
    },
    run: ({ outputs }) => {
      runs.push("both");
      for (const directory of [outputs.tree, outputs.made]) {
        mkdirSync(path.join(directory, "below"));
        writeFileSync(path.join(directory, "below/text"), "right");
        symlinkSync("below/../below/text", path.join(directory, "link"));
      }
      writeFileSync(outputs.file, "right");
    },
  }) as Task;
  expect((await run(root, [both])).outcome).toBe("succeeded");
  rmSync(v1(root, "out"), { recursive: true });
  rmSync(path.join(root, "build"), { recursive: true });
  runs.length = 0;
  return { root, both, runs };
}

/** An attacker who can write listings, but cannot change what tasks do. */
async function forged(change: (lines: string[], evil: string) => string[]) {
  const { root, both, runs } = await emptied();
  const outside = workspace({});
  const stamp = stamps(root).get("both");
  if (stamp === undefined) throw new Error("no stamp");
  const evil = blob(root, "evil");
  const lines = stamp.outputs.trimEnd().split("\n");
  // Sorted by path, as the engine's own are.
  const pathOf = (line: string): string => line.slice(line.lastIndexOf(' "'));
  const outputs = change(lines, `f ${evil} 4`).sort((a, b) => (pathOf(a) < pathOf(b) ? -1 : 1));
  record(
    root,
    "stamps.log",
    `result ${stamp.fingerprint}`,
    JSON.stringify({ ...stamp, outputs: `${outputs.join("\n")}\n` }),
  );
  return { root, both, runs, outside };
}

describe("a recorded result", () => {
  it("is restored where its listing can be the task's", async () => {
    const { root, both, runs } = await forged((lines) => lines);
    expect((await run(root, [both])).outcomes["both@dev"]).toBe("restored");
    expect(runs).toEqual([]);
    expect(readFileSync(path.join(root, "build/made/link"), "utf8")).toBe("right");
  });

  const without = (lines: string[], ...names: string[]): string[] =>
    lines.filter((line) => !names.some((name) => line.endsWith(`"${name}"`) || line.includes(`"${name}/`)));
  const impossible: Readonly<Record<string, (lines: string[], evil: string) => string[]>> = {
    "a file below a link": (lines, evil) => [...lines, 'l "/tmp" "tree/x"', `${evil} "tree/x/pwn"`],
    "a file below a link within": (lines, evil) => [...lines, 'l "below" "tree/x"', `${evil} "tree/x/pwn"`],
    "a file below a file": (lines, evil) => [...lines, `${evil} "tree/below/text/pwn"`],
    "a file in a directory that is not listed": (lines, evil) => [...lines, `${evil} "tree/new/pwn"`],
    "a link in place of an output": (lines) => [...without(lines, "made"), 'l "/etc" "made"'],
    "a file in place of a directory": (lines, evil) => [...without(lines, "made"), `${evil} "made"`],
    "a directory in place of a file": (lines) => [...without(lines, "file"), 'd "file"'],
    "an output that is missing": (lines) => without(lines, "file"),
    "an output that is none": (lines, evil) => [...lines, `${evil} "other"`],
    "a path that leaves": (lines, evil) => [...lines, 'd "tree/.."', `${evil} "tree/../pwn"`],
    "an empty name": (lines, evil) => [...lines, 'd "tree/"', `${evil} "tree//pwn"`],
    "a dot for a name": (lines, evil) => [...lines, 'd "tree/."', `${evil} "tree/./pwn"`],
    "a NUL in a name": (lines, evil) => [...lines, `${evil} "tree/a\\u0000b"`],
    "half a character": (lines, evil) => [...lines, `${evil} "tree/\\ud800"`],
    "a path that comes twice": (lines, evil) => [...lines, `${evil} "tree/below/text"`],
    "a link to a root path": (lines) => [...lines, 'l "/etc/passwd" "tree/x"'],
    "a link out of its output": (lines) => [...lines, 'l "below/../../file" "tree/x"'],
    "a link that leaves by way of another": (lines) => [
      ...lines,
      'd "tree/a"',
      'd "tree/a/b"',
      'l ".." "tree/a/b/up"',
      'l "a/b/up/../.." "tree/x"',
    ],
    "a link to nothing": (lines) => [...lines, 'l "" "tree/x"'],
    "a mode of another kind": (lines) => lines.map((line) => line.replace(/^f /, "s ")),
    "a digest that is none": (lines) => [...lines, `f ${"../".repeat(21)}x 4 "tree/x"`],
  };
  for (const [what, change] of Object.entries(impossible)) {
    it(`counts as absent where its listing has ${what}`, async () => {
      const { root, both, runs } = await forged(change);
      const { outcome } = await run(root, [both]);
      expect(outcome).toBe("succeeded");
      expect(runs).toEqual(["both"]);
      expect(existsSync("/tmp/pwn")).toBe(false);
      expect(readdirSync(path.join(root, "build/made")).sort()).toEqual(["below", "link"]);
      expect(lstatSync(path.join(root, "build/made")).isDirectory()).toBe(true);
      expect((await run(root, [both])).outcomes["both@dev"]).toBe("fresh");
    });
  }

  it("is not fresh either where both it and what is there were brought along", async () => {
    const { root, both, runs } = await forged((lines) => [...without(lines, "tree"), 'l "/etc" "tree"']);
    await run(root, [both]);
    rmSync(v1(root, "out/dev/both/tree"), { recursive: true });
    symlinkSync("/etc", v1(root, "out/dev/both/tree"));
    const stamp = stamps(root).get("both");
    const outputs = without(stamp?.outputs.trimEnd().split("\n") ?? [], "tree");
    record(
      root,
      "stamps.log",
      `result ${stamp?.fingerprint}`,
      JSON.stringify({ ...stamp, outputs: `${[...outputs, 'l "/etc" "tree"'].join("\n")}\n` }),
    );
    runs.length = 0;
    expect((await run(root, [both])).outcome).toBe("succeeded");
    expect(runs).toEqual(["both"]);
    expect(lstatSync(v1(root, "out/dev/both/tree")).isDirectory()).toBe(true);
  });
});
