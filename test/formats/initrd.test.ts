import { createHash } from "node:crypto";
import { appendFile, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bytesContent,
  encodeName,
  FileTree,
  joinLayers,
  readInitrd,
  writeCpio,
  writeLayer,
} from "../../src/formats/index.ts";
import { cases } from "../support/cases.ts";
import { usesPrograms } from "../support/programs.ts";
import { arbitraryTree } from "./arbitrary-tree.ts";
import { useWorkspace } from "./workspace.ts";

usesPrograms("cpio");

const workspace = useWorkspace();
const mtime = 1_700_000_000;

function sample(): FileTree {
  const linked = { type: "file", content: bytesContent("shared"), linkGroup: "g", mode: 0o755 } as const;
  const owner = { uid: 0, gid: 0, mtime };
  return new FileTree()
    .addFile("etc/hostname", bytesContent("box\n"), { mtime })
    .addFile("etc/empty", bytesContent(""), { mtime, mode: 0o600, uid: 1, gid: 50 })
    .addSymlink("etc/link", "../bin/busybox", { mtime })
    .set("bin/sh", { ...linked, ...owner })
    .set("bin/busybox", { ...linked, ...owner })
    .set("dev/console", { type: "char", major: 5, minor: 1, mode: 0o600, ...owner })
    .set("dev/loop0", { type: "block", major: 7, minor: 0, mode: 0o660, ...owner })
    .set("dev/pipe", { type: "fifo", mode: 0o644, ...owner })
    .addDirectory("tmp", { mtime, mode: 0o1777 })
    .ensureParents({ mtime });
}

async function read(path: string) {
  return await readInitrd(path, { spoolDir: `${path}.spool` });
}

