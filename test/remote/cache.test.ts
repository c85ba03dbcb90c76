/** The client of remote caches: what it stores, what it believes, and what a bad server can do to a build. */
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type AbsolutePath,
  digestOfBytes,
  type Listing,
  listingOf,
  type ResultKey,
} from "../../src/engine/index.ts";
import { Store } from "../../src/engine/state/store.ts";
import { encodeAction } from "../../src/remote/action.ts";
import { decodeResult, encodeResult, parseResult, treesOf } from "../../src/remote/action-result.ts";
import { HttpCache } from "../../src/remote/http-cache.ts";
import { ActionResultSchema, DirectorySchema, TreeSchema } from "../../src/remote/reapi_pb.ts";
import { decodeTree } from "../../src/remote/tree.ts";
import { cases } from "../support/cases.ts";
import { type CacheServer, startCacheServer } from "./cache-server.ts";

const key: ResultKey = {
  task: "overlay",
  variant: "dev",
  parts: [
    ["format", "1"],
    ["task", "overlay"],
    ["tool sh", "a".repeat(64)],
    ["output tree", "directory build/tree"],
  ],
};
const signal = new AbortController().signal;
const digestOf = (text: string) => digestOfBytes(text);
const file = (text: string, executable = false) =>
  ({ type: "file", executable, digest: digestOf(text), size: Buffer.byteLength(text) }) as const;
const outputs: Listing = listingOf([
  ["text", file("one file\n")],
  ["tree", { type: "directory" }],
  ["tree/bin", { type: "directory" }],
  ["tree/bin/run", file("#!/bin/sh\n", true)],
  ["tree/bin-old", file("")],
  ["tree/empty", { type: "directory" }],
  ["tree/link", { type: "link", target: "bin/run" }],
  ["tree/ümlaut", file("one file\n")],
]);
const contents = ["one file\n", "#!/bin/sh\n", ""];
const log = { digest: digestOf("printed\n"), size: 8 };

let root: string;
let server: CacheServer;
const opened: HttpCache[] = [];
beforeEach(async () => {
  root = mkdtempSync(path.join(tmpdir(), "remote cache "));
  server = await startCacheServer();
});
afterEach(async () => {
  for (const cache of opened.splice(0)) await cache.close();
  await server.close();
  rmSync(root, { recursive: true, force: true });
});

function newStore(name: string): Store {
  return new Store(
    path.join(root, name, "store") as AbsolutePath,
    path.join(root, name, "tmp") as AbsolutePath,
  );
}

function fullStore(): Store {
  const store = newStore("full");
  for (const text of [...contents, "printed\n"]) store.putText(text);
  return store;
}

function open(options: { readonly upload?: boolean } = {}) {
  const warnings: string[] = [];
  const { origin, pathname } = new URL(server.url);
  const cache = new HttpCache(
    { origin, path: pathname, headers: { "x-test": "1" }, shown: server.url },
    { upload: options.upload ?? false, maker: "a machine", onWarning: (message) => warnings.push(message) },
  );
  opened.push(cache);
  return { cache, warnings };
}

/** Stores the result in the server, as a machine that may upload does. */
async function stored(): Promise<void> {
  const { cache, warnings } = open({ upload: true });
  cache.offer(key, { outputs, log, seconds: 1.5 }, fullStore());
  expect(await cache.flush(10, signal)).toBe(0);
  expect(warnings).toEqual([]);
}

const blobs = [...outputs.values(), { type: "file", ...log } as const].flatMap((entry) =>
  entry.type === "file" ? [{ digest: entry.digest, size: entry.size }] : [],
);

