/** Tools that a task can do without. */
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { out, param, task } from "../../src/engine/index.ts";
import { run, workspace } from "./workshop.ts";

const searchPath = process.env.PATH;
afterEach(() => {
  process.env.PATH = searchPath;
});

const greeting = task({
  name: "greeting",
  description: "",
  optionalTools: ["greet-nobody-has"],
  outputs: { text: out.artifact("greeting.txt") },
  async run({ $, outputs, missingTools }) {
    const text = missingTools.length === 0 ? (await $`greet-nobody-has`).stdout : "no greeting\n";
    await writeFile(outputs.text, text);
  },
});

const effort = param.text({ name: "effort", description: "", value: "TEXT", default: "low" });
const first = task({
  name: "first",
  description: "",
  outputs: { text: out.artifact("first.txt") },
  run: ({ outputs }) => writeFile(outputs.text, "first\n"),
});
const packing = task({
  name: "packing",
  description: "",
  needs: { first },
  params: { effort },
  optionalTools: (params) => ({ "pack-nobody-has": params.effort === "high" ? "needed" : "unused" }),
  outputs: { text: out.artifact("packed.txt") },
  async run({ $, params, outputs }) {
    const text = params.effort === "high" ? (await $`pack-nobody-has`).stdout : "unpacked\n";
    await writeFile(outputs.text, text);
  },
});

describe("a tool that some options need", () => {
  it("is asked for before anything runs, and only with those options", async () => {
    const root = workspace({});
    await expect(run(root, [packing], { given: { effort: "high" } })).rejects.toMatchObject({
      message: 'the required program "pack-nobody-has" is not installed',
      code: "tool-missing",
    });
    expect(existsSync(path.join(root, "first.txt"))).toBe(false);
    await run(root, [packing]);
    expect(await readFile(path.join(root, "packed.txt"), "utf8")).toBe("unpacked\n");
  });
});

describe("an optional tool", () => {
  it("may be missing; its arrival, change and departure are noticed", async () => {
    const root = workspace({});
    const bin = path.join(root, "bin");
    const tool = path.join(bin, "greet-nobody-has");
    mkdirSync(bin);
    process.env.PATH = `${bin}:${searchPath}`;
    const build = async () => {
      const outcome = await run(root, [greeting]);
      return [outcome, await readFile(path.join(root, "greeting.txt"), "utf8")] as const;
    };
    const install = (words: string) => {
      writeFileSync(tool, `#!/bin/sh\necho ${words}\n`);
      chmodSync(tool, 0o755);
    };
    expect((await build())[1]).toBe("no greeting\n");
    install("hello");
    expect((await build())[1]).toBe("hello\n");
    install("good morning");
    expect((await build())[1]).toBe("good morning\n");
    rmSync(tool);
    expect((await build())[1]).toBe("no greeting\n");
  });
});
