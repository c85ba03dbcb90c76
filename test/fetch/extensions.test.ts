import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type Closure,
  extensionArtifacts,
  formatOnboot,
  type GraphInput,
  loadExtensions,
  type Mirror,
  openCatalogue,
  orderExtensions,
  parseExtensionList,
} from "../../src/fetch/index.ts";
import { content } from "./hostile-server.ts";
import { directory, md5, type Shelf, stock, tcz } from "./tiny-mirror.ts";
import { openWorkshop, rejection, type Workshop } from "./workshop.ts";

let shop: Workshop;
beforeEach(async () => {
  shop = await openWorkshop();
});
afterEach(() => shop.close());

function load(mirror: Mirror, builtin: string, mirrored = "", more: Partial<GraphInput> = {}) {
  const offline = more.policy === "offline";
  return loadExtensions({
    builtin: parseExtensionList(builtin, "lists/b.lst").entries,
    mirrored: parseExtensionList(mirrored, "lists/m.lst").entries,
    kernel: "3.0.21-tinycore",
    mirror,
    lock: new Map(),
    catalogue: openCatalogue(mirror, shop.transport({ offline })),
    policy: "pin",
    ...more,
  });
}

const names = (closure: Closure) => ({
  builtin: closure.builtin.map((item) => item.name),
  mirror: closure.mirror.map((item) => item.name),
});

const shelf: Shelf = {
  bash: ["readline"],
  readline: ["ncurses"],
  ncurses: [],
  openssh: ["openssl", "gcc_libs"],
  openssl: [],
  gcc_libs: [],
  ruby: ["gcc_libs", "ncurses"],
  sshfs: ["openssh"],
  "scsi-3.0.21-tinycore": [],
  disks: ["scsi-KERNEL"],
  loopa: ["loopb"],
  loopb: ["loopa", "ncurses"],
  broken: ["nothere"],
};

describe.each([
  ["with indexes", true],
  ["without indexes", false],
])("extensions of a mirror %s", (_label, indexes) => {
  let mirror: Mirror;
  beforeEach(async () => {
    mirror = await stock(shop, shelf, { indexes });
  });

  it("come after what they depend on, in the user's order otherwise, each once", async () => {
    const closure = orderExtensions(await load(mirror, "ruby.tcz\nbash.tcz\nncurses.tcz\n"));
    expect(names(closure).builtin).toEqual([
      "gcc_libs.tcz",
      "ncurses.tcz",
      "ruby.tcz",
      "readline.tcz",
      "bash.tcz",
    ]);
    expect(formatOnboot(closure.builtin)).toBe(
      "gcc_libs.tcz\nncurses.tcz\nruby.tcz\nreadline.tcz\nbash.tcz\n",
    );
  });

  it("go where their parent goes, to the mirror only what is not builtin or is listed there", async () => {
    const graph = await load(mirror, "bash.tcz", "ruby.tcz\nreadline.tcz");
    expect(names(orderExtensions(graph))).toEqual({
      builtin: ["ncurses.tcz", "readline.tcz", "bash.tcz"],
      mirror: ["gcc_libs.tcz", "ruby.tcz", "readline.tcz"],
    });
  });

  it("lose openssh and what only it needs in prod", async () => {
    const graph = await load(mirror, "bash.tcz\nopenssh.tcz\nruby.tcz", "openssh.tcz");
    expect(names(orderExtensions(graph)).builtin).toContain("openssl.tcz");
    expect(names(orderExtensions(graph, { exclude: ["openssh.tcz"] }))).toEqual({
      builtin: ["ncurses.tcz", "readline.tcz", "bash.tcz", "gcc_libs.tcz", "ruby.tcz"],
      mirror: [],
    });
  });

  it("that need what the variant leaves out are an error", async () => {
    const graph = await load(mirror, "sshfs.tcz");
    expect(() => orderExtensions(graph, { exclude: ["openssh.tcz"] })).toThrow(
      expect.objectContaining({ code: "excluded-dependency", where: "lists/b.lst:1" }),
    );
  });

  it("have the kernel's release filled in, in lists and in dependencies", async () => {
    const closure = orderExtensions(await load(mirror, "disks.tcz", "scsi-KERNEL.tcz"));
    expect(names(closure)).toEqual({
      builtin: ["scsi-3.0.21-tinycore.tcz", "disks.tcz"],
      mirror: ["scsi-3.0.21-tinycore.tcz"],
    });
  });

  it("for another kernel than the ISO's are an error", async () => {
    const error = await rejection(load(mirror, "bash.tcz\nscsi-3.0.3-tinycore.tcz"));
    expect(error).toMatchObject({ code: "kernel-mismatch", where: "lists/b.lst:2" });
    expect(error.message).toContain("3.0.21-tinycore");
    expect(error.hint).toContain("scsi-KERNEL.tcz");
    const kernel = "6.1.0-28-cloud-amd64";
    const other = rejection(load(mirror, "nfs-6.1.0-27-cloud-amd64.tcz", "", { kernel }));
    expect((await other).code).toBe("kernel-mismatch");
    expect(await load(mirror, "scsi-3.0.21-tinycore.tcz")).toBeDefined();
  });

  it("that depend on each other are warned about, once", async () => {
    const closure = orderExtensions(await load(mirror, "loopa.tcz\nloopb.tcz"));
    expect(names(closure).builtin).toEqual(["ncurses.tcz", "loopb.tcz", "loopa.tcz"]);
    expect(closure.warnings).toEqual([
      {
        message: "dependency cycle: loopa.tcz → loopb.tcz → loopa.tcz",
        where: "lists/b.lst:1",
      },
    ]);
  });

  it("may be made from a package that another extension then finds", async () => {
    const closure = orderExtensions(await load(mirror, "openssl.deb\nopenssh.tcz"));
    expect(formatOnboot(closure.builtin)).toBe("openssl.tcz\ngcc_libs.tcz\nopenssh.tcz\n");
    const clash = await rejection(load(mirror, "openssl.deb", "openssl.tcz"));
    expect(clash).toMatchObject({ code: "duplicate-extension", where: "lists/m.lst:1" });
  });
});

