/** What the tests of the remote cache share: a result, a server, stores, and caches that are closed after each test. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect } from "vitest";
import {
  type AbsolutePath,
  digestOfBytes,
  type Listing,
  listingOf,
  type ResultKey,
} from "../../src/engine/index.ts";
import { Store } from "../../src/engine/state/store.ts";
import { HttpCache } from "../../src/remote/http-cache.ts";
import { type CacheServer, startCacheServer } from "./cache-server.ts";

export const key: ResultKey = {
  task: "overlay",
  variant: "dev",
  parts: [
    ["format", "1"],
    ["task", "overlay"],
    ["tool sh", "a".repeat(64)],
    ["output tree", "directory build/tree"],
  ],
};
export const signal = new AbortController().signal;
export const digestOf = (text: string) => digestOfBytes(text);
const file = (text: string, executable = false) =>
  ({ type: "file", executable, digest: digestOf(text), size: Buffer.byteLength(text) }) as const;
export const outputs: Listing = listingOf([
  ["text", file("one file\n")],
  ["tree", { type: "directory" }],
  ["tree/bin", { type: "directory" }],
  ["tree/bin/run", file("#!/bin/sh\n", true)],
  ["tree/bin-old", file("")],
  ["tree/empty", { type: "directory" }],
  ["tree/link", { type: "link", target: "bin/run" }],
  ["tree/ümlaut", file("one file\n")],
]);
export const contents = ["one file\n", "#!/bin/sh\n", ""];
export const log = { digest: digestOf("printed\n"), size: 8 };
/** All contents of the result, as often as it refers to them. */
export const blobs = [...outputs.values(), { type: "file", ...log } as const].flatMap((entry) =>
  entry.type === "file" ? [{ digest: entry.digest, size: entry.size }] : [],
);

export class Rig {
  /** Absolute path of a directory of the test's own. */
  readonly root = mkdtempSync(path.join(tmpdir(), "remote cache "));
  readonly server: CacheServer;
  readonly #opened: HttpCache[] = [];

  constructor(server: CacheServer) {
    this.server = server;
  }

  newStore(name: string): Store {
    const at = (part: string) => path.join(this.root, name, part) as AbsolutePath;
    return new Store(at("store"), at("tmp"));
  }

  /** A store with all contents of the result. */
  fullStore(): Store {
    const store = this.newStore("full");
    for (const text of [...contents, "printed\n"]) store.putText(text);
    return store;
  }

  open({ upload = false } = {}) {
    const warnings: string[] = [];
    const { origin, pathname } = new URL(this.server.url);
    const cache = new HttpCache(
      { origin, path: pathname, headers: { "x-test": "1" }, shown: this.server.url },
      { upload, maker: "a machine", onWarning: (message) => warnings.push(message) },
    );
    this.#opened.push(cache);
    return { cache, warnings };
  }

  /** Stores the result in the server, as a machine that may upload does. */
  async store(): Promise<void> {
    const { cache, warnings } = this.open({ upload: true });
    cache.offer(key, { outputs, log, seconds: 1.5 }, this.fullStore());
    expect(await cache.flush(10, signal)).toBe(0);
    expect(warnings).toEqual([]);
  }

  async close(): Promise<void> {
    for (const cache of this.#opened) await cache.close();
    await this.server.close();
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** A rig for each test; the function returns that of the running one. */
export function useRig(): () => Rig {
  let rig: Rig;
  beforeEach(async () => {
    rig = new Rig(await startCacheServer());
  });
  afterEach(() => rig.close());
  return () => rig;
}
