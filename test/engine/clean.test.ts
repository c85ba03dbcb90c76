/** Cleaning removes what tasks made, under any name, and nothing that only a record names. */
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { file, out, param, type Task, task } from "../../src/engine/index.ts";
import { record, sha256, stamps } from "./forgery.ts";
import { clean, run, workspace } from "./workshop.ts";

describe("task clean", () => {
  it("removes what tasks made, also under earlier names, and no file that only a record names", async () => {
    const root = workspace({ "in/text": "x", "src/precious": "1", precious: "2" });
    const name = param.text({ name: "name", description: "", default: "one" });
    const made = task({
      name: "made",
      description: "",
      params: { name },
      outputs: {
        file: out.artifact(({ value }) => `build/${value(name)}.iso`),
        other: out.artifact("build/other"),
      },
      run: ({ outputs }) => {
        for (const file of Object.values(outputs)) writeFileSync(file, "1");
      },
    }) as Task;
    await run(root, [made]);
    await run(root, [made], { given: { name: "two" } });
    const stamp = stamps(root).get("made");
    const places = [
      "../x",
      "src",
      "src/precious",
      "precious",
      ".",
      "",
      "build/../precious",
      path.join(root, "precious"),
    ];
    for (const [index, place] of places.entries()) {
      const fingerprint = sha256(`${index}`);
      const parts = stamp?.parts.map(([label, value]) => [
        label,
        label.startsWith("output ")
          ? `file ${place}`
          : label.startsWith("param ")
            ? JSON.stringify("../src/precious")
            : value,
      ]);
      record(root, "stamps.log", `result ${fingerprint}`, JSON.stringify({ ...stamp, fingerprint, parts }));
    }
    const removed = await clean(root, made);
    const artifacts = removed.filter((one) => !one.startsWith(".buildcache/"));
    expect([...artifacts].sort()).toEqual(["build/one.iso", "build/other", "build/two.iso"]);
    expect(readFileSync(path.join(root, "src/precious"), "utf8")).toBe("1");
    expect(readFileSync(path.join(root, "precious"), "utf8")).toBe("2");
  });

  it("finds artifacts whose names come from a parameter that only names an input, or is not fingerprinted", async () => {
    const root = workspace({ "lists/one.lst": "x", "lists/two.lst": "y" });
    const list = param.path({ name: "list", description: "", default: "lists/one.lst" });
    const label = param.text({ name: "label", description: "", default: "red", fingerprinted: false });
    const made = task({
      name: "made",
      description: "",
      variants: "shared",
      inputs: { list: file(list) },
      params: { label },
      outputs: {
        byInput: out.artifact(({ value }) => `build/${path.basename(value(list), ".lst")}.iso`),
        byLabel: out.artifact(({ value }) => `build/${value(label)}.txt`),
        byVariant: out.artifact(({ variant }) => `build/${variant}.img`),
      },
      run: ({ outputs }) => {
        for (const file of Object.values(outputs)) writeFileSync(file, "1");
      },
    }) as Task;
    await run(root, [made]);
    await run(root, [made], { given: { list: path.join(root, "lists/two.lst"), label: "blue" } });
    const removed = await clean(root, made);
    const artifacts = removed.filter((one) => !one.startsWith(".buildcache/"));
    const names = ["blue.txt", "dev.img", "one.iso", "red.txt", "two.iso"];
    expect([...artifacts].sort()).toEqual(names.map((name) => `build/${name}`));
  });
});
