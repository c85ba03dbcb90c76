import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { UserError } from "../../src/errors/index.ts";
import {
  type Artifact,
  type BlobStore,
  coreIsoArtifact,
  defineMirror,
  describeChanges,
  type FetchContext,
  fetchArtifacts,
  type LockEntry,
  type LockLine,
  unpin,
  updateArtifacts,
} from "../../src/fetch/index.ts";
import { openDirectoryStore } from "./directory-store.ts";
import { content, cutOff, endless, type Fault, raw, stall, status } from "./hostile-server.ts";
import { directory, md5, sha256, stock, tcz } from "./tiny-mirror.ts";
import { openWorkshop, rejection, type Workshop } from "./workshop.ts";

let shop: Workshop;
let store: BlobStore;
let lock: Map<string, LockLine>;
beforeEach(async () => {
  shop = await openWorkshop();
  await stock(shop, { a: [], b: [], c: [] });
  store = openDirectoryStore(path.join(shop.dir, "store"));
  lock = new Map();
});
afterEach(() => shop.close());

function artifact(name: string, more: Partial<Artifact> = {}): Artifact {
  const file = `${name}.tcz`;
  return {
    name: file,
    url: `${shop.server.url}/${directory}/${file}`,
    kind: "squashfs",
    tail: `${directory}/${file}`,
    md5: md5(tcz(name)),
    md5Url: `${shop.server.url}/${directory}/${file}.md5.txt`,
    where: "lists/b.lst:1",
    ...more,
  };
}
const abc = () => [artifact("a"), artifact("b"), artifact("c")];

function context(more: Partial<FetchContext> = {}): FetchContext {
  return {
    lock,
    store,
    staging: shop.out,
    transport: shop.transport({ offline: more.policy === "offline" }),
    policy: "pin",
    onPin: (name, line) => lock.set(name, line),
    ...more,
  };
}

/** Files in the store, however deep. */
async function stored(): Promise<readonly string[]> {
  const all = await readdir(path.join(shop.dir, "store"), { recursive: true }).catch(() => []);
  return all
    .filter((name) => name.length > 60)
    .map((name) => name.replace("/", ""))
    .sort();
}

