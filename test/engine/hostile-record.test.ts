/** Records with any content at all make no wrong result, no failure, and name no files outside of an input. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { files, out, State, task, verifyStore } from "../../src/engine/index.ts";
import { record } from "./forgery.ts";
import { built, expectRight, given, v1 } from "./state-rig.ts";
import { run, workspace, write } from "./workshop.ts";

describe("records with a right checksum", () => {
  it("and anything else in them make no wrong result, and no failure", async () => {
    const { root, third } = await built();
    const keys = readFileSync(v1(root, "stamps.log"), "utf8") + readFileSync(v1(root, "files.log"), "utf8");
    const known = [
      ...new Set(keys.split("\n").flatMap((line) => /^[0-9a-f]{8} (.*?)\t/.exec(line)?.[1] ?? [])),
    ];
    const original = new Map(
      ["stamps.log", "files.log"].map((log) => [log, readFileSync(v1(root, log))] as const),
    );
    const junk = fc.oneof(
      fc.json(),
      fc.string({ unit: "binary" }).map((text) => text.replaceAll("\n", "")),
      fc.constantFrom(
        "null",
        "[]",
        "{}",
        '"x"',
        "../../etc",
        "a".repeat(64),
        `{"directories":[],"paths":["../x"]}`,
      ),
      fc
        .record({
          fingerprint: fc.constant("f".repeat(64)),
          parts: fc.oneof(fc.constant([]), fc.anything()),
          outputs: fc.oneof(fc.constant(""), fc.string()),
          seconds: fc.oneof(fc.constant(1), fc.anything()),
        })
        .map((value) => JSON.stringify(value, (_, one) => (typeof one === "bigint" ? 1 : one)) ?? ""),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom(...known), junk), { minLength: 1, maxLength: 12 }),
        async (forgeries) => {
          for (const [log, bytes] of original) writeFileSync(v1(root, log), bytes);
          for (const [key, value] of forgeries)
            for (const log of original.keys()) record(root, log, key, value.replaceAll("\n", ""));
          rmSync(path.join(root, "build"), { recursive: true, force: true });
          const { outcome, outcomes } = await run(root, [third], { given, maxSize: 1 });
          expect([outcome, JSON.stringify(outcomes)]).toEqual([
            "succeeded",
            expect.not.stringContaining("failed"),
          ]);
          expect(readFileSync(path.join(root, "build/third"), "utf8")).toBe("HELLO!");
          expect(await verifyStore(new State(root))).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
    await expectRight(root, third);
  }, 60_000);

  it("name no files that are outside of an input's directory", async () => {
    const root = workspace({ "in/text": "declared", secret: "not declared" });
    const seen: string[] = [];
    const reader = task({
      name: "reader",
      description: "",
      inputs: { text: files("**", { root: "in" }) },
      outputs: { text: out.file("text") },
      run: ({ inputs, outputs }) => {
        seen.push(...inputs.text.paths);
        writeFileSync(outputs.text, inputs.text.paths.join());
      },
    });
    const clock = { now: () => Date.now() + 3_600_000 };
    await run(root, [reader], { clock });
    const log = readFileSync(v1(root, "files.log"), "utf8");
    const key = /^[0-9a-f]{8} (glob [^\t]*)\t/m.exec(log)?.[1] ?? "";
    expect(key).not.toBe("");
    for (const directories of [[], [["x", "0:0:absent"]], "x"]) {
      record(root, "files.log", key, JSON.stringify({ directories, paths: ["text", "../secret"] }));
      write(root, "in/text", `changed ${JSON.stringify(directories)}`);
      seen.length = 0;
      expect((await run(root, [reader], { clock })).outcome).toBe("succeeded");
      expect(seen).toEqual(["text"]);
    }
  });
});
