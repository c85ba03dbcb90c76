/** What the store holds is right or not there, whatever happens to it, and no more than its limit allows. */
import { createHash } from "node:crypto";
import { chmodSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { out, State, type Task, task } from "../../src/engine/index.ts";
import { built, damages, everyBlob, expectRight, given, v1 } from "./state-rig.ts";
import { run, workspace, write } from "./workshop.ts";

/** A task that gives a file to the store and places it as its output; `between` may do something to the blob. */
function downloads(between: (blob: string) => void = () => {}) {
  const root = workspace({});
  const text = "bytes from elsewhere";
  const digest = createHash("sha256").update(text).digest("hex");
  const taking = task({
    name: "taking",
    description: "",
    outputs: { text: out.file("text"), tree: out.directory("tree") },
    async run({ blobs, scratch, outputs }) {
      writeFileSync(path.join(scratch, "download"), text);
      await blobs.adopt(path.join(scratch, "download"), digest);
      between(blobs.pathOf(digest));
      await blobs.copyOut(digest, outputs.text);
      await blobs.copyOut(digest, path.join(outputs.tree, "text"));
    },
  });
  return { root, taking: taking as Task };
}

describe("the store", () => {
  for (const [what, damage] of Object.entries(damages)) {
    it(`with blobs that have ${what} makes no wrong result`, async () => {
      const { root, third } = await built();
      for (const blob of everyBlob(root)) {
        chmodSync(blob, 0o644);
        damage(blob);
      }
      rmSync(v1(root, "out"), { recursive: true });
      rmSync(path.join(root, "build"), { recursive: true });
      await expectRight(root, third);
    });
  }

  it("is not needed for what is already in place", async () => {
    const { root, third, runs } = await built();
    rmSync(v1(root, "store"), { recursive: true });
    await expectRight(root, third);
    expect(runs).toEqual([]);
  });

  it("has what was taken over from a task read by no later build", async () => {
    const { root, taking } = downloads();
    expect((await run(root, [taking])).outcome).toBe("succeeded");
    const state = new State(root);
    expect((await run(root, [taking], { state })).outcomes["taking@dev"]).toBe("fresh");
    expect(state.files.hashed).toBe(0);
  });

  it("hands out nothing that was damaged after it had been taken over", async () => {
    const { root, taking } = downloads((blob) => {
      chmodSync(blob, 0o644);
      truncateSync(blob, 5);
    });
    const result = await run(root, [taking]);
    expect(result.outcome).toBe("failed");
    expect(JSON.stringify(result.events)).toContain("blob-damaged");
    expect(everyBlob(root)).toEqual([]);
  });

  it("holds nothing half-written and nothing writable", async () => {
    const { root } = await built();
    expect(everyBlob(root).every((blob) => /\/[0-9a-f]{62}$/.test(blob))).toBe(true);
  });

  it("is collected down to its limit, without what the workspace holds now", async () => {
    const { root, third, runs } = await built();
    for (const text of ["one", "two", "three"]) {
      write(root, "in/text", text);
      await run(root, [third], { given, maxSize: 1 });
    }
    runs.length = 0;
    rmSync(path.join(root, "build"), { recursive: true });
    await expectRight(root, third, "THREE!");
    expect(runs).toEqual([]);
    write(root, "in/text", "one");
    await expectRight(root, third, "ONE!");
    expect(runs).toContain("first");
  });
});

describe("the store of a process that builds again and again", () => {
  it("stays near its limit", async () => {
    const { root, third } = await built();
    const size = (): number =>
      readdirSync(v1(root, "store"), { recursive: true, encoding: "utf8" })
        .map((name) => statSync(v1(root, `store/${name}`)))
        .reduce((sum, status) => sum + (status.isFile() ? status.size : 0), 0);
    const state = new State(root);
    const maxSize = size() + 400_000;
    for (let edit = 0; edit < 15; edit += 1) {
      write(root, "in/text", String(edit).padEnd(50_000, "x"));
      state.files.forgetAll();
      await run(root, [third], { given, maxSize, state });
      // What the workspace holds now is kept, whatever the limit: two texts of 50,000 bytes.
      expect(size()).toBeLessThan(maxSize + 200_000);
    }
  });
});