describe("fetching", () => {
  it("pins what is not locked, and the second time opens no connection", async () => {
    const { lines, pinned } = await fetchArtifacts(abc(), context());
    expect([...lines.keys()]).toEqual(["a.tcz", "b.tcz", "c.tcz"]);
    expect(pinned.size).toBe(3);
    const line = lines.get("a.tcz") as LockEntry;
    expect(line).toMatchObject({ size: tcz("a").length, sha256: sha256(tcz("a")), md5: md5(tcz("a")) });
    expect((await readFile(store.pathOf(line.sha256))).equals(tcz("a"))).toBe(true);
    expect(await shop.outputs()).toEqual([]);

    const before = [shop.server.connections(), shop.server.log.length];
    for (const policy of ["pin", "frozen", "offline"] as const) {
      const again = await fetchArtifacts(abc(), context({ policy }));
      expect(again.pinned.size).toBe(0);
      expect(again.lines).toEqual(lines);
    }
    expect([shop.server.connections(), shop.server.log.length]).toEqual(before);
  });

  it("says before the first download how much there is to come, as far as that is known", async () => {
    const { events } = shop;
    const plan = [artifact("a", { size: tcz("a").length }), artifact("b")];
    await fetchArtifacts(plan, context());
    const planned = { type: "download-planned", name: "a.tcz", total: tcz("a").length };
    expect(events[0]).toEqual(planned);
    expect(events.filter(({ type }) => type === "download-planned")).toHaveLength(1);
    // Nothing of it comes any more when all is there.
    events.length = 0;
    await fetchArtifacts(plan, context());
    expect(events).toEqual([]);
    // What is pinned has its size in the lock.
    await rm(path.join(shop.dir, "store"), { recursive: true });
    await fetchArtifacts([artifact("a"), artifact("b")], context());
    expect(events.slice(0, 2).map(({ type }) => type)).toEqual(["download-planned", "download-planned"]);
  });

  it("brings what is locked but not in the store, also when frozen, and keeps the lock", async () => {
    await fetchArtifacts(abc(), context());
    await rm(path.join(shop.dir, "store"), { recursive: true });
    const { pinned } = await fetchArtifacts(abc(), context({ policy: "frozen" }));
    expect(pinned.size).toBe(0);
    expect((await stored()).length).toBe(3);
  });

  it("frozen refuses all that is not locked, before anything is downloaded", async () => {
    await fetchArtifacts([artifact("a")], context());
    shop.server.log.length = 0;
    const error = await rejection(fetchArtifacts(abc(), context({ policy: "frozen" })));
    expect(error.code).toBe("frozen");
    expect(error.message).toMatch(/b\.tcz[\s\S]*c\.tcz/);
    expect(error.message).not.toContain("a.tcz");
    expect(shop.server.log).toEqual([]);
  });

  it("offline lists everything that is missing, at once, and opens no socket", async () => {
    await fetchArtifacts(abc(), context());
    await rm(store.pathOf(sha256(tcz("b"))));
    const opened = shop.server.connections();
    const plan = [...abc(), artifact("d")];
    const error = await rejection(fetchArtifacts(plan, context({ policy: "offline" })));
    expect(error.code).toBe("offline");
    expect(error.message).toMatch(/b\.tcz[\s\S]*d\.tcz|d\.tcz[\s\S]*b\.tcz/);
    expect(error.message).not.toContain("a.tcz");
    expect(shop.server.connections()).toBe(opened);
  });

  it("takes a directory for a source, offline too", async () => {
    const url = path.join(shop.root, directory, "a.tcz");
    await fetchArtifacts([artifact("a", { url })], context({ policy: "offline" }));
    expect(await stored()).toEqual([sha256(tcz("a"))]);
  });

  it("remembers that an optional file does not exist", async () => {
    const info = artifact("none", { kind: "text", optional: true });
    const { lines } = await fetchArtifacts([info], context());
    expect(lines.get("none.tcz")).toMatchObject({ absent: true });
    shop.server.log.length = 0;
    await fetchArtifacts([info], context({ policy: "frozen" }));
    expect(shop.server.log).toEqual([]);
  });

  it("does not take a pin of another release for this one's", async () => {
    await fetchArtifacts([artifact("a")], context());
    const other = artifact("a", { tail: "5.x/x86/tcz/a.tcz" });
    expect((await rejection(fetchArtifacts([other], context({ policy: "frozen" })))).code).toBe("frozen");
    const mirror = artifact("a", { url: `http://127.0.0.1:1/mirror/${directory}/a.tcz` });
    expect((await fetchArtifacts([mirror], context())).pinned.size).toBe(0);
  });

  it("never writes credentials into a line", async () => {
    const url = artifact("a").url.replace("http://", "http://me:s3cret@");
    const { lines } = await fetchArtifacts([artifact("a", { url })], context());
    expect(JSON.stringify([...lines])).not.toContain("s3cret");
  });

  it("checks the ISO against the md5 beside it", async () => {
    const mirror = defineMirror(shop.server.url, "4.x", "x86");
    const iso = Buffer.alloc(40_000);
    iso.write("CD001", 0x8001);
    await shop.put("4.x/x86/release/Core-current.iso", iso);
    await shop.put("4.x/x86/release/Core-current.iso.md5.txt", `${md5(iso)}  Core-current.iso\n`);
    await fetchArtifacts([coreIsoArtifact(mirror)], context());
    expect(await stored()).toEqual([sha256(iso)]);
    lock.clear();
    await shop.put("4.x/x86/release/Core-current.iso.md5.txt", `${"0".repeat(32)}  Core-current.iso\n`);
    const error = await rejection(fetchArtifacts([coreIsoArtifact(mirror)], context()));
    expect(error.code).toBe("md5-mismatch");
    expect(lock.size).toBe(0);
  });
});

