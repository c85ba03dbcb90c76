/** Pinned sources from a cache that machines share: where the mirror does not deliver, or must not be asked. */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import {
  type Artifact,
  type BlobStore,
  blockedArtifacts,
  type FetchContext,
  fetchArtifacts,
  type LockLine,
} from "../../src/fetch/index.ts";
import { openDirectoryStore } from "./directory-store.ts";
import { status } from "./hostile-server.ts";
import { directory, md5, sha256, stock, tcz } from "./tiny-mirror.ts";
import { openWorkshop, rejection, type Workshop } from "./workshop.ts";

let shop: Workshop;
/** What machines share, by sha256, and what was asked of it and offered to it. */
let shared: Map<string, Buffer>;
let asked: string[];
let offered: string[];
const lock = new Map<string, LockLine>();

beforeEach(async () => {
  shop = await openWorkshop();
  await stock(shop, { a: [], b: [], c: [] });
  shared = new Map();
  asked = [];
  offered = [];
  lock.clear();
  await fetchArtifacts(plan(), context("first"));
  shop.server.log.length = 0;
  asked = [];
});
afterEach(() => shop.close());

const plan = (): readonly Artifact[] =>
  ["a", "b", "c"].map((name) => ({
    name: `${name}.tcz`,
    url: `${shop.server.url}/${directory}/${name}.tcz`,
    kind: "squashfs",
    tail: `${directory}/${name}.tcz`,
    md5: md5(tcz(name)),
  }));

function storeOf(machine: string): BlobStore {
  const store = openDirectoryStore(path.join(shop.dir, machine));
  return {
    ...store,
    retrieve: async (digest, size) => {
      asked.push(digest);
      const bytes = shared.get(digest);
      if (bytes?.length !== size) return false;
      const arrived = path.join(shop.dir, `${machine}-${digest}`);
      await writeFile(arrived, bytes);
      await store.adopt(arrived, digest);
      return true;
    },
    offer: (digest) => offered.push(digest),
  };
}

function context(machine: string, more: Partial<FetchContext> = {}): FetchContext {
  return {
    lock,
    store: storeOf(machine),
    staging: shop.out,
    transport: shop.transport({ offline: more.policy === "offline" }),
    policy: "pin",
    onPin: (name, line) => lock.set(name, line),
    ...more,
  };
}
const share = (...names: readonly string[]): void => {
  for (const name of names) shared.set(sha256(tcz(name)), tcz(name));
};
const digests = (...names: readonly string[]) => names.map((name) => sha256(tcz(name))).sort();

it("offers what was downloaded, and asks for nothing that the mirror has", async () => {
  expect([...offered].sort()).toEqual(digests("a", "b", "c"));
  share("a", "b", "c");
  await fetchArtifacts(plan(), context("second"));
  expect(asked).toEqual([]);
});

it("takes what is pinned from the cache when the mirror does not deliver", async () => {
  share("a", "b", "c");
  for (const name of ["a", "b", "c"]) shop.server.always(`/${directory}/${name}.tcz`, status(503));
  const { lines } = await fetchArtifacts(plan(), context("second"));
  expect([...lines.keys()]).toEqual(["a.tcz", "b.tcz", "c.tcz"]);
  // The mirror is not asked again before the cache is.
  expect(shop.waits).toEqual([]);
  for (const name of ["a", "b", "c"]) expect(await storeOf("second").has(sha256(tcz(name)))).toBe(true);
});

it("fails as it did where the cache has nothing either", async () => {
  share("a", "b");
  shop.server.always(`/${directory}/c.tcz`, status(503));
  expect((await rejection(fetchArtifacts(plan(), context("second")))).message).toContain("c.tcz");
});

it("takes it from the cache offline, opens no connection, and names only what is missing", async () => {
  share("a", "b");
  const offline = context("second", { policy: "offline" });
  expect((await blockedArtifacts(plan(), offline)).map(({ name }) => name)).toEqual(["c.tcz"]);
  const error = await rejection(fetchArtifacts(plan(), context("third", { policy: "offline" })));
  expect(error.message).toContain("c.tcz");
  expect(error.message).not.toContain("a.tcz");
  share("c");
  const { lines } = await fetchArtifacts(plan(), context("fourth", { policy: "offline" }));
  expect(lines.size).toBe(3);
  expect(shop.server.log).toEqual([]);
});

it("does not hide that the mirror has other bytes than the pinned ones", async () => {
  share("a", "b", "c");
  await shop.put(`${directory}/a.tcz`, Buffer.concat([tcz("a"), Buffer.from("changed")]));
  expect((await rejection(fetchArtifacts(plan(), context("second")))).code).toBe("lock-mismatch");
});
