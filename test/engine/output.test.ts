/** Outputs are put in their place only, whatever stands there or on the way. */
import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { State } from "../../src/engine/index.ts";
import { built, expectRight, given, v1 } from "./state-rig.ts";
import { run, workspace, write } from "./workshop.ts";

describe("an output", () => {
  it("is never written through a link that leaves the cache", async () => {
    const { root, third } = await built();
    const outside = workspace({ text: "precious" });
    rmSync(v1(root, "out/dev/second"), { recursive: true });
    symlinkSync(outside, v1(root, "out/dev/second"));
    await expectRight(root, third);
    expect(readFileSync(path.join(outside, "text"), "utf8")).toBe("precious");
  });

  it("is never written through a link that leaves the workspace, and nothing is done in vain before that is said", async () => {
    const { root, third, runs } = await built();
    const outside = workspace({});
    rmSync(path.join(root, "build"), { recursive: true });
    symlinkSync(outside, path.join(root, "build"));
    for (const text of ["restored", "made anew"]) {
      if (text === "made anew") write(root, "in/text", text);
      runs.length = 0;
      const { outcomes } = await run(root, [third], { given });
      expect(outcomes["third@dev"]).toContain("link that leaves the workspace");
      expect(runs).not.toContain("third");
      expect(readdirSync(outside)).toEqual([]);
    }
    // One that stays within is the user's own affair.
    rmSync(path.join(root, "build"));
    mkdirSync(path.join(root, "elsewhere"));
    symlinkSync("elsewhere", path.join(root, "build"));
    await expectRight(root, third, "MADE ANEW!");
    expect(readdirSync(path.join(root, "elsewhere"))).toHaveLength(1);
  });

  it("is not written either through one that leaves the workspace by going up from behind another link", async () => {
    const { root, third } = await built();
    const outside = workspace({ "deep/x": "" });
    mkdirSync(path.join(outside, "target"));
    rmSync(path.join(root, "build"), { recursive: true });
    symlinkSync(path.join(outside, "deep"), path.join(root, "via"));
    symlinkSync("via/../target", path.join(root, "build"));
    // Where the link's letters lead.
    mkdirSync(path.join(root, "target"));
    write(root, "in/text", "made anew");
    const { outcomes } = await run(root, [third], { given });
    expect(outcomes["third@dev"]).toContain("link that leaves the workspace");
    expect(readdirSync(path.join(outside, "target"))).toEqual([]);
  });

  it("says what stands in the way of its directory, and leaves it there", async () => {
    const { root, third } = await built();
    rmSync(path.join(root, "build"), { recursive: true });
    write(root, "build", "the user's own");
    expect((await run(root, [third], { given })).outcomes["third@dev"]).toContain("a file has its name");
    expect(readFileSync(path.join(root, "build"), "utf8")).toBe("the user's own");
    rmSync(path.join(root, "build"));
    rmSync(v1(root, "out"), { recursive: true });
    writeFileSync(v1(root, "out"), "in the way");
    await expectRight(root, third);
  });

  it("that became a link to a large directory is replaced without a look into it", async () => {
    const { root, third } = await built();
    const outside = workspace({ "deep/file": "precious" });
    rmSync(v1(root, "out/dev/first/tree"), { recursive: true });
    symlinkSync(outside, v1(root, "out/dev/first/tree"));
    const state = new State(root);
    const { outcomes } = await run(root, [third], { given, state });
    expect(outcomes["first@dev"]).toBe("restored");
    expect(readFileSync(path.join(outside, "deep/file"), "utf8")).toBe("precious");
  });
});