describe("bytes that are not what they should be", () => {
  it("by upstream's md5 are refused, with both digests, and nothing is kept", async () => {
    shop.server.always(`/${directory}/a.tcz`, content(tcz("evil")));
    const error = await rejection(fetchArtifacts([artifact("a")], context()));
    expect(error.code).toBe("md5-mismatch");
    expect(error.message).toContain(md5(tcz("a")));
    expect(error.message).toContain(md5(tcz("evil")));
    expect(await stored()).toEqual([]);
    expect(await shop.outputs()).toEqual([]);
  });

  it("by the gem index's sha256 are refused", async () => {
    const gem = artifact("a", { sha256: "0".repeat(64) });
    expect((await rejection(fetchArtifacts([gem], context()))).code).toBe("sha256-mismatch");
  });

  it("by the lock are refused: tampered with, when upstream's md5 disagrees too", async () => {
    await fetchArtifacts([artifact("a")], context());
    await rm(path.join(shop.dir, "store"), { recursive: true });
    shop.server.always(`/${directory}/a.tcz`, content(tcz("evil")));
    const error = await rejection(fetchArtifacts([artifact("a")], context()));
    expect(error.code).toBe("lock-mismatch");
    expect(error.message).toContain(sha256(tcz("a")));
    expect(error.message).toContain(sha256(tcz("evil")));
    expect(error.message).toContain("does not match the received file");
    expect(await stored()).toEqual([]);
  });

  it("by the lock are refused: moved, when upstream's md5 agrees", async () => {
    await fetchArtifacts([artifact("a")], context());
    await rm(path.join(shop.dir, "store"), { recursive: true });
    await stock(shop, { a: [] }, { salt: "new" });
    const error = await rejection(fetchArtifacts([artifact("a")], context({ policy: "frozen" })));
    expect(error.code).toBe("lock-mismatch");
    expect(error.message).toContain("matches the received file");
    expect(error.hint).toBe("if the change is expected, pin the artifact again");
    expect((lock.get("a.tcz") as LockEntry).sha256).toBe(sha256(tcz("a")));
  });
});

describe("after the mirror recovers", () => {
  it.each<readonly [string, string, Fault]>([
    ["answers with an error", "server-error", status(500)],
    ["says there is no such file", "not-found", status(404)],
    ["asks to come back later, for ever", "rate-limited", status(429, { "retry-after": "1" })],
    ["cuts every body off", "cut-off", cutOff(tcz("b"), 100)],
    ["stalls in mid-body", "cut-off", stall("hsqs")],
    [
      "announces fewer bytes than it sends",
      "body-too-long",
      raw("HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nhsqsmore"),
    ],
    ["sends without end", "too-large", endless],
    ["shows a log-in page", "captive-portal", content("<html>log in</html>")],
    ["sends other bytes", "md5-mismatch", content(tcz("evil"))],
    ["a redirect cycle", "too-many-redirects", status(302, { location: `/${directory}/b.tcz` })],
    ["redirects to a file", "redirect-refused", status(302, { location: "file:///etc/passwd" })],
  ])("from the time when it %s, only what is missing is downloaded", async (_label, code, fault) => {
    shop.server.always(`/${directory}/b.tcz`, async (request, response, next) => {
      // The other two are complete before this one fails.
      while (lock.size < 2) await new Promise(setImmediate);
      await fault(request, response, next);
    });
    const transport = shop.transport({ limits: { maxBytes: 1024 ** 2, idleMs: 150 } });
    const error = await rejection(fetchArtifacts(abc(), context({ transport })));
    expect(error).toBeInstanceOf(UserError);
    expect(error.code).toBe(code);
    expect(`${error.message} ${error.where}`).toContain("b.tcz");
    expect([...lock.keys()].sort()).toEqual(["a.tcz", "c.tcz"]);
    expect((await stored()).length).toBe(2);
    expect(await shop.outputs()).toEqual([]);

    shop.server.recover();
    shop.server.log.length = 0;
    await fetchArtifacts(abc(), context());
    expect(shop.server.log).toEqual([`GET /${directory}/b.tcz`]);
    expect((await stored()).length).toBe(3);
  });

  it("the error is that of the download that failed, not of those it took along", async () => {
    shop.server.always(`/${directory}/a.tcz`, () => undefined);
    shop.server.always(`/${directory}/b.tcz`, status(404));
    const error = await rejection(fetchArtifacts(abc(), context()));
    expect(error.code).toBe("not-found");
    expect(error.where).toBe("lists/b.lst:1");
    expect(await shop.outputs()).toEqual([]);
  });
});