describe("a result", () => {
  it("comes back as it was stored, into another store", async () => {
    await stored();
    const { cache, warnings } = open();
    expect(await cache.find(key, signal)).toEqual({ outputs, log, seconds: 1.5, maker: "a machine" });
    const store = newStore("other");
    expect(await cache.download(blobs, store, signal)).toBe(true);
    for (const text of [...contents, "printed\n"]) expect(store.readText(digestOf(text))).toBe(text);
    expect(cache.traffic).toMatchObject({ hits: 1, misses: 0, stored: 0, sent: 0 });
    expect(await cache.find({ ...key, variant: "prod" }, signal)).toBeUndefined();
    expect(warnings).toEqual([]);
  });

  it("is stored last, after every content that it refers to, each by its sha256", async () => {
    await stored();
    const puts = server.requests.filter((one) => one.startsWith("PUT "));
    expect(puts.filter((one) => one.includes(" ac/"))).toEqual([puts.at(-1)]);
    for (const [name, bytes] of server.blobs)
      if (name.startsWith("cas/"))
        expect(name).toBe(`cas/${createHash("sha256").update(bytes).digest("hex")}`);
    const { action, blobs: described } = encodeAction(key);
    for (const { digest } of [...blobs, ...described, action])
      expect(server.blobs.has(`cas/${digest}`)).toBe(true);
    expect(server.blobs.has(`ac/${action.digest}`)).toBe(true);
  });

  it("is sent once: what the server has is not sent again", async () => {
    await stored();
    server.requests.length = 0;
    await stored();
    expect(server.requests.filter((one) => one.startsWith("PUT "))).toEqual([
      `PUT ac/${encodeAction(key).action.digest}`,
    ]);
  });

  it("is not stored where a local content is damaged, and nothing wrong is", async () => {
    const store = fullStore();
    const blob = store.pathOf(digestOf("#!/bin/sh\n"));
    rmSync(blob);
    writeFileSync(blob, "#!/bin/bsh");
    const { cache, warnings } = open({ upload: true });
    cache.offer(key, { outputs, seconds: 1 }, store);
    await cache.flush(10, signal);
    expect(warnings).toEqual([expect.stringContaining("is damaged")]);
    expect([...server.blobs.keys()].filter((name) => name.startsWith("ac/"))).toEqual([]);
    expect(server.blobs.has(`cas/${digestOf("#!/bin/sh\n")}`)).toBe(false);
  });

  it("is neither stored nor announced by a machine that only reads", async () => {
    const { cache } = open();
    cache.offer(key, { outputs, seconds: 1 }, fullStore());
    await cache.flush(1, signal);
    expect(server.requests).toEqual([]);
  });
});

