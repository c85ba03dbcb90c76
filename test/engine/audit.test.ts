/** What a user relies on when auditing: an undeclared file that a command touches is named, and can be a failure. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { parseTrace } from "../../src/engine/audit.ts";
import { file, out, task } from "../../src/engine/index.ts";
import { run, workspace } from "./workshop.ts";

/** Reads its declared input, and the file `extra` too where one is named. */
function reader(root: string, extra?: string) {
  const more = extra === undefined ? [] : [path.join(root, extra)];
  return task({
    name: "reader",
    description: "",
    inputs: { text: file("in/text") },
    tools: ["cat", "cp"],
    outputs: { text: out.file("text") },
    run: async ({ $, inputs, outputs, scratch }) => {
      await $`cat ${[inputs.text, ...more]} > ${path.join(scratch, "both")}`;
      await $`cp ${path.join(scratch, "both")} ${outputs.text}`;
    },
  });
}

describe("an audit", () => {
  it("finds nothing where commands touch what is declared", async () => {
    const root = workspace({ "in/text": "declared" });
    const { outcome, notes } = await run(root, [reader(root)], { audit: "strict" });
    expect([outcome, notes]).toEqual(["succeeded", []]);
  });

  it("finds nothing of the user's shell either, also when a command reads a pipe", async () => {
    const root = workspace({});
    const piped = task({
      name: "piped",
      description: "",
      tools: ["cat"],
      outputs: { text: out.file("text") },
      run: async ({ $, outputs }) => {
        await $({ input: "through a pipe", stdio: ["pipe", "pipe", "pipe"] })`cat > ${outputs.text}`;
      },
    });
    expect((await run(root, [piped], { audit: "strict" })).outcome).toBe("succeeded");
  });

  it("names a file that was read without being declared, and lets the build go on", async () => {
    const root = workspace({ "in/text": "declared", "in/secret input": "not declared" });
    const { outcome, notes } = await run(root, [reader(root, "in/secret input")], { audit: "report" });
    expect(outcome).toBe("succeeded");
    expect(notes).toEqual(["reader: its commands touched what it does not declare: read in/secret input"]);
  });

  it("fails the task under strict, and leaves no output of it", async () => {
    const root = workspace({ "in/text": "declared", "in/other": "not declared" });
    const { outcome, outcomes } = await run(root, [reader(root, "in/other")], { audit: "strict" });
    expect(outcome).toBe("failed");
    expect(outcomes["reader@dev"]).toContain("read in/other");
    expect(() => readFileSync(path.join(root, ".buildcache/v1/out/dev/reader/text"))).toThrow();
  });

  it("names a file that was written outside of the outputs", async () => {
    const root = workspace({ "in/text": "declared" });
    const writer = task({
      name: "writer",
      description: "",
      tools: ["cp"],
      inputs: { text: file("in/text") },
      outputs: { text: out.file("text") },
      run: async ({ $, inputs, outputs }) => {
        await $`cp ${inputs.text} ${path.join(root, "left behind")}`;
        await $`cp ${inputs.text} ${outputs.text}`;
      },
    });
    const { notes } = await run(root, [writer], { audit: "report" });
    expect(notes.join()).toContain("wrote left behind");
  });
});

describe("a trace", () => {
  it("tells reading from writing, and follows relative names", () => {
    const text = [
      '12 openat(AT_FDCWD</w>, "a", O_RDONLY|O_CLOEXEC) = 3</w/a>',
      '12 openat(AT_FDCWD</w>, "b", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 3</w/b>',
      '13 openat(AT_FDCWD</w>, ".", O_RDONLY|O_DIRECTORY) = 3</w>',
      '13 rename("b", "/w/c") = 0',
      '13 unlinkat(AT_FDCWD</w/d>, "e", 0) = 0',
      "13 +++ exited with 0 +++",
      "garbage",
    ].join("\n");
    expect([...parseTrace(text)]).toEqual([
      { kind: "read", path: "/w/a" },
      { kind: "wrote", path: "/w/b" },
      { kind: "wrote", path: "/w/c" },
      { kind: "wrote", path: "/w/d/e" },
    ]);
  });
});