describe("an extension that the mirror does not have", () => {
  it("is named with its line and what may have been meant", async () => {
    const mirror = await stock(shop, shelf);
    const error = await rejection(load(mirror, "bash.tcz\nopensh.tcz"));
    expect(error).toMatchObject({ code: "unknown-extension", where: "lists/b.lst:2" });
    expect(error.hint).toBe("did you mean openssh.tcz?");
  });

  it("is named with who needs it, when nobody listed it", async () => {
    const mirror = await stock(shop, shelf);
    const error = await rejection(load(mirror, "bash.tcz", "\nbroken.tcz"));
    expect(error).toMatchObject({ code: "missing-dependency", where: "lists/m.lst:2" });
    expect(error.message).toContain("broken.tcz needs nothere.tcz");
  });

  it("is named together with all others that are missing, each with its line", async () => {
    const mirror = await stock(shop, shelf);
    const error = await rejection(load(mirror, "opensh.tcz\nbash.tcz\nxyzzy.tcz", "broken.tcz"));
    expect(error).toMatchObject({ code: "unknown-extension", where: "lists/b.lst:1" });
    expect(error.message).toBe(
      "the mirror does not have 3 extensions: opensh.tcz (lists/b.lst:1; did you mean openssh.tcz?), " +
        "xyzzy.tcz (lists/b.lst:3), nothere.tcz (lists/m.lst:1 → broken.tcz)",
    );
  });
});

describe("an extension in a mirror that is a directory", () => {
  const directoryOf = (mirror: Mirror): Mirror => ({ ...mirror, base: shop.root });
  const addedFile = async (): Promise<void> => {
    await shop.put(`${directory}/own.tcz`, tcz("own"));
    await shop.put(`${directory}/own.tcz.md5.txt`, `${md5(tcz("own"))}  own.tcz\n`);
    await shop.put(`${directory}/own.tcz.dep`, "bash.tcz\nmore.tcz\n");
    await shop.put(`${directory}/more.tcz`, tcz("more"));
  };

  it("is used although the indexes do not name it, and so is a dependency", async () => {
    const mirror = directoryOf(await stock(shop, shelf));
    await addedFile();
    const graph = await load(mirror, "own.tcz");
    expect(names(orderExtensions(graph)).builtin).toEqual([
      "ncurses.tcz",
      "readline.tcz",
      "bash.tcz",
      "more.tcz",
      "own.tcz",
    ]);
    expect(graph.nodes.get("own.tcz")).toMatchObject({ md5: md5(tcz("own")) });
    expect(graph.nodes.get("more.tcz")).toMatchObject({ md5: undefined, deps: [] });
  });

  it("that is not there, or is no file, is missing; a server's indexes are believed", async () => {
    const server = await stock(shop, shelf);
    const mirror = directoryOf(server);
    await addedFile();
    await shop.put(`${directory}/fake.tcz/file`, "");
    for (const name of ["none.tcz", "fake.tcz"]) {
      expect(await rejection(load(mirror, name))).toMatchObject({ code: "unknown-extension" });
    }
    expect(await rejection(load(server, "own.tcz"))).toMatchObject({ code: "unknown-extension" });
  });
});