describe("a listing", () => {
  const name = fc.stringMatching(/^[a-z.ü-]{1,3}$/).filter((text) => text !== "." && text !== "..");
  const entry = fc.oneof(
    fc.record({
      type: fc.constant("file" as const),
      executable: fc.boolean(),
      digest: fc.constant(digestOf("x")),
      size: fc.nat(),
    }),
    fc.record({ type: fc.constant("link" as const), target: name }),
    fc.constant({ type: "directory" as const }),
  );
  const listing = fc.array(fc.tuple(fc.array(name, { minLength: 1, maxLength: 4 }), entry), {
    maxLength: 20,
  });

  it("survives the form of the protocol, whatever is in it", () => {
    fc.assert(
      fc.property(listing, (drawn) => {
        const entries = new Map<string, Listing extends ReadonlyMap<string, infer E> ? E : never>([
          ["out", { type: "directory" }],
        ]);
        for (const [names, one] of drawn) {
          const parents = names.slice(0, -1).map((_, index) => `out/${names.slice(0, index + 1).join("/")}`);
          if (parents.some((parent) => (entries.get(parent)?.type ?? "directory") !== "directory")) continue;
          for (const parent of parents) entries.set(parent, { type: "directory" });
          const at = `out/${names.join("/")}`;
          if (!entries.has(at)) entries.set(at, one);
        }
        const wanted = listingOf([...entries]);
        const { result, trees } = encodeResult({ outputs: wanted, seconds: 0.25, maker: "m" });
        const message = parseResult(result.bytes);
        const references = message === undefined ? undefined : treesOf(message);
        if (message === undefined || references === undefined) throw new Error("not read back");
        const bytes = new Map(
          [...references].map(([slot], index) => [slot, trees[index]?.bytes ?? Buffer.of()]),
        );
        expect(decodeResult(message, bytes)).toEqual({ outputs: wanted, seconds: 0.25, maker: "m" });
      }),
      cases(200),
    );
  });

  it("that somebody else wrote is refused where it is not whole, or no such thing", async () => {
    const { result } = encodeResult({ outputs, seconds: 1, maker: "m" });
    const message = fromBinary(ActionResultSchema, result.bytes);
    const again = (change: (copy: typeof message) => void): Uint8Array => {
      const copy = fromBinary(ActionResultSchema, result.bytes);
      change(copy);
      return toBinary(ActionResultSchema, copy);
    };
    const broken: Readonly<Record<string, Uint8Array>> = {
      "no message": Buffer.from("<html>not found</html>"),
      "a command that failed": again((copy) => {
        copy.exitCode = 1;
      }),
      "an output named twice": again((copy) => {
        copy.outputFiles.push(...copy.outputFiles);
      }),
      "a digest that is none": again((copy) => {
        for (const one of copy.outputFiles)
          if (one.digest !== undefined) one.digest.hash = "../../etc/passwd";
      }),
      "no digest": again((copy) => {
        for (const one of copy.outputFiles) delete one.digest;
      }),
      "a size that no file has": again((copy) => {
        for (const one of copy.outputFiles) if (one.digest !== undefined) one.digest.sizeBytes = -1n;
      }),
      "a link beside the outputs": again((copy) => {
        copy.outputSymlinks.push({
          $typeName: "build.bazel.remote.execution.v2.OutputSymlink",
          path: "text",
          target: "/",
        });
      }),
    };
    await stored();
    const place = `ac/${encodeAction(key).action.digest}`;
    for (const [what, bytes] of Object.entries(broken)) {
      server.blobs.set(place, Buffer.from(bytes));
      const { cache } = open();
      expect(await cache.find(key, signal), what).toBeUndefined();
    }
  });

  it("that describes far more than it has bytes is given up", () => {
    let directory = create(DirectorySchema, {
      files: [{ name: "f", digest: { hash: digestOf(""), sizeBytes: 0n } }],
    });
    const children = [directory];
    for (let level = 0; level < 40; level += 1) {
      const bytes = toBinary(DirectorySchema, directory);
      const digest = { hash: digestOfBytes(bytes), sizeBytes: BigInt(bytes.length) };
      directory = create(DirectorySchema, { directories: ["a", "b"].map((one) => ({ name: one, digest })) });
      children.push(directory);
    }
    const bomb = toBinary(TreeSchema, create(TreeSchema, { root: directory, children }));
    expect(bomb.length).toBeLessThan(10_000);
    expect(decodeTree(bomb, 1000)).toBeUndefined();
  });
});

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
    await stored();
    server.fault = fault;
    const { cache, warnings } = open({ upload: true });
    const startedAt = performance.now();
    expect(await cache.find(key, signal)).toBeUndefined();
    // Results are looked up for several tasks at once, and for others later.
    await Promise.all(["a", "b", "c"].map((task) => cache.find({ ...key, task }, signal)));
    expect(performance.now() - startedAt).toBeLessThan(3000);
    if (warning === undefined) expect(warnings.length).toBeLessThan(2);
    else expect(warnings).toEqual([expect.stringMatching(warning)]);
  });

  it("with wrong bytes for a content has them refused, and nothing of them stays", async () => {
    await stored();
    const [blob] = blobs;
    if (blob === undefined) throw new Error("no content");
    for (const bytes of ["wrong", "one filE\n", "one file\nand more"]) {
      server.blobs.set(`cas/${blob.digest}`, Buffer.from(bytes));
      const { cache, warnings } = open();
      const store = newStore("cheated");
      expect(await cache.find(key, signal)).toBeDefined();
      expect(await cache.download(blobs, store, signal)).toBe(false);
      expect(store.has(blob.digest)).toBe(false);
      expect(readdirSync(path.join(root, "cheated/tmp"))).toEqual([]);
      expect(warnings).toEqual([expect.stringContaining("wrong bytes")]);
    }
  });

  it("that breaks a connection in the middle is asked once more, from the first byte", async () => {
    await stored();
    const [blob] = blobs;
    let broken = 0;
    server.fault = (_, response, name) => {
      if (name !== `cas/${blob?.digest}` || broken++ > 0) return false;
      response.writeHead(200, { "content-length": 9 });
      response.write("one f", () => response.destroy());
      return true;
    };
    const { cache, warnings } = open();
    const store = newStore("again");
    await cache.find(key, signal);
    expect(await cache.download(blobs, store, signal)).toBe(true);
    expect(store.readText(digestOf("one file\n"))).toBe("one file\n");
    expect({ warnings, broken }).toEqual({ warnings: [], broken: 2 });
  });

  it.each([413, 507])(
    "without room (status %i) is not written to any more, and still read",
    async (status) => {
      await stored();
      server.fault = (request, response) =>
        request.method === "PUT" && done(response.writeHead(status).end());
      const { cache, warnings } = open({ upload: true });
      for (const task of ["a", "b"]) cache.offer({ ...key, task }, { outputs, seconds: 1 }, fullStore());
      await cache.flush(10, signal);
      expect(warnings).toEqual([expect.stringMatching(/no room .*: results are no longer uploaded$/)]);
      expect(await cache.find(key, signal)).toBeDefined();
    },
  );

  it("that takes uploads slowly is waited for only as long as it is allowed to take", async () => {
    server.fault = (request) => request.method === "PUT";
    const { cache } = open({ upload: true });
    cache.offer(key, { outputs, seconds: 1 }, fullStore());
    const startedAt = performance.now();
    expect(await cache.flush(0.3, signal)).toBe(1);
    await cache.close();
    expect(performance.now() - startedAt).toBeLessThan(2000);
  });

  it("is not asked for again for a content that it had lost", async () => {
    await stored();
    const [blob] = blobs;
    server.blobs.delete(`cas/${blob?.digest}`);
    const { cache } = open();
    const store = newStore("lost");
    for (let round = 0; round < 2; round += 1) expect(await cache.download(blobs, store, signal)).toBe(false);
    expect(server.requests.filter((one) => one === `GET cas/${blob?.digest}`)).toHaveLength(1);
  });

  it("that another machine writes to at the same time has one of both results", async () => {
    const caches = [open({ upload: true }), open({ upload: true })];
    for (const { cache } of caches) cache.offer(key, { outputs, log, seconds: 2 }, fullStore());
    for (const { cache } of caches) expect(await cache.flush(10, signal)).toBe(0);
    expect(await open().cache.find(key, signal)).toMatchObject({ outputs });
  });
});

it("ends with the build's signal", async () => {
  server.fault = () => true;
  const { cache } = open();
  const stop = new AbortController();
  const found = cache.find(key, stop.signal);
  stop.abort(new Error("interrupted"));
  await expect(found).rejects.toThrow("interrupted");
});

it("names no path, user or time of this machine in an action", () => {
  const { action, blobs: described } = encodeAction(key);
  const text = Buffer.concat([action, ...described].map(({ bytes }) => bytes)).toString("latin1");
  expect(text).not.toMatch(/\/(home|root|tmp|work)\b/);
  expect(readFileSync(path.resolve(import.meta.dirname, "../../src/remote/action.ts"), "utf8")).not.toMatch(
    /process\.|Date|node:os/,
  );
});
