/** Mirrors whose files disagree, are repaired between two builds, or name too much. */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type Artifact,
  describeChanges,
  extensionArtifacts,
  fetchArtifacts,
  type GraphInput,
  type LockEntry,
  type LockLine,
  loadExtensions,
  type Mirror,
  openCatalogue,
  orderExtensions,
  parseExtensionList,
  updateArtifacts,
} from "../../src/fetch/index.ts";
import { openDirectoryStore } from "./directory-store.ts";
import { directory, md5, sha256, stock, tcz } from "./tiny-mirror.ts";
import { openWorkshop, rejection, type Workshop } from "./workshop.ts";

let shop: Workshop;
let lock: Map<string, LockLine>;
let trusted: string[];
beforeEach(async () => {
  shop = await openWorkshop();
  lock = new Map();
  trusted = [];
});
afterEach(() => shop.close());

const context = () => ({
  lock,
  store: openDirectoryStore(path.join(shop.dir, "store")),
  staging: shop.out,
  transport: shop.transport(),
  policy: "pin" as const,
  onPin: (name: string, line: LockLine) => lock.set(name, line),
  onTrust: (name: string, digest: string) => trusted.push(`${name} ${digest}`),
});

function load(mirror: Mirror, list: string, more: Partial<GraphInput> = {}) {
  return loadExtensions({
    builtin: parseExtensionList(list, "lists/b.lst").entries,
    mirrored: [],
    kernel: "3.0.21-tinycore",
    mirror,
    lock,
    catalogue: openCatalogue(mirror, shop.transport()),
    policy: "pin",
    ...more,
  });
}

/** Resolves and fetches what a list asks for, as a build does. */
async function build(mirror: Mirror, list: string, more: Partial<GraphInput> = {}) {
  const closure = orderExtensions(await load(mirror, list, more));
  return await fetchArtifacts(extensionArtifacts(mirror, closure.builtin), context());
}

const warnings = () => shop.events.flatMap((event) => (event.type === "warning" ? [event.message] : []));

describe("an md5.db.gz that is older than the extensions", () => {
  const stale = () =>
    shop.put(`${directory}/md5.db.gz`, gzipSync(`${"0".repeat(32)}  a.tcz\n${md5(tcz("b"))}  b.tcz\n`));

  it("is named in a note, and the extension's own md5.txt decides", async () => {
    const mirror = await stock(shop, { a: [], b: [] });
    await stale();
    await build(mirror, "a.tcz\nb.tcz");
    expect(lock.get("a.tcz")).toMatchObject({ sha256: sha256(tcz("a")), md5: md5(tcz("a")) });
    expect(warnings()).toEqual([
      `a.tcz: the index ${shop.server.url}/${directory}/md5.db.gz is out of date; the file's own .md5.txt matches the download`,
    ]);
    expect(shop.server.log).toContain(`GET /${directory}/a.tcz.md5.txt`);
    expect(shop.server.log).not.toContain(`GET /${directory}/b.tcz.md5.txt`);
  });

  it("does not excuse bytes that the md5.txt does not know either; both are named", async () => {
    const mirror = await stock(shop, { a: [], b: [] });
    await stale();
    const other = "1".repeat(32);
    await shop.put(`${directory}/a.tcz.md5.txt`, `${other}  a.tcz\n`);
    const error = await rejection(build(mirror, "a.tcz"));
    expect(error.code).toBe("md5-mismatch");
    expect(error.message).toContain(`${"0".repeat(32)} (${shop.server.url}/${directory}/md5.db.gz)`);
    expect(error.message).toContain(`${other} (${shop.server.url}/${directory}/a.tcz.md5.txt)`);
    expect(error.message).toContain(md5(tcz("a")));
    expect(lock.size).toBe(0);
  });

  it("without an md5.txt beside the extension is an error that names the index", async () => {
    const mirror = await stock(shop, { a: [], b: [] });
    await stale();
    shop.server.always(
      `/${directory}/a.tcz.md5.txt`,
      (_request, response) => void response.writeHead(404).end(),
    );
    const error = await rejection(build(mirror, "a.tcz"));
    expect(error.code).toBe("md5-mismatch");
    expect(error.message).toContain("md5.db.gz");
  });

  it("does not stand in the way of an update", async () => {
    const mirror = await stock(shop, { a: [], b: [] });
    await build(mirror, "a.tcz");
    await stale();
    const plan = extensionArtifacts(
      mirror,
      orderExtensions(await load(mirror, "a.tcz", { lock: new Map() })).builtin,
    );
    const { changes } = await updateArtifacts(plan, [], context());
    expect(changes.map(({ kind }) => kind)).toEqual(["unchanged"]);
    expect(warnings()[0]).toContain("md5.db.gz is out of date");
  });
});

