/** A store with impossible chunk lists or symlinks for directories leads nowhere. */
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { collectGarbage, State, verifyStore } from "../../src/engine/index.ts";
import { blob, sha256 } from "./forgery.ts";
import { built, expectRight, v1 } from "./state-rig.ts";
import { clean, workspace, write } from "./workshop.ts";

describe("the lists of parts in the store", () => {
  const parts = (root: string, digest: string, list: readonly string[]): void => {
    mkdirSync(v1(root, "store", digest.slice(0, 2)), { recursive: true });
    writeFileSync(
      v1(root, "store", digest.slice(0, 2), `${digest.slice(2)}.parts`),
      list.map((one) => `${one}\n`).join(""),
    );
  };

  it("that contain one another count as no content, and do not keep a check from ending", async () => {
    const { root, third, runs } = await built();
    const [a, b] = [sha256("a"), sha256("b")];
    parts(root, a, [b]);
    parts(root, b, [a]);
    const state = new State(root);
    expect(state.store.has(a as never)).toBe(false);
    expect([...(await verifyStore(state))].sort()).toEqual([a, b].sort());
    await expectRight(root, third);
    expect(runs).toEqual([]);
  });

  it("that mean more than any disk holds are no content", async () => {
    const { root } = await built();
    const names = Array.from({ length: 7 }, (_, index) => sha256(`level ${index}`));
    const bottom = blob(root, "x");
    for (const [index, name] of names.entries())
      parts(
        root,
        name,
        Array.from({ length: 1000 }, () => names[index + 1] ?? bottom),
      );
    expect(new State(root).store.has(names[0] as never)).toBe(false);
  });
});

describe("links in the cache", () => {
  it("to directories of the user's have nothing there removed or written, by any command", async () => {
    for (const name of ["tmp", "store", "store/ab", "out", "out/dev"]) {
      const { root, third } = await built();
      const outside = workspace({ precious: "1", "deep/precious": "2" });
      rmSync(v1(root, name), { recursive: true, force: true });
      symlinkSync(outside, v1(root, name));
      const state = new State(root);
      await verifyStore(state);
      await collectGarbage(state, 0);
      write(root, "in/text", "other");
      await expectRight(root, third, "OTHER!");
      await clean(root, third, { all: true });
      expect(readdirSync(outside, { recursive: true }).sort(), name).toEqual([
        "deep",
        "deep/precious",
        "precious",
      ]);
    }
  });

  it("in place of all of it lead nowhere either", async () => {
    const { root, third } = await built();
    const outside = workspace({ "tmp/precious": "1" });
    rmSync(v1(root), { recursive: true });
    symlinkSync(outside, v1(root));
    await expectRight(root, third);
    expect(readdirSync(outside)).toEqual(["tmp"]);
    expect(readdirSync(path.join(outside, "tmp"))).toEqual(["precious"]);
  });
});