describe("planning", () => {
  it("makes three requests however many extensions there are", async () => {
    const many = Object.fromEntries(
      Array.from({ length: 60 }, (_, i) => [`e${i}`, i > 0 ? [`e${i - 1}`] : []]),
    );
    const mirror = await stock(shop, many);
    const graph = await load(mirror, "e59.tcz");
    expect(graph.nodes.size).toBe(60);
    expect(shop.server.log.sort()).toEqual([
      `GET /${directory}/dep.db.gz`,
      `GET /${directory}/md5.db.gz`,
      `GET /${directory}/sizelist.gz`,
    ]);
  });

  it("asks nothing for what the lock knows, and lists all that it does not when it may not ask", async () => {
    const mirror = await stock(shop, shelf);
    const entry = (name: string, deps: string[]) =>
      [
        name,
        { url: `http://elsewhere/${directory}/${name}`, size: 1, sha256: "0".repeat(64), deps },
      ] as const;
    const lock = new Map([entry("bash.tcz", ["readline.tcz"]), entry("readline.tcz", ["ncurses.tcz"])]);
    for (const policy of ["frozen", "offline"] as const) {
      const error = await rejection(load(mirror, "bash.tcz\nruby.tcz", "", { lock, policy }));
      expect(error.code).toBe(policy);
      expect(error.message).toContain("ruby.tcz (lists/b.lst:2)");
      expect(error.message).toContain("ncurses.tcz (lists/b.lst:1 → bash.tcz → readline.tcz)");
    }
    lock.set(...entry("ncurses.tcz", []));
    const graph = await load(mirror, "bash.tcz", "", { lock, policy: "frozen" });
    expect(names(orderExtensions(graph)).builtin).toEqual(["ncurses.tcz", "readline.tcz", "bash.tcz"]);
    expect(shop.server.log).toEqual([]);
  });

  it("does not take a pin of another release for this one's", async () => {
    const mirror = await stock(shop, shelf);
    const url = "http://m/3.x/x86/tcz/ncurses.tcz";
    const lock = new Map([["ncurses.tcz", { url, size: 1, sha256: "0".repeat(64), deps: ["gone.tcz"] }]]);
    const graph = await load(mirror, "ncurses.tcz", "", { lock });
    expect(graph.nodes.get("ncurses.tcz")?.deps).toEqual([]);
  });

  it("plans each file once, with .info and .list for the mirror's", async () => {
    const mirror = await stock(shop, shelf);
    const { builtin, mirror: mirrored } = orderExtensions(await load(mirror, "ncurses.tcz", "ncurses.tcz"));
    const plan = extensionArtifacts(mirror, builtin, mirrored);
    expect(plan.map((artifact) => artifact.name)).toEqual([
      "ncurses.tcz",
      "ncurses.tcz.info",
      "ncurses.tcz.list",
    ]);
    expect(plan[0]).toMatchObject({
      kind: "squashfs",
      md5: expect.stringMatching(/^[0-9a-f]{32}$/),
      deps: [],
    });
  });

  it("goes down a chain of 20,000 dependencies", async () => {
    const deep = Array.from(
      { length: 20_000 },
      (_, i) => `d${i}.tcz\n${i < 19_999 ? `d${i + 1}.tcz\n` : ""}`,
    );
    const mirror = await stock(shop, { d0: [] });
    const md5s = Array.from({ length: 20_000 }, (_, i) => `${"0".repeat(32)}  d${i}.tcz\n`).join("");
    await shop.put(`${directory}/dep.db.gz`, gzipSync(deep.join("\n")));
    await shop.put(`${directory}/md5.db.gz`, gzipSync(md5s));
    const closure = orderExtensions(await load(mirror, "d0.tcz"));
    expect(closure.builtin.length).toBe(20_000);
    expect(closure.builtin[0]?.name).toBe("d19999.tcz");
  });
});

describe("a hostile mirror", () => {
  it("cannot make a path out of a dependency's name", async () => {
    const mirror = await stock(shop, shelf, { indexes: false });
    shop.server.always(`/${directory}/bash.tcz.dep`, content("readline.tcz\n../../etc/passwd.tcz\n"));
    const error = await rejection(load(mirror, "bash.tcz"));
    expect(error.code).toBe("bad-index");
    expect(error.where).toContain("bash.tcz.dep:2");
  });

  it("cannot fill the memory with an index", async () => {
    const mirror = await stock(shop, shelf);
    await shop.put(`${directory}/dep.db.gz`, gzipSync(Buffer.alloc(80 * 1024 ** 2)));
    const error = await rejection(load(mirror, "bash.tcz"));
    expect(error.code).toBe("decompression-bomb");
    expect(error.where).toContain("dep.db.gz");
  });

  it("with a damaged index is named, with the line", async () => {
    const mirror = await stock(shop, shelf);
    await shop.put(`${directory}/md5.db.gz`, gzipSync(`${"0".repeat(32)}  bash.tcz\nnonsense\n`));
    const error = await rejection(load(mirror, "bash.tcz"));
    expect(error).toMatchObject({ code: "bad-index", where: expect.stringMatching(/^http.*md5\.db\.gz:2$/) });
    await shop.put(`${directory}/md5.db.gz`, gzipSync("x".repeat(500)).subarray(0, 15));
    expect((await rejection(load(mirror, "bash.tcz"))).code).toBe("bad-gzip");
  });

  it("whose broken record is about something else does not matter", async () => {
    const mirror = await stock(shop, shelf);
    await shop.put(`${directory}/dep.db.gz`, gzipSync("evil.tcz\n../x\n\nbash.tcz\nncurses.tcz\n"));
    const graph = await load(mirror, "bash.tcz");
    expect(graph.nodes.get("bash.tcz")?.needs).toEqual(["ncurses.tcz"]);
  });
});
