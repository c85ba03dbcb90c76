/** What a build says of scripts and boot codes that would fail on the booted machine. */
import { expect, it } from "vitest";
import { bytesContent, FileTree } from "../../src/formats/index.ts";
import { checkBootCodes, checkScripts } from "../../tasks/image/part-faults.ts";

async function checked(files: Readonly<Record<string, readonly [text: string, mode: number]>>) {
  const tree = new FileTree();
  for (const [name, [text, mode]] of Object.entries(files))
    tree.addFile(name, bytesContent(text), { mtime: 0, mode });
  const notes: string[] = [];
  await checkScripts(tree.ensureParents({ mtime: 0 }), "overlay-src", (sentence) => notes.push(sentence));
  return notes;
}

it("a script with lines of DOS is refused, with its path", async () => {
  await expect(checked({ "opt/x.sh": ["#!/bin/sh\r\necho\r\n", 0o755] })).rejects.toMatchObject({
    code: "image-fault",
    where: "overlay-src/opt/x.sh",
    message: expect.stringContaining("CR LF"),
  });
});

it("a script that boot starts and that is not executable is refused", async () => {
  await expect(checked({ "opt/bootlocal.sh": ["#!/bin/sh\n", 0o644] })).rejects.toMatchObject({
    code: "image-fault",
    where: "overlay-src/opt/bootlocal.sh",
  });
});

it("a script that boot passes over is noted, and whether a part has the interpreter is not asked", async () => {
  expect(
    await checked({
      "opt/shutdown.sh": ["#!/bin/sh\n", 0o644],
      "usr/local/bin/tool": ["#!/usr/bin/ruby\n", 0o755],
    }),
  ).toEqual([
    "overlay-src/opt/shutdown.sh: scripts are not executable, so boot passes over them; make them executable: chmod +x FILE",
  ]);
});

it("boot codes that Core reads as others are noted", () => {
  const notes: string[] = [];
  checkBootCodes(["hostname=box", "quiet", "norestore"], new FileTree(), (sentence) => notes.push(sentence));
  expect(notes).toEqual(["boot code hostname=box is read as host=box; write host=box, or another name"]);
});