async function cpioBytes(tree: FileTree): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of writeCpio(tree)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe("one layer", () => {
  test("is an archive that cpio lists with the modes, owners, devices and links of the tree", async () => {
    const path = workspace.path("plain.cpio");
    await writeLayer(sample(), path, { level: "none" });
    const { stdout } = await workspace.$`cpio -itvn --quiet < ${path}`;
    const lines = stdout.trim().split("\n");
    const shown = lines.map((line) => line.replace(/ +/g, " ").replace(/ Nov 14 2023/, ""));
    expect(shown).toEqual([
      "drwxr-xr-x 2 0 0 0 bin",
      "-rwxr-xr-x 2 0 0 0 bin/busybox",
      "-rwxr-xr-x 2 0 0 6 bin/sh",
      "drwxr-xr-x 2 0 0 0 dev",
      "crw------- 1 0 0 5, 1 dev/console",
      "brw-rw---- 1 0 0 7, 0 dev/loop0",
      "prw-r--r-- 1 0 0 0 dev/pipe",
      "drwxr-xr-x 2 0 0 0 etc",
      "-rw------- 1 1 50 0 etc/empty",
      "-rw-r--r-- 1 0 0 4 etc/hostname",
      "lrwxrwxrwx 1 0 0 14 etc/link -> ../bin/busybox",
      "drwxrwxrwt 2 0 0 0 tmp",
    ]);
  });

  test("is unpacked by cpio with the same contents, both names of a hard link included", async () => {
    const path = workspace.path("unpack.cpio");
    const into = workspace.path("unpacked");
    await mkdir(into);
    await writeLayer(sample(), path, { level: "none" });
    await workspace.$`cd ${into} && cpio -idm --quiet --no-preserve-owner bin bin/* etc etc/* < ${path}`;
    expect(await readFile(`${into}/bin/busybox`, "utf8")).toBe("shared");
    expect((await stat(`${into}/bin/sh`)).ino).toBe((await stat(`${into}/bin/busybox`)).ino);
    expect(await readFile(`${into}/etc/hostname`, "utf8")).toBe("box\n");
  });

  test("has the plain gzip header, no name, no time", async () => {
    const path = workspace.path("header.gz");
    for (const [level, extra] of [[1, 4] as const, [6, 0] as const, [9, 2] as const]) {
      await writeLayer(sample(), path, { level });
      const bytes = await readFile(path);
      expect([...bytes.subarray(0, 10)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, extra, 3]);
      expect(gunzipSync(bytes).equals(await cpioBytes(sample()))).toBe(true);
      await workspace.$`gzip -t ${path}`;
    }
  });

  test("has the same bytes whatever the order entries were added in and the umask", async () => {
    const reversed = new FileTree([...sample()].reverse());
    const before = process.umask(0o077);
    try {
      const one = await writeLayer(sample(), workspace.path("one.gz"));
      process.umask(0o002);
      const two = await writeLayer(reversed, workspace.path("two.gz"));
      expect(two).toEqual(one);
      const bytes = await readFile(workspace.path("one.gz"));
      expect(one).toEqual({ size: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") });
      expect((await stat(workspace.path("one.gz"))).mode & 0o777).toBe(0o644);
    } finally {
      process.umask(before);
    }
  });

  test("refuses what the kernel would lose: a missing parent, a file of 4 GiB, an endless name", async () => {
    const out = workspace.path("refused");
    const orphan = new FileTree().addFile("a/b", bytesContent(""), { mtime });
    await expect(writeLayer(orphan, out)).rejects.toMatchObject({ code: "parent-missing", where: "a/b" });
    const huge = { kind: "file", path: out, offset: 0, size: 2 ** 32 } as const;
    const large = new FileTree().addFile("big", huge, { mtime });
    await expect(writeLayer(large, out)).rejects.toMatchObject({
      code: "cpio-overflow",
      where: "big",
      message: "the file has 4294967296 bytes, but files in an initrd must be smaller than 4 GiB",
    });
    const long = new FileTree().addFile("x".repeat(4096), bytesContent(""), { mtime });
    await expect(writeLayer(long, out)).rejects.toMatchObject({ code: "cpio-name" });
  });

  test("stops when the signal fires", async () => {
    const signal = AbortSignal.abort();
    await expect(writeLayer(sample(), workspace.path("stopped"), { signal })).rejects.toMatchObject({
      name: "AbortError",
    });
  });
});

describe("several layers", () => {
  test("are all read back, whichever of them are compressed", async () => {
    const second = new FileTree().addFile("two", bytesContent("2".repeat(100_000)), { mtime });
    const third = new FileTree().addFile("three", bytesContent("3"), { mtime });
    const paths = [workspace.path("l0.gz"), workspace.path("l1.cpio"), workspace.path("l2.gz")];
    await writeLayer(sample(), paths[0] ?? "");
    await writeLayer(second, paths[1] ?? "", { level: "none" });
    await writeLayer(third, paths[2] ?? "", { level: 1 });
    const joined = workspace.path("joined.gz");
    // Twice over, so that a plain archive also follows a compressed one at every alignment.
    const written = await joinLayers([...paths, ...paths], joined);
    const bytes = await readFile(joined);
    expect(written.sha256).toBe(createHash("sha256").update(bytes).digest("hex"));
    const members = await read(joined);
    expect(members.map(({ compression }) => compression)).toEqual([
      ...["gzip", "none", "gzip"],
      ...["gzip", "none", "gzip"],
    ]);
    const expected = await Promise.all([sample(), second, third].map((tree) => tree.digest()));
    const found = await Promise.all(members.map(({ tree }) => tree.digest()));
    expect(found).toEqual([...expected, ...expected]);
    for (const { offset, compression } of members) if (compression === "none") expect(offset % 4).toBe(0);
    for (const [index, path] of paths.entries()) {
      const { offset = 0, size = 0 } = members[index] ?? {};
      expect(bytes.subarray(offset, offset + size).equals(await readFile(path))).toBe(true);
    }
  });

  test("keep their bytes when they are joined, so an upstream checksum still holds", async () => {
    const upstream = workspace.path("upstream.gz");
    await writeFile(upstream, gzipSync(await cpioBytes(sample()), { level: 3 }));
    const own = workspace.path("own.gz");
    await writeLayer(sample(), own);
    await joinLayers([upstream, own], workspace.path("both.gz"));
    const both = await readFile(workspace.path("both.gz"));
    expect(both.equals(Buffer.concat([await readFile(upstream), await readFile(own)]))).toBe(true);
  });

  test("may share one gzip member, as the kernel has it", async () => {
    const path = workspace.path("shared.gz");
    const archive = await cpioBytes(sample());
    await writeFile(path, gzipSync(Buffer.concat([archive, Buffer.alloc(512), archive, Buffer.alloc(12)])));
    expect((await read(path)).length).toBe(2);
  });

  test("made by cpio and gzip, with a name in the gzip header, are read too", async () => {
    const directory = workspace.path("by cpio");
    await mkdir(`${directory}/sub`, { recursive: true });
    await writeFile(`${directory}/sub/file`, "hello");
    const path = workspace.path("by-cpio");
    await workspace.$`cd ${directory} && find . | cpio -o -H newc --quiet > ${path}`;
    await workspace.$`gzip -N ${path}`;
    await appendFile(`${path}.gz`, Buffer.alloc(300));
    const [member] = await read(`${path}.gz`);
    expect(member?.tree.paths()).toEqual([".", "sub", "sub/file"]);
    expect((await member?.tree.read("sub/file"))?.toString()).toBe("hello");
  });
});

test("an initrd is read where it lies in a larger file, and not beyond its end", async () => {
  const [plain, packed] = [workspace.path("plain part"), workspace.path("packed part")];
  await writeLayer(sample(), plain, { level: "none" });
  await writeLayer(sample(), packed);
  await joinLayers([plain, packed], workspace.path("part"));
  const bytes = await readFile(workspace.path("part"));
  const whole = workspace.path("whole");
  await writeFile(whole, Buffer.concat([Buffer.alloc(2048, 1), bytes, Buffer.alloc(4096, 1)]));
  const spoolDir = workspace.path("part spool");
  const members = await readInitrd(whole, { spoolDir, part: { offset: 2048, size: bytes.length } });
  const alone = await readInitrd(workspace.path("part"), { spoolDir: workspace.path("alone spool") });
  expect(members.map(({ offset, size }) => [offset, size])).toEqual(
    alone.map(({ offset, size }) => [offset, size]),
  );
  for (const [index, { tree }] of members.entries())
    expect(await tree.digest()).toBe(await alone[index]?.tree.digest());
  const short = readInitrd(whole, { spoolDir, part: { offset: 2048, size: bytes.length - 5 } });
  await expect(short).rejects.toMatchObject({ code: "bad-gzip" });
});

describe("a damaged or foreign initrd", () => {
  async function refused(name: string, bytes: Uint8Array) {
    const path = workspace.path(name);
    await writeFile(path, bytes);
    const error: unknown = await read(path).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    return error;
  }

  test("is refused with the offset, for each kind of damage", async () => {
    const archive = await cpioBytes(sample());
    const gzip = gzipSync(archive);
    const broken = Buffer.from(gzip);
    broken.writeUInt32LE(0, gzip.length - 8);
    const extra = Buffer.concat([gzip.subarray(0, 3), Buffer.of(4), gzip.subarray(4)]);
    const cases: readonly (readonly [string, Uint8Array, string])[] = [
      ["cut.cpio", archive.subarray(0, 500), "bad-cpio"],
      ["cut.gz", gzip.subarray(0, gzip.length - 20), "bad-gzip"],
      ["footer.gz", gzip.subarray(0, gzip.length - 3), "bad-gzip"],
      ["crc.gz", broken, "bad-gzip"],
      ["fextra.gz", extra, "bad-gzip"],
      ["odd.cpio", Buffer.concat([Buffer.of(0), archive]), "misaligned-archive"],
      ["xz", Buffer.from("fd377a585a0000", "hex"), "bad-member"],
      ["zstd", Buffer.from("28b52ffd000000", "hex"), "bad-member"],
      ["bzip2", Buffer.from("BZh91AY&SY"), "unsupported-compression"],
      ["html", Buffer.from("<html><body>not found"), "unsupported-compression"],
      ["junk", Buffer.concat([archive, Buffer.from("junk")]), "not-an-initrd"],
      ["digits", Buffer.from(`070701${"z".repeat(200)}`), "bad-cpio"],
    ];
    for (const [name, bytes, code] of cases) expect(await refused(name, bytes), name).toMatchObject({ code });
  });

  test("cannot fill the disk", async () => {
    const path = workspace.path("bomb.gz");
    await writeFile(path, gzipSync(Buffer.alloc(20 * 1024 * 1024)));
    await expect(read(path)).rejects.toMatchObject({ code: "bomb" });
    const limits = { maxBytes: 1000 };
    await writeLayer(sample(), path);
    await expect(readInitrd(path, { spoolDir: workspace.path("bomb"), limits })).rejects.toMatchObject({
      code: "bomb",
    });
  });

  test("with a name that climbs out is refused, and so is a name that comes twice", async () => {
    const good = await cpioBytes(
      new FileTree().addFile("aa/bb", bytesContent(""), { mtime }).ensureParents({ mtime }),
    );
    const climbing = Buffer.from(good.toString("latin1").replace("aa/bb", "../bb"), "latin1");
    expect(await refused("climbing", climbing)).toMatchObject({ code: "unsafe-name" });
    const twice = Buffer.from(good.toString("latin1").replace("aa/bb", "aa/./"), "latin1");
    expect(await refused("twice", twice)).toMatchObject({ code: "duplicate-entry" });
  });
});

test("any tree, split into any layers, comes back as it was", async () => {
  const level = fc.constantFrom<"none" | number>("none", 1, 9);
  const layers = fc.array(fc.tuple(arbitraryTree({ anyBytes: true }), level), { minLength: 1, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(layers, async (given) => {
      const paths: string[] = [];
      for (const [index, [tree, level]] of given.entries()) {
        paths.push(workspace.path(`any-${index}`));
        await writeLayer(tree, workspace.path(`any-${index}`), { level });
      }
      const joined = workspace.path("any");
      await joinLayers(paths, joined);
      const members = await read(joined);
      const found = await Promise.all(members.map(({ tree }) => tree.digest()));
      expect(found).toEqual(await Promise.all(given.map(([tree]) => tree.digest())));
      await rm(`${joined}.spool`, { recursive: true, force: true });
    }),
    cases(60),
  );
});

test("cpio names every path of any tree, in byte order", async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryTree({ anyBytes: true }), async (tree) => {
      const path = workspace.path("names.cpio");
      await writeLayer(tree, path, { level: "none" });
      const list = workspace.path("names.list");
      await workspace.$`cpio -it --quiet < ${path} > ${list}`;
      const expected = tree.paths().map((name) => Buffer.concat([encodeName(name), Buffer.from("\n")]));
      expect((await readFile(list)).equals(Buffer.concat(expected))).toBe(true);
    }),
    cases(25),
  );
});
