/** Results in a remote cache: what is stored, in which order, and what comes back. */
import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { encodeAction } from "../../src/remote/action.ts";
import { blobs, contents, digestOf, key, log, outputs, signal, useRig } from "./rig.ts";

const rig = useRig();

describe("a result", () => {
  it("comes back as it was stored, into another store", async () => {
    await rig().store();
    const { cache, warnings } = rig().open();
    expect(await cache.find(key, signal)).toEqual({ outputs, log, seconds: 1.5, maker: "a machine" });
    const store = rig().newStore("other");
    expect(await cache.download({ blobs, store, priority: 0 }, signal)).toBe(true);
    for (const text of [...contents, "printed\n"]) expect(store.readText(digestOf(text))).toBe(text);
    // Whether a result that was found is of use, its user says.
    expect(cache.traffic).toMatchObject({ hits: 0, misses: 0, stored: 0, sent: 0 });
    cache.tally(true);
    expect(cache.traffic).toMatchObject({ hits: 1, misses: 0 });
    expect(await cache.find({ ...key, variant: "prod" }, signal)).toBeUndefined();
    expect(warnings).toEqual([]);
  });

  it("is stored last, after every content that it refers to, each by its sha256", async () => {
    await rig().store();
    const puts = rig().server.requests.filter((one) => one.startsWith("PUT "));
    expect(puts.filter((one) => one.includes(" ac/"))).toEqual([puts.at(-1)]);
    for (const [name, bytes] of rig().server.blobs)
      if (name.startsWith("cas/"))
        expect(name).toBe(`cas/${createHash("sha256").update(bytes).digest("hex")}`);
    const { action, blobs: described } = encodeAction(key);
    for (const { digest } of [...blobs, ...described, action])
      expect(rig().server.blobs.has(`cas/${digest}`)).toBe(true);
    expect(rig().server.blobs.has(`ac/${action.digest}`)).toBe(true);
  });

  it("is sent once: what the server has is not sent again", async () => {
    await rig().store();
    rig().server.requests.length = 0;
    await rig().store();
    expect(rig().server.requests.filter((one) => one.startsWith("PUT "))).toEqual([
      `PUT ac/${encodeAction(key).action.digest}`,
    ]);
  });

  it("is not stored where a local content is damaged, and nothing wrong is", async () => {
    const store = rig().fullStore();
    const blob = store.pathOf(digestOf("#!/bin/sh\n"));
    rmSync(blob);
    writeFileSync(blob, "#!/bin/bsh");
    const { cache, warnings } = rig().open({ upload: true });
    cache.offer(key, { outputs, seconds: 1 }, store);
    await cache.flush(10, signal);
    expect(warnings).toEqual([expect.stringContaining("is damaged")]);
    expect([...rig().server.blobs.keys()].filter((name) => name.startsWith("ac/"))).toEqual([]);
    expect(rig().server.blobs.has(`cas/${digestOf("#!/bin/sh\n")}`)).toBe(false);
  });

  it("is waited for with word of how many are left", async () => {
    const { cache } = rig().open({ upload: true });
    for (const task of ["a", "b", "c"])
      cache.offer({ ...key, task }, { outputs, seconds: 1 }, rig().fullStore());
    const left: number[] = [];
    expect(await cache.flush(10, signal, (pending) => left.push(pending))).toBe(0);
    expect(left[0]).toBe(3);
    expect(left).toEqual([...left].sort().reverse());
    expect(left.at(-1)).toBe(1);
  });

  it("is neither stored nor announced by a machine that only reads", async () => {
    const { cache } = rig().open();
    cache.offer(key, { outputs, seconds: 1 }, rig().fullStore());
    await cache.flush(1, signal);
    expect(rig().server.requests).toEqual([]);
  });
});

it("names no path, user or time of this machine in an action", () => {
  const { action, blobs: described } = encodeAction(key);
  const text = Buffer.concat([action, ...described].map(({ bytes }) => bytes)).toString("latin1");
  expect(text).not.toMatch(/\/(home|root|tmp|work)\b/);
  expect(readFileSync(path.resolve(import.meta.dirname, "../../src/remote/action.ts"), "utf8")).not.toMatch(
    /process\.|Date|node:os/,
  );
});
