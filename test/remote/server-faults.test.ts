/** What a slow, broken, full or lying server of a remote cache can do to a build. */
import { readdirSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { CacheServer } from "./cache-server.ts";
import { blobs, digestOf, key, log, outputs, signal, useRig } from "./rig.ts";

const rig = useRig();

/** What answered a request is of no interest. */
const done = (_answered: unknown): boolean => true;

describe("a server", () => {
  /** What it does, and the warning that follows. Each costs the build no more than 3 s, and fails nothing. */
  const faults: readonly (readonly [
    what: string,
    fault: CacheServer["fault"],
    warning: RegExp | undefined,
  ])[] = [
    ["that answers nothing", () => true, /does not answer: the build continues without it/],
    [
      "that sends a byte a second",
      (_, response) => {
        response.writeHead(200, { "content-length": 1000 });
        const timer = setInterval(() => response.write("x"), 1000);
        response.on("close", () => clearInterval(timer));
        return true;
      },
      /does not answer/,
    ],
    ["that hangs up", (request) => done(request.destroy()), /cannot be used \((ECONNRESET|UND_ERR_SOCKET)\)/],
    ["that is broken", (_, response) => done(response.writeHead(500).end()), /out of order \(status 500\)/],
    [
      "that sends elsewhere",
      (_, response) => done(response.writeHead(302, { location: "/x" }).end()),
      /status 302/,
    ],
    [
      "that denies access",
      (_, response) => done(response.writeHead(401).end()),
      /denies access \(status 401\)/,
    ],
    [
      "that has no contents any more",
      (_, response, name) => name.startsWith("cas/") && done(response.writeHead(404).end()),
      undefined,
    ],
    [
      "that has other bytes under a name",
      (_, response, name) => name.startsWith("cas/") && done(response.end("wrong")),
      undefined,
    ],
    ["that sends endless results", endless, undefined],
  ];

  function endless(_: unknown, response: import("node:http").ServerResponse): boolean {
    response.writeHead(200);
    const send = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(1024 * 1024)));
      if (!response.destroyed) response.once("drain", send);
    };
    send();
    return true;
  }

  it.each(faults)("%s costs a build little, and fails nothing", async (_what, fault, warning) => {
    await rig().store();
    rig().server.fault = fault;
    const { cache, warnings } = rig().open({ upload: true });
    const startedAt = performance.now();
    expect(await cache.find(key, signal)).toBeUndefined();
    // Results are looked up for several tasks at once, and for others later.
    await Promise.all(["a", "b", "c"].map((task) => cache.find({ ...key, task }, signal)));
    expect(performance.now() - startedAt).toBeLessThan(3000);
    if (warning === undefined) expect(warnings.length).toBeLessThan(2);
    else expect(warnings).toEqual([expect.stringMatching(warning)]);
  });

  it("that answers slowly costs a chain of tasks no more than one that never answers", async () => {
    rig().server.fault = (_, response) => {
      setTimeout(() => response.writeHead(404).end(), 1900);
      return true;
    };
    const { cache, warnings } = rig().open();
    const startedAt = performance.now();
    for (const task of ["a", "b", "c"]) expect(await cache.find({ ...key, task }, signal)).toBeUndefined();
    expect(performance.now() - startedAt).toBeLessThan(3000);
    expect(warnings).toHaveLength(1);
  });

  it("with wrong bytes for a content has them refused, and nothing of them stays", async () => {
    await rig().store();
    const [blob] = blobs;
    if (blob === undefined) throw new Error("no content");
    for (const bytes of ["wrong", "one filE\n", "one file\nand more"]) {
      rig().server.blobs.set(`cas/${blob.digest}`, Buffer.from(bytes));
      const { cache, warnings } = rig().open();
      const store = rig().newStore("cheated");
      expect(await cache.find(key, signal)).toBeDefined();
      expect(await cache.download({ blobs, store, priority: 0 }, signal)).toBe(false);
      expect(store.has(blob.digest)).toBe(false);
      expect(readdirSync(path.join(rig().root, "cheated/tmp"))).toEqual([]);
      expect(warnings).toEqual([expect.stringContaining("wrong bytes")]);
    }
  });

  it("that breaks a connection in the middle is asked once more, from the first byte", async () => {
    await rig().store();
    const [blob] = blobs;
    let broken = 0;
    rig().server.fault = (_, response, name) => {
      if (name !== `cas/${blob?.digest}` || broken++ > 0) return false;
      response.writeHead(200, { "content-length": 9 });
      response.write("one f", () => response.destroy());
      return true;
    };
    const { cache, warnings } = rig().open();
    const store = rig().newStore("again");
    await cache.find(key, signal);
    expect(await cache.download({ blobs, store, priority: 0 }, signal)).toBe(true);
    expect(store.readText(digestOf("one file\n"))).toBe("one file\n");
    expect({ warnings, broken }).toEqual({ warnings: [], broken: 2 });
  });

  it.each([413, 507])(
    "without room (status %i) is not written to any more, and still read",
    async (status) => {
      await rig().store();
      rig().server.fault = (request, response) =>
        request.method === "PUT" && done(response.writeHead(status).end());
      const { cache, warnings } = rig().open({ upload: true });
      for (const task of ["a", "b"])
        cache.offer({ ...key, task }, { outputs, seconds: 1 }, rig().fullStore());
      await cache.flush(10, signal);
      expect(warnings).toEqual([expect.stringMatching(/no room .*: results are no longer uploaded$/)]);
      expect(await cache.find(key, signal)).toBeDefined();
    },
  );

  it("that takes uploads slowly is waited for only as long as it is allowed to take", async () => {
    rig().server.fault = (request) => request.method === "PUT";
    const { cache } = rig().open({ upload: true });
    cache.offer(key, { outputs, seconds: 1 }, rig().fullStore());
    const startedAt = performance.now();
    expect(await cache.flush(0.3, signal)).toBe(1);
    await cache.close();
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });

  it("is not asked for again for a content that it had lost", async () => {
    await rig().store();
    const [blob] = blobs;
    rig().server.blobs.delete(`cas/${blob?.digest}`);
    const { cache } = rig().open();
    const store = rig().newStore("lost");
    for (let round = 0; round < 2; round += 1)
      expect(await cache.download({ blobs, store, priority: 0 }, signal)).toBe(false);
    expect(rig().server.requests.filter((one) => one === `GET cas/${blob?.digest}`)).toHaveLength(1);
  });

  it("that another machine writes to at the same time has one of both results", async () => {
    const caches = [rig().open({ upload: true }), rig().open({ upload: true })];
    for (const { cache } of caches) cache.offer(key, { outputs, log, seconds: 2 }, rig().fullStore());
    for (const { cache } of caches) expect(await cache.flush(10, signal)).toBe(0);
    expect(await rig().open().cache.find(key, signal)).toMatchObject({ outputs });
  });
});

it("ends with the build's signal", async () => {
  rig().server.fault = () => true;
  const { cache } = rig().open();
  const stop = new AbortController();
  const found = cache.find(key, stop.signal);
  stop.abort(new Error("interrupted"));
  await expect(found).rejects.toThrow("interrupted");
});