describe("a dependency that the mirror does not have", () => {
  it.each([true, false])(
    "keeps no build from succeeding once the mirror is repaired (indexes: %s)",
    async (indexes) => {
      const mirror = await stock(shop, { a: ["wifi-KERNEL"], b: [] }, { indexes });
      // What a prefetch pins before the kernel's release is known.
      await build(mirror, "a.tcz", { anyKernel: true, kernel: undefined });
      expect(lock.get("a.tcz")).toMatchObject({ deps: ["wifi-KERNEL.tcz"] });
      expect((await rejection(build(mirror, "a.tcz"))).code).toMatch(/missing-dependency|not-found/);

      await stock(shop, { a: ["b"], b: [] }, { indexes });
      const { lines } = await build(mirror, "a.tcz");
      expect([...lines.keys()]).toEqual(["b.tcz", "a.tcz"]);
      expect(warnings()).toEqual([
        expect.stringContaining("a.tcz: the mirror no longer has the pinned dependencies"),
      ]);
      expect(lock.get("a.tcz")).toMatchObject({ deps: ["b.tcz"], sha256: sha256(tcz("a")) });
      const asked = shop.server.log.filter((line) => line === `GET /${directory}/a.tcz`);
      expect(asked, "the bytes were pinned and stay").toHaveLength(1);

      // With all of it pinned the lock is believed again, and nothing is asked.
      shop.server.log.length = 0;
      await build(mirror, "a.tcz");
      expect(shop.server.log).toEqual([]);
    },
  );

  it("is named as before while the mirror is not repaired, and a frozen lock is not changed", async () => {
    const mirror = await stock(shop, { a: ["gone"] });
    lock.set("a.tcz", {
      url: `${shop.server.url}/${directory}/a.tcz`,
      size: 1,
      sha256: "0".repeat(64),
      deps: ["gone.tcz"],
    });
    const error = await rejection(load(mirror, "a.tcz"));
    expect(error.code).toBe("missing-dependency");
    expect(error.message).toContain("a.tcz needs gone.tcz");
    expect((await rejection(load(mirror, "a.tcz", { policy: "frozen" }))).code).toBe("frozen");
  });
});

describe("what upstream gives no digest of", () => {
  const tarball = (): Artifact => ({ name: "x.tgz", url: `${shop.server.url}/x.tgz`, kind: "tarball" });

  it("is pinned as it came, which is said once with its sha256, and an update shows both digests", async () => {
    const [first, second] = [gzipSync("first"), gzipSync("second")];
    await shop.put("x.tgz", first);
    await fetchArtifacts([tarball()], context());
    expect(trusted).toEqual([`x.tgz ${sha256(first)}`]);
    await fetchArtifacts([tarball()], context());
    expect(trusted).toHaveLength(1);
    await writeFile(path.join(shop.root, "x.tgz"), second);
    const { changes } = await updateArtifacts([tarball()], [], context());
    expect(describeChanges(changes)).toEqual([
      `x.tgz: sha256 ${sha256(first)} → ${sha256(second)}, ${first.length} bytes → ${second.length} bytes; upstream publishes no digest`,
    ]);
    const fresh = await updateArtifacts([tarball()], [], { ...context(), lock: new Map() });
    expect(describeChanges(fresh.changes)[0]).toContain(
      `new, ${second.length} bytes, sha256 ${sha256(second)}`,
    );
  });

  it("is not said of what upstream has a sum of, of texts, nor of what is on this machine", async () => {
    await shop.put("x.tgz", gzipSync("x"));
    await shop.put("x.tgz.md5.txt", `${md5(gzipSync("x"))}  x.tgz\n`);
    await shop.put("x.info", "Title: x\n");
    await fetchArtifacts(
      [
        { ...tarball(), md5Url: `${shop.server.url}/x.tgz.md5.txt` },
        { name: "x.info", url: `${shop.server.url}/x.info`, kind: "text" },
        { ...tarball(), name: "y.tgz", url: path.join(shop.root, "x.tgz") },
      ],
      context(),
    );
    expect(trusted).toEqual([]);
    expect((lock.get("x.tgz") as LockEntry).md5).toBe(md5(gzipSync("x")));
  });
});