describe("an update", () => {
  const update = (names: readonly string[] = [], plan = abc(), options = {}) =>
    updateArtifacts(plan, names, context(), options);

  it("asks with validators, and downloads nothing that has not changed", async () => {
    await fetchArtifacts(abc(), context());
    shop.events.length = 0;
    const { lines, changes } = await update();
    expect(changes.map((change) => change.kind)).toEqual(["unchanged", "unchanged", "unchanged"]);
    expect(Object.fromEntries(lines)).toEqual(Object.fromEntries(lock));
    const done = shop.events.filter((event) => event.type === "download-done");
    expect(done.map((event) => event.status)).toEqual(["unchanged", "unchanged", "unchanged"]);
    expect(describeChanges(changes)).toEqual(["3 unchanged"]);
  });

  it("pins what has changed and says so", async () => {
    await fetchArtifacts(abc(), context());
    await writeFile(path.join(shop.root, directory, "b.tcz"), tcz("longer name"));
    const plan = [artifact("a"), artifact("b", { md5: md5(tcz("longer name")) }), artifact("c")];
    const { lines, changes } = await update([], plan);
    expect((lines.get("b.tcz") as LockEntry).sha256).toBe(sha256(tcz("longer name")));
    const digests = `${sha256(tcz("b")).slice(0, 12)}… → ${sha256(tcz("longer name")).slice(0, 12)}…`;
    expect(describeChanges(changes)).toEqual([
      `b.tcz: sha256 ${digests}, 2,004 bytes (lists/b.lst:1)`,
      "2 unchanged",
    ]);
    expect(await store.has(sha256(tcz("longer name")))).toBe(true);
  });

  it("of some names leaves the others alone", async () => {
    await fetchArtifacts(abc(), context());
    shop.server.log.length = 0;
    const { lines } = await update(["b"]);
    expect([...lines.keys()]).toEqual(["b.tcz"]);
    expect(shop.server.log).toEqual([`GET /${directory}/b.tcz`]);
    expect([...unpin(lock, ["b.tcz"]).keys()].sort()).toEqual(["a.tcz", "c.tcz"]);
    expect(await rejection(update(["bb"]))).toMatchObject({ code: "unknown-artifact" });
  });

  it("does not believe validators when the index has another md5", async () => {
    await fetchArtifacts([artifact("a")], context());
    const error = await rejection(update([], [artifact("a", { md5: md5(tcz("other")) })]));
    expect(error.code).toBe("md5-mismatch");
  });

  it("drops what is no longer wanted when the plan is complete, and pairs versions of a gem", async () => {
    const entry: LockEntry = { url: "x", size: 5, sha256: "0".repeat(64), version: "1.0", deps: [] };
    lock.set("json-1.0.gem", entry).set("old.tcz", entry);
    const bytes = Buffer.alloc(1024);
    bytes.write("ustar", 257);
    await shop.put("gems/json-1.1.gem", bytes);
    const gem: Artifact = {
      name: "json-1.1.gem",
      url: `${shop.server.url}/gems/json-1.1.gem`,
      kind: "gem",
      version: "1.1",
      where: "gem.list:1",
    };
    const { lines, changes } = await update([], [gem], { complete: true });
    expect(lines.get("json-1.0.gem")).toBeUndefined();
    expect(lines.has("json-1.0.gem") && lines.has("old.tcz")).toBe(true);
    expect(describeChanges(changes)).toEqual([
      "json: 1.0 → 1.1, 5 bytes → 1,024 bytes (gem.list:1)",
      "old.tcz: no longer used",
    ]);
  });
});
