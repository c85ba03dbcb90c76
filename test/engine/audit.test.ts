/** What a user relies on when auditing: an undeclared file that a command touches is named, and can be a failure. */
import { chmodSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { type AbsolutePath, file, files, only, out, task } from "../../src/engine/index.ts";
import { parseTrace } from "../../src/engine/run/audit.ts";
import { usesPrograms } from "../support/programs.ts";
import { run, workspace } from "./workshop.ts";

usesPrograms("strace");

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
    expect(notes).toEqual(["reader: its commands used undeclared files: read in/secret input"]);
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

describe("what an audit lets pass", () => {
  it("is the files that a pattern means, not all of their directory, and no program that nobody declared", async () => {
    const root = workspace({
      "in/a.txt": "meant",
      "in/a.secret": "not meant",
      "in/ü.txt": "meant",
      "own-tool": "#!/bin/sh\n",
    });
    chmodSync(path.join(root, "own-tool"), 0o755);
    const glob = task({
      name: "glob",
      description: "",
      tools: ["cat"],
      inputs: { texts: files("*.txt", { root: "in" }) },
      outputs: { text: out.file("text") },
      run: async ({ $, inputs, outputs }) => {
        const { root: directory, paths } = inputs.texts;
        await $({ cwd: directory })`cat ${paths} a.secret > ${outputs.text}`;
        await $({ cwd: root })`./own-tool`;
      },
    });
    const { notes } = await run(root, [glob], { audit: "report" });
    expect(notes).toEqual(["glob: its commands used undeclared files: read in/a.secret, read own-tool"]);
  });

  it("is reading an input, not writing to it, nor to what a task it needs has made", async () => {
    const root = workspace({ text: "before" });
    const first = task({
      name: "first",
      description: "",
      outputs: { one: out.artifact("one"), other: out.artifact("other") },
      run: ({ outputs }) => {
        writeFileSync(outputs.one, "1");
        writeFileSync(outputs.other, "2");
      },
    });
    const second = task({
      name: "second",
      description: "",
      tools: ["cat"],
      inputs: { text: file("text") },
      needs: { first: only(first, "one") },
      outputs: { text: out.file("text") },
      run: async ({ $, inputs, needs, outputs }) => {
        const { one } = needs.first;
        await $`cat ${inputs.text} ${one} ${path.join(root, "other")} > ${outputs.text}`;
        await $`cat ${inputs.text} >> ${one}; cat /dev/null >> ${inputs.text}`;
      },
    });
    const { notes } = await run(root, [second], { audit: "report" });
    expect(notes.join()).toContain("wrote one, read other, wrote text");
  });

  it("is the same where the workspace is reached through a link", async () => {
    const root = workspace({ "in/text": "declared" });
    const elsewhere = `${root} link`;
    symlinkSync(root, elsewhere);
    try {
      const { outcome, notes } = await run(elsewhere as AbsolutePath, [reader(elsewhere)], {
        audit: "strict",
      });
      expect([outcome, notes]).toEqual(["succeeded", []]);
    } finally {
      rmSync(elsewhere);
    }
  });
});

describe("a trace", () => {
  it("tells reading from writing, and follows relative names", () => {
    const text = [
      '12 execve("/w/bin/tool", ["tool", "/w/argument"], 0x7ffd /* 9 vars */) = 0',
      '12 openat(AT_FDCWD</w>, "a", O_RDONLY|O_CLOEXEC) = 3</w/a>',
      '12 openat(AT_FDCWD</w>, "b", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 3</w/b>',
      '13 openat(AT_FDCWD</w>, ".", O_RDONLY|O_DIRECTORY) = 3</w>',
      '13 rename("b", "/w/c") = 0',
      '13 chdir("e") = 0',
      '13 mkdir("f", 0777) = 0',
      '12 unlink("g") = 0',
      "13 fchdir(4</x>) = 0",
      '13 symlink("what it says", "h") = 0',
      '14 rmdir("i") = 0',
      '13 unlinkat(AT_FDCWD</w/d>, "e", 0) = 0',
      '13 openat(AT_FDCWD</w>, "\\303\\274 \\"\\n", O_RDONLY) = 3</w/\\303\\274 \\"\\n>',
      '15 chroot(".") = 0',
      '15 rename("/etc/new", "/etc/old") = 0',
      "13 +++ exited with 0 +++",
      "garbage",
    ].join("\n");
    expect([...parseTrace(text, "/start")]).toEqual([
      { kind: "read", path: "/w/bin/tool" },
      { kind: "read", path: "/w/a" },
      { kind: "wrote", path: "/w/b" },
      { kind: "wrote", path: "/w/b" },
      { kind: "wrote", path: "/w/c" },
      { kind: "wrote", path: "/w/e/f" },
      { kind: "wrote", path: "/w/g" },
      { kind: "wrote", path: "/x/h" },
      { kind: "wrote", path: "/start/i" },
      { kind: "wrote", path: "/w/d/e" },
      { kind: "read", path: '/w/ü "\n' },
      { kind: "wrote", path: "/start/etc/new" },
      { kind: "wrote", path: "/start/etc/old" },
    ]);
  });
});
