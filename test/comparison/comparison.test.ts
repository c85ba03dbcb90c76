/** What `task diff` finds, in files that differ in one thing each. */
import { copyFile, mkdir, open, readFile, writeFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { compareFiles, type Difference, describeDifferences } from "../../src/comparison/index.ts";
import {
  bytesContent,
  encodeName,
  FileTree,
  joinLayers,
  readIsoTree,
  writeIso,
  writeLayer,
  writeTarball,
} from "../../src/formats/index.ts";
import { useWorkspace } from "../formats/workspace.ts";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("genisoimage");

const workspace = useWorkspace();
const mtime = 1_700_000_000;
const invalidName = "latin1-\udce9";

function sampleTree(): FileTree {
  return new FileTree()
    .addFile("bin/tool", bytesContent(Buffer.from([0, 1, 2, 3])), { mtime, mode: 0o4755 })
    .addFile("etc/one", bytesContent("a\nb\nc\n"), { mtime })
    .addFile(invalidName, bytesContent("x"), { mtime })
    .addSymlink("etc/link", "one", { mtime })
    .set("dev/null", { type: "char", major: 1, minor: 3, mode: 0o666, uid: 0, gid: 0, mtime })
    .ensureParents({ mtime });
}

let rounds = 0;

async function compare(a: string, b: string): Promise<readonly Difference[]> {
  rounds += 1;
  const spoolDir = workspace.path(`spool ${rounds}`);
  await mkdir(spoolDir, { recursive: true });
  return await compareFiles(a, b, { spoolDir });
}

/** Two initrds of a tree and of what `change` makes of it. */
async function compareInitrds(change: (tree: FileTree) => void): Promise<readonly Difference[]> {
  const [a, b] = [workspace.path("a.gz"), workspace.path("b.gz")];
  await writeLayer(sampleTree(), a);
  const changed = sampleTree();
  change(changed);
  await writeLayer(changed, b);
  return await compare(a, b);
}

async function makeIso(name: string, initrd: string, epoch = mtime): Promise<string> {
  const root = workspace.path(`root of ${name}`);
  await mkdir(`${root}/boot/isolinux`, { recursive: true });
  await copyFile(initrd, `${root}/boot/core.gz`);
  await writeFile(`${root}/boot/isolinux/isolinux.bin`, Buffer.alloc(4096, "isolinux"));
  const out = workspace.path(`${name}.iso`);
  const boot = { isolinux: "boot/isolinux/isolinux.bin", catalog: "boot/isolinux/boot.cat" };
  const ids = { volumeId: `VOLUME ${name}`, applicationId: "TEST", systemId: "LINUX" };
  await writeIso(workspace.$, { root, out, epoch, boot, ...ids });
  return out;
}

describe("comparing initrds", () => {
  test("finds nothing between a file and its copy", async () => {
    expect(await compareInitrds(() => {})).toEqual([]);
  });

  const layer = { kind: "layer", name: "layer 1 of 1" };
  const places = { a: 1, b: 1 };

  test("says the lines that changed in a text file", async () => {
    const found = await compareInitrds((tree) =>
      tree.addFile("etc/one", bytesContent("a\nB\nc\n"), { mtime }),
    );
    expect(found).toMatchObject([
      layer,
      {
        ...{ kind: "content", name: "etc/one", layers: places, a: "6 bytes", b: "6 bytes" },
        lines: ["@@ -1,3 +1,3 @@", " a", "-b", "+B", " c"],
      },
    ]);
  });

  test("says from which byte on another file differs", async () => {
    const change = Buffer.from([0, 1, 9, 3]);
    const found = await compareInitrds((tree) =>
      tree.addFile("bin/tool", bytesContent(change), { mtime, mode: 0o4755 }),
    );
    expect(found[1]).toMatchObject({ kind: "content", name: "bin/tool" });
    expect(found[1]?.b).toMatch(/from byte 2 on$/);
  });

  test("tells mode, owner, time, link target, device numbers and type apart", async () => {
    const found = await compareInitrds((tree) => {
      tree.addFile("bin/tool", bytesContent(Buffer.from([0, 1, 2, 3])), { mtime, mode: 0o755, gid: 50 });
      tree.addDirectory("etc", { mtime: mtime + 1 });
      tree.addSymlink("etc/link", "two", { mtime });
      tree.set("dev/null", { type: "char", major: 1, minor: 5, mode: 0o666, uid: 0, gid: 0, mtime });
      tree.addDirectory("etc/one", { mtime });
    });
    expect(found.slice(1).map(({ kind, name, a, b }) => [kind, name, a, b])).toEqual([
      ["mode", "bin/tool", "4755", "0755"],
      ["owner", "bin/tool", "0:0", "0:50"],
      ["device", "dev/null", "1,3", "1,5"],
      ["time", "etc", "2023-11-14T22:13:20Z", "2023-11-14T22:13:21Z"],
      ["target", "etc/link", "one", "two"],
      ["type", "etc/one", "file 0644 0:0, 6 bytes", "directory 0755 0:0"],
    ]);
  });

  test("knows names that are not UTF-8 in tarballs too", async () => {
    const tarballs: string[] = [];
    for (const text of ["one\n", "two\n"]) {
      const directory = workspace.path(`bytes ${text.trim()}`);
      await mkdir(directory);
      await writeFile(Buffer.concat([Buffer.from(`${directory}/`), encodeName(invalidName)]), text);
      const tarball = `${directory}.tar.gz`;
      await workspace.$({ cwd: directory })`tar --mtime=@0 --owner=0 --group=0 -czf ${tarball} ${"."}`;
      tarballs.push(tarball);
    }
    const [a = "", b = ""] = tarballs;
    expect(await compare(a, b)).toMatchObject([
      { kind: "content", name: "latin1-\\xe9", lines: expect.anything() },
    ]);
  });

  test("knows names that are not UTF-8, and paths that one side has", async () => {
    const found = await compareInitrds((tree) => {
      tree.delete(invalidName);
      tree.addFile("etc/two", bytesContent(""), { mtime });
    });
    expect(found.slice(1)).toMatchObject([
      { kind: "only", name: "etc/two", b: "file 0644 0:0, 0 bytes" },
      { kind: "only", name: "latin1-\\xe9", a: "file 0644 0:0, 1 bytes" },
    ]);
    expect(describeDifferences(found, { a: "old", b: "new" })).toContain(
      "latin1-\\xe9 (layer 1): only in old (file 0644 0:0, 1 bytes)",
    );
  });

  test("sees which names are one file", async () => {
    const found = await compareInitrds((tree) => {
      const node = { ...tree.file("etc/one"), linkGroup: "1" };
      tree.set("etc/one", node).set("etc/other", node);
    });
    expect(found.slice(1)).toMatchObject([
      { kind: "links", name: "etc/one", a: "no other", b: "etc/other" },
      { kind: "only", name: "etc/other" },
    ]);
  });

  test("takes a flat and a layered initrd for the same tree, and says that they are packed differently", async () => {
    const [lower, upper] = [workspace.path("lower.gz"), workspace.path("upper.gz")];
    const [flat, layered] = [workspace.path("flat.gz"), workspace.path("layered.gz")];
    await writeLayer(sampleTree(), flat);
    await writeLayer(sampleTree().addFile("etc/one", bytesContent("old"), { mtime }), lower);
    const patch = new FileTree()
      .addFile("etc/one", bytesContent("a\nb\nc\n"), { mtime })
      .ensureParents({ mtime });
    await writeLayer(patch, upper);
    await joinLayers([lower, upper], layered);
    expect(await compare(flat, layered)).toEqual([{ kind: "layers", within: [], a: "1", b: "2" }]);
  });

  test("shows what a later layer hides, in the layer where it is", async () => {
    const made = await Promise.all(
      ["old", "other"].map(async (text) => {
        const [lower, upper, joined] = [text, `${text} upper`, `${text} joined`].map((name) =>
          workspace.path(name),
        );
        if (lower === undefined || upper === undefined || joined === undefined) throw new Error("paths");
        await writeLayer(sampleTree().addFile("etc/one", bytesContent(text), { mtime }), lower);
        await writeLayer(sampleTree(), upper);
        await joinLayers([lower, upper], joined);
        return joined;
      }),
    );
    const found = await compare(made[0] ?? "", made[1] ?? "");
    expect(found.map(({ kind, name, layers }) => [kind, name, layers])).toEqual([
      ["layer", "layer 1 of 2", undefined],
      ["content", "etc/one", { a: 1, b: 1 }],
    ]);
  });

  test("says that only the compression is another", async () => {
    const [a, b] = [workspace.path("fast.gz"), workspace.path("best.gz")];
    const tree = sampleTree().addFile("text", bytesContent("many words ".repeat(5000)), { mtime });
    await writeLayer(tree, a, { level: 1 });
    await writeLayer(tree, b, { level: 9 });
    expect(await compare(a, b)).toMatchObject([{ kind: "layer" }]);
  });
});

describe("comparing ISOs and bundles", () => {
  test("finds fields of the ISO itself, and what differs in its initrd in a bundle", async () => {
    const [one, two] = [workspace.path("one.gz"), workspace.path("two.gz")];
    await writeLayer(sampleTree(), one);
    await writeLayer(sampleTree().addFile("etc/one", bytesContent("a\n"), { mtime }), two);
    const isos = [await makeIso("one", one), await makeIso("two", two, mtime + 60)];
    const bundles = await Promise.all(
      isos.map(async (iso, index) => {
        const tarball = workspace.path(`bundle ${index}.tar.gz`);
        const tree = new FileTree().addFile("image.iso", bytesContent(await readFile(iso)), { mtime });
        await writeTarball(tree, tarball);
        return tarball;
      }),
    );
    const found = await compare(bundles[0] ?? "", bundles[1] ?? "");
    expect(found).toContainEqual({
      ...{ kind: "field", within: ["image.iso"], name: "volume id", a: "VOLUME one", b: "VOLUME two" },
    });
    expect(found.find(({ name }) => name === "modification time")).toMatchObject({
      a: "2023111422132000",
      b: "2023111422142000",
    });
    expect(found.find(({ name }) => name === "etc/one")).toMatchObject({
      ...{ kind: "content", within: ["image.iso", "boot/core.gz"] },
      lines: ["@@ -1,3 +1,1 @@", " a", "-b", "-c"],
    });
  });

  test("sees a single changed byte that belongs to no file", async () => {
    const initrd = workspace.path("initrd.gz");
    await writeLayer(sampleTree(), initrd);
    const iso = await makeIso("whole", initrd);
    const other = workspace.path("touched.iso");
    await copyFile(iso, other);
    const handle = await open(other, "r+");
    // Reserved bytes at the end of the primary volume descriptor.
    await handle.write(Buffer.from([1]), 0, 1, 16 * 2048 + 1500);
    await handle.close();
    expect(await compare(iso, other)).toMatchObject([{ kind: "packing", within: [] }]);
  });

  test("says what kinds of files two are that cannot be compared, and names one that is missing", async () => {
    const initrd = workspace.path("initrd.gz");
    await writeLayer(sampleTree(), initrd);
    const iso = await makeIso("kind", initrd);
    expect(await compare(iso, initrd)).toMatchObject([{ kind: "type", a: "ISO", b: "initrd" }]);
    await expect(compare(iso, workspace.path("none.iso"))).rejects.toMatchObject({ code: "unreadable-file" });
  });
});

describe("the files of an ISO", () => {
  const names = ["a-long-name-with-many-letters.and.dots", "ä", "UPPER.TXT", "with blank"];

  async function makeRoot(): Promise<string> {
    const root = workspace.path("names");
    await mkdir(`${root}/directory/${"deep/".repeat(9)}`, { recursive: true });
    for (const name of names) await writeFile(`${root}/directory/${name}`, name);
    await writeFile(`${root}/directory/${"deep/".repeat(9)}end`, "end");
    await workspace.$`ln -sfn ${`../${"x".repeat(300)}`} ${`${root}/directory/link`} && touch -d @1600000000 ${`${root}/directory/ä`}`;
    await workspace.$({ cwd: `${root}/directory` })`sh -c ${"printf bytes > \"$(printf 'caf\\351')\""}`;
    return root;
  }

  test("come with Rock Ridge's names, modes, targets and times, however long or deep", async () => {
    const root = await makeRoot();
    const iso = workspace.path("rock ridge.iso");
    await workspace.$`genisoimage -quiet -R -D -o ${iso} ${root}`;
    const tree = await readIsoTree(iso);
    for (const name of names) expect((await tree.read(`directory/${name}`)).toString()).toBe(name);
    expect(tree.get("directory/link")).toMatchObject({ type: "symlink", target: `../${"x".repeat(300)}` });
    expect(tree.get("directory/ä")).toMatchObject({ mode: 0o644, mtime: 1_600_000_000 });
    expect((await tree.read("directory/caf\udce9")).toString()).toBe("bytes");
    expect((await tree.read(`directory/${"deep/".repeat(9)}end`)).toString()).toBe("end");
  });

  test("are where they belong when deep directories were moved", async () => {
    const iso = workspace.path("relocated.iso");
    await workspace.$`genisoimage -quiet -R -o ${iso} ${await makeRoot()}`;
    const tree = await readIsoTree(iso);
    expect((await tree.read(`directory/${"deep/".repeat(9)}end`)).toString()).toBe("end");
  });

  test("have Joliet's names, or plain ones, where there is nothing better", async () => {
    const root = workspace.path("plain");
    await mkdir(root);
    await writeFile(`${root}/Mixed Case.text`, "1");
    const [joliet, plain] = [workspace.path("joliet.iso"), workspace.path("plain.iso")];
    await workspace.$`genisoimage -quiet -J -o ${joliet} ${root} && genisoimage -quiet -o ${plain} ${root}`;
    expect([...(await readIsoTree(joliet)).paths()]).toEqual(["Mixed Case.text"]);
    expect([...(await readIsoTree(plain)).paths()]).toEqual(["MIXED_CA.TEX"]);
  });

  test("are refused when they lie beyond the end, or a directory lies within itself", async () => {
    const root = await makeRoot();
    const iso = workspace.path("whole.iso");
    await workspace.$`genisoimage -quiet -R -D -o ${iso} ${root}`;
    const bytes = await readFile(iso);
    const short = workspace.path("short.iso");
    await writeFile(short, bytes.subarray(0, 20 * 2048));
    await expect(readIsoTree(short)).rejects.toMatchObject({ code: "bad-iso" });
    // The first directory's record follows the root's own two; its place becomes the root's.
    const rootAt = bytes.readUInt32LE(16 * 2048 + 158) * 2048;
    let at = rootAt;
    for (let index = 0; index < 2; index++) at += bytes[at] ?? 0;
    bytes.writeUInt32LE(rootAt / 2048, at + 2);
    const looped = workspace.path("looped.iso");
    await writeFile(looped, bytes);
    await expect(readIsoTree(looped)).rejects.toMatchObject({ code: "bad-iso" });
  });
});