describe("an index that names too much", () => {
  const limited = (mirror: Mirror, most: number) =>
    openCatalogue(
      mirror,
      shop.transport({ limits: { maxIndexNames: most, settings: { maxIndexNames: "the index limit" } } }),
    );

  it.each<readonly [string, (name: string) => string]>([
    ["md5.db.gz", (name) => `${"0".repeat(32)}  ${name}.tcz\n`],
    ["sizelist.gz", (name) => `${name}.tcz 1\n`],
    ["dep.db.gz", (name) => `${name}.tcz\nx.tcz\n\n`],
  ])("is refused with its URL and the setting that allows more: %s", async (index, line) => {
    const mirror = await stock(shop, { a: [] });
    const text = Array.from({ length: 101 }, (_, i) => line(`extension-${i}`)).join("");
    await shop.put(`${directory}/${index}`, gzipSync(text));
    const error = await rejection(load(mirror, "a.tcz", { catalogue: limited(mirror, 100) }));
    expect(error.code).toBe("index-too-large");
    expect(error.where).toBe(`${shop.server.url}/${directory}/${index}`);
    expect(error.hint).toBe("use another mirror, or raise the limit with the index limit");
    if (index !== "md5.db.gz") await load(mirror, "a.tcz", { catalogue: limited(mirror, 1000) });
  });

  it("is answered in little time and memory, also when it is as large as it may be", async () => {
    const mirror = await stock(shop, { a: [] });
    const names = Array.from({ length: 1_500_000 }, (_, i) => `${"0".repeat(32)}  e${i}.tcz`).join("\n");
    await shop.put(`${directory}/md5.db.gz`, gzipSync(names, { level: 1 }));
    const before = performance.now();
    expect((await rejection(load(mirror, "a.tcz"))).code).toMatch(/index-too-large|decompression-bomb/);
    expect(performance.now() - before).toBeLessThan(10_000);

    const most = Array.from({ length: 99_000 }, (_, i) => `${"0".repeat(32)}  some-extension-${i}.tcz`);
    await shop.put(`${directory}/md5.db.gz`, gzipSync(most.join("\n")));
    const start = performance.now();
    const error = await rejection(load(mirror, "some-extention-7.tcz"));
    expect(error.hint).toContain("did you mean some-extension-7.tcz");
    expect(performance.now() - start).toBeLessThan(10_000);
  });
});

describe("a .dep file", () => {
  const dep = async (text: string) => {
    const mirror = await stock(shop, { a: [], b: [], c: [] }, { indexes: false });
    await shop.put(`${directory}/a.tcz.dep`, text);
    return mirror;
  };

  it("may have several names on a line, as tce-load reads it", async () => {
    const closure = orderExtensions(await load(await dep("b.tcz c.tcz\r\n\tb.tcz  \n"), "a.tcz"));
    expect(closure.builtin.map(({ name }) => name)).toEqual(["b.tcz", "c.tcz", "a.tcz"]);
  });

  it.each([
    ["b.tcz\nc\n", 2, '"c" does not end in .tcz'],
    ["# what a needs\nb.tcz\n", 1, "tce-load does not support comments"],
    ["b.tcz # the old one\n", 1, "tce-load does not support comments"],
    ["b.deb\n", 1, "does not end in .tcz"],
  ])(
    "that tce-load could not follow is refused with its line and what is wrong: %j",
    async (text, line, message) => {
      const mirror = await dep(text);
      const error = await rejection(load(mirror, "a.tcz"));
      expect(error.where).toBe(`${shop.server.url}/${directory}/a.tcz.dep:${line}`);
      expect(error.message).toContain(message);
      const own = { ...mirror, base: shop.root };
      const local = await rejection(load(own, "a.tcz", { catalogue: openCatalogue(own, shop.transport()) }));
      expect(local.where).toBe(`${path.join(shop.root, directory)}/a.tcz.dep:${line}`);
      expect(local.hint).not.toContain("mirror");
    },
  );
});
