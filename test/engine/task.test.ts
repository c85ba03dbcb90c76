/** What a task is told apart by, and what it is told of inputs that cannot be had. */
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { file, out, task } from "../../src/engine/index.ts";
import { built, expectRight } from "./state-rig.ts";
import { run, workspace, write } from "./workshop.ts";

describe("a task", () => {
  it("is refused when another one has its name", async () => {
    const root = workspace({});
    const make = (name: string, text: string) =>
      task({
        name,
        description: "",
        outputs: { x: out.artifact(`build/${text}`) },
        run: ({ outputs }) => writeFileSync(outputs.x, text),
      });
    await expect(run(root, [make("twin", "a"), make("twin", "b")])).rejects.toThrow(
      /two tasks are named "twin"/,
    );
  });

  it("whose input cannot be read fails with its name, and so does one whose input is missing", async () => {
    const root = workspace({ "in/text": "hello" });
    const reader = task({
      name: "reader",
      description: "",
      inputs: { text: file("in/text") },
      outputs: { x: out.file("x") },
      run: ({ outputs }) => writeFileSync(outputs.x, ""),
    });
    rmSync(path.join(root, "in/text"));
    expect((await run(root, [reader])).outcomes["reader@dev"]).toMatch(/in\/text does not exist/);
    mkdirSync(path.join(root, "in/text"));
    expect((await run(root, [reader])).outcomes["reader@dev"]).toMatch(/not a regular file/);
  });

  it("can be copied with its whole workspace, and is not confused by where it was", async () => {
    const { root, third } = await built();
    const copy = workspace({});
    cpSync(root, copy, { recursive: true, verbatimSymlinks: true });
    write(copy, "in/text", "moved");
    await expectRight(copy, third, "MOVED!");
    await expectRight(root, third);
  });
});
