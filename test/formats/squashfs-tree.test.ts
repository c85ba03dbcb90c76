/**
 * squashfs files read without a tool, compared with what `unsquashfs` lists and unpacks. Structures: Linux
 * `fs/squashfs/squashfs_fs.h`.
 */
import { mkdir, open, readFile, symlink, truncate, writeFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import {
  contentSize,
  type FileTree,
  listSquashfs,
  packSquashfs,
  readSquashfsTree,
  streamContent,
} from "../../src/formats/index.ts";
import { squashfsBytes } from "../hostile/tcz-builder.ts";
import { usesPrograms } from "../support/programs.ts";
import { useWorkspace } from "./workspace.ts";

usesPrograms("unsquashfs", "mksquashfs");

const workspace = useWorkspace();
const epoch = 1_700_000_000;

async function read(name: string, before = 0): Promise<FileTree> {
  const file = workspace.path(name);
  const size = (await readFile(file)).length - before;
  return await readSquashfsTree({ path: file, offset: before, size }, { label: name });
}

async function bytesOf(tree: FileTree, path: string): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of streamContent(tree.file(path).content)) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe("a squashfs file as a tree", () => {
  const oddName = Buffer.from("b\xfcse\n", "latin1");
  const large = Buffer.alloc(300_000, "some text that is packed well, and numbers 0123456789\n");

  beforeAll(async () => {
    const { $ } = workspace;
    const from = workspace.path("from");
    await mkdir(`${from}/usr/local/bin`, { recursive: true });
    await mkdir(`${from}/many`);
    await writeFile(`${from}/usr/local/bin/large`, large);
    await writeFile(`${from}/usr/local/bin/small`, "small\n");
    await writeFile(`${from}/usr/empty`, "");
    await writeFile(
      `${from}/usr/noise`,
      Buffer.from(Array.from({ length: 9000 }, (_, at) => (at * at * 7) % 251)),
    );
    await writeFile(Buffer.concat([Buffer.from(`${from}/usr/`), oddName]), "odd\n");
    await symlink("../bin/large", `${from}/usr/local/link`);
    await $`mkfifo -m 622 ${`${from}/pipe`}`;
    await $`ln ${`${from}/usr/empty`} ${`${from}/usr/zero`} && ln ${`${from}/usr/noise`} ${`${from}/usr/noise-2`}`;
    await Promise.all(Array.from({ length: 700 }, (_, at) => writeFile(`${from}/many/file-${at}`, `${at}`)));
    const sparse = await open(`${from}/usr/sparse`, "w");
    await sparse.write("end", 200_000);
    await sparse.close();
    // -p makes what only root could make on disk.
    const devices = ["-p", "console c 600 3 50 5 1", "-p", "disk b 660 0 6 259 700"];
    await $`env -u SOURCE_DATE_EPOCH mksquashfs ${from} ${workspace.path("all.tcz")} -b 4096 -noappend -quiet -no-progress -mkfs-time ${epoch} ${devices}`;
    await $`env -u SOURCE_DATE_EPOCH mksquashfs ${from} ${workspace.path("plain.tcz")} -noI -noD -noF -noappend -quiet -no-progress`;
    await $`env -u SOURCE_DATE_EPOCH mksquashfs ${from} ${workspace.path("xz.tcz")} -comp xz -noappend -quiet -no-progress`;
  });

  it.each(["all.tcz", "plain.tcz"])("of %s has the entries that unsquashfs lists", async (name) => {
    const tree = await read(name);
    // A name that is no UTF-8 or has a line break is beyond the listing's lines.
    const { $ } = workspace;
    const listing =
      await $`unsquashfs -lln ${workspace.path(name)} | grep -v 'squashfs-root/usr/b' | grep -c squashfs-root/`;
    expect(tree.size).toBe(Number(listing.stdout) + 1);
    expect(tree.get("usr/local/link")).toMatchObject({ type: "symlink", target: "../bin/large" });
    expect(tree.get("usr/b\udcfcse\n")).toMatchObject({ type: "file" });
    expect(tree.paths().filter((path) => path.startsWith("many/"))).toHaveLength(700);
  });

  it("has the modes, owners, sizes and targets that unsquashfs lists", async () => {
    const { $ } = workspace;
    const from = workspace.path("listed");
    await $`mkdir -p ${from} && cp -a ${workspace.path("from/many")} ${workspace.path("from/usr/local")} ${from}`;
    await packSquashfs($, from, workspace.path("listed.tcz"), { epoch });
    const tree = await read("listed.tcz");
    const entries = await listSquashfs($, workspace.path("listed.tcz"));
    expect(tree.paths()).toEqual(entries.map(({ path }) => path));
    for (const { path, type, mode, uid, gid, size, target } of entries) {
      const node = tree.get(path);
      expect(node).toMatchObject({ type, mode, uid, gid, mtime: epoch });
      if (node?.type === "file") expect(contentSize(node.content)).toBe(size);
      if (node?.type === "symlink") expect(node.target).toBe(target);
    }
  });

  it.each(["all.tcz", "plain.tcz"])("of %s has the contents that unsquashfs unpacks", async (name) => {
    const tree = await read(name);
    const to = workspace.path(`unpacked ${name}`);
    // As another user than root it cannot make the devices, and says so with its status.
    await workspace.$`unsquashfs -no-progress -quiet -dest ${to} ${workspace.path(name)} || test -d ${to}`;
    for (const path of [
      "usr/local/bin/large",
      "usr/local/bin/small",
      "usr/empty",
      "usr/noise",
      "usr/sparse",
    ]) {
      expect((await bytesOf(tree, path)).equals(await readFile(`${to}/${path}`)), path).toBe(true);
    }
    expect(await bytesOf(tree, "many/file-699")).toEqual(Buffer.from("699"));
    expect(await bytesOf(tree, "usr/b\udcfcse\n")).toEqual(Buffer.from("odd\n"));
  });

  it("has devices with their numbers, and names of one file as one group", async () => {
    const tree = await read("all.tcz");
    expect(tree.get("console")).toMatchObject({
      type: "char",
      major: 5,
      minor: 1,
      mode: 0o600,
      uid: 3,
      gid: 50,
    });
    expect(tree.get("disk")).toMatchObject({ type: "block", major: 259, minor: 700, mode: 0o660, gid: 6 });
    expect(tree.get("pipe")).toMatchObject({ type: "fifo", mode: 0o622 });
    const groupOf = (path: string) => tree.file(path).linkGroup;
    expect(groupOf("usr/noise")).toBeDefined();
    expect(groupOf("usr/noise-2")).toBe(groupOf("usr/noise"));
    expect(groupOf("usr/zero")).toBe(groupOf("usr/empty"));
    expect(groupOf("usr/zero")).not.toBe(groupOf("usr/noise"));
    expect(groupOf("usr/local/bin/small")).toBeUndefined();
  });

  it("is found where it lies in a larger file", async () => {
    const bytes = await readFile(workspace.path("all.tcz"));
    await writeFile(workspace.path("inside"), Buffer.concat([Buffer.alloc(1234, 7), bytes]));
    const tree = await read("inside", 1234);
    expect((await bytesOf(tree, "usr/local/bin/large")).equals(large)).toBe(true);
  });

  it("is refused with the compression's name where that is not gzip", async () => {
    await expect(read("xz.tcz")).rejects.toMatchObject({
      code: "unsupported-compression",
      message: "the squashfs file is compressed with xz; only gzip is supported",
    });
  });

  it("is refused when it is truncated, is none, or unpacks to too much", async () => {
    const { $ } = workspace;
    await $`cp ${workspace.path("all.tcz")} ${workspace.path("short.tcz")}`;
    await truncate(workspace.path("short.tcz"), 5000);
    await expect(read("short.tcz")).rejects.toMatchObject({
      code: "bad-squashfs",
      message: expect.stringMatching(/it is truncated: it has 5000 of \d+ bytes/),
    });
    await writeFile(workspace.path("none.tcz"), "<html>");
    await expect(read("none.tcz")).rejects.toMatchObject({ code: "bad-squashfs" });
    await writeFile(workspace.path("noise.tcz"), squashfsBytes(Buffer.alloc(4000, 3)));
    await expect(read("noise.tcz")).rejects.toMatchObject({ code: "bad-squashfs" });
    const all = workspace.path("all.tcz");
    const stretch = { path: all, offset: 0, size: (await readFile(all)).length };
    await expect(readSquashfsTree(stretch, { limits: { maxBytes: 1000 } })).rejects.toMatchObject({
      code: "bomb",
    });
    await expect(readSquashfsTree(stretch, { limits: { maxEntries: 100 } })).rejects.toMatchObject({
      code: "bomb",
    });
  });
});
