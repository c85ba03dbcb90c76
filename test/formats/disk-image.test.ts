/** File systems of disk images, made by the programs that make them everywhere, and read back. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmod,
  lutimes,
  mkdir,
  open,
  readFile,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import {
  contentSize,
  type DiskVolume,
  type FileTree,
  readContent,
  readDiskImage,
} from "../../src/formats/index.ts";
import { usesPrograms } from "../support/programs.ts";
import { useWorkspace } from "./workspace.ts";

usesPrograms("mke2fs", "debugfs", "mkfs.vfat", "mcopy", "mmd", "mdel", "sfdisk");

const workspace = useWorkspace();
const mtime = 1_700_000_000;
const MiB = 1024 * 1024;

/** Bytes that are nowhere the same. */
function noise(size: number): Buffer {
  const pieces: Buffer[] = [];
  for (let index = 0; index * 32 < size; index += 1)
    pieces.push(createHash("sha256").update(`${index}`).digest());
  return Buffer.concat(pieces).subarray(0, size);
}

const large = noise(700_000);

beforeAll(async () => {
  const at = (name: string) => workspace.path(`tree/${name}`);
  await mkdir(at("etc/deep/deeper"), { recursive: true });
  await mkdir(at("many"));
  await writeFile(at("etc/large"), large);
  await writeFile(at("etc/empty"), "");
  await writeFile(at("etc/deep/deeper/a name.txt"), "text\n");
  await writeFile(at("etc/run"), "#!/bin/sh\n");
  await chmod(at("etc/run"), 0o4755);
  await symlink("run", at("etc/short"));
  await symlink(`deep/${"../deep/".repeat(20)}deeper`, at("etc/long"));
  for (let index = 0; index < 300; index += 1)
    await writeFile(at(`many/a file with a long name, number ${index}`), `${index}`);
  for (const name of ["etc/large", "etc/empty", "etc/run"]) await utimes(at(name), mtime, mtime);
  await lutimes(at("etc/short"), mtime, mtime);
});

const notes: string[] = [];
async function read(name: string): Promise<readonly DiskVolume[]> {
  notes.length = 0;
  return await readDiskImage(workspace.path(name), { note: (message) => notes.push(message) });
}

async function onlyTree(name: string): Promise<FileTree> {
  const volumes = await read(name);
  expect(volumes.length).toBe(1);
  return volumes[0]?.tree as FileTree;
}

const content = async (tree: FileTree, path: string) => await readContent(tree.file(path).content);

/** The first files of each directory; a damaged size may be that of a hole of gigabytes. */
async function readSome(tree: FileTree): Promise<void> {
  for (const path of tree.paths()) {
    const node = tree.get(path);
    const isMeant = node?.type === "file" && !/number \d\d/.test(path);
    if (isMeant && contentSize(node.content) < 10 * MiB) await readContent(node.content);
  }
}

async function makeExt(name: string, size: number, ...options: readonly string[]): Promise<void> {
  await writeFile(workspace.path(name), "");
  await truncate(workspace.path(name), size);
  await workspace.$`mke2fs -q -F ${options} -d ${workspace.path("tree")} ${workspace.path(name)}`;
}

describe("an ext file system", () => {
  it.each([
    ["ext4 as it is made today", ["-t", "ext4"]],
    [
      "ext4 with 64 bits, small blocks and small inodes",
      ["-t", "ext4", "-O", "64bit", "-b", "1024", "-I", "128"],
    ],
    ["ext3", ["-t", "ext3"]],
    ["ext2 with block maps two deep", ["-t", "ext2", "-b", "1024"]],
    ["ext2 of the first revision", ["-t", "ext2", "-r", "0"]],
  ])("%s has what was put into it", async (_, options) => {
    await makeExt("ext", 24 * MiB, ...options);
    const tree = await onlyTree("ext");
    expect((await content(tree, "etc/large")).equals(large)).toBe(true);
    expect((await content(tree, "etc/empty")).length).toBe(0);
    expect((await content(tree, "etc/deep/deeper/a name.txt")).toString()).toBe("text\n");
    expect(tree.get("etc/run")).toMatchObject({ type: "file", mode: 0o4755, mtime });
    expect(tree.get("etc/short")).toMatchObject({ type: "symlink", target: "run" });
    expect(tree.get("etc/long")).toMatchObject({ target: `deep/${"../deep/".repeat(20)}deeper` });
    expect(tree.below("many").length).toBe(300);
    expect((await content(tree, "many/a file with a long name, number 299")).toString()).toBe("299");
    expect(tree.get("lost+found")).toMatchObject({ type: "directory", mode: 0o700 });
  });

  it("has holes, hard links, devices, owners, and an indexed directory", async () => {
    await makeExt("special", 64 * MiB, "-t", "ext4");
    const sparse = workspace.path("sparse");
    await writeFile(sparse, "begin");
    const handle = await open(sparse, "r+");
    for (let at = 1; at <= 12; at += 1) await handle.write(`at ${at}`, at * 100_000);
    await handle.close();
    const commands = [
      `write ${sparse.replaceAll(" ", "?")} x`,
      "cd /",
      "mknod null c 1 3",
      "mknod disk b 259 300",
      "mknod pipe p",
      "ln etc/run other",
      "set_inode_field etc/run links_count 2",
      "set_inode_field etc/empty uid 70000",
      "set_inode_field etc/empty mtime @4294967296",
    ].slice(1);
    await writeFile(workspace.path("commands"), `${commands.join("\n")}\n`);
    await workspace.$`debugfs -w -f ${workspace.path("commands")} ${workspace.path("special")}`;
    await workspace.$`debugfs -w -R ${"write sparse sparse"} ${workspace.path("special")}`;
    const tree = await onlyTree("special");
    expect((await content(tree, "sparse")).equals(await readFile(sparse))).toBe(true);
    expect(tree.get("null")).toMatchObject({ type: "char", major: 1, minor: 3 });
    expect(tree.get("disk")).toMatchObject({ type: "block", major: 259, minor: 300 });
    expect(tree.get("pipe")).toMatchObject({ type: "fifo" });
    expect(tree.get("etc/empty")).toMatchObject({ uid: 70000, mtime: 4294967296 });
    const [one, other] = [tree.file("etc/run"), tree.file("other")];
    expect(one.linkGroup).toBeDefined();
    expect(other.linkGroup).toBe(one.linkGroup);
  });

  it("whose tree of extents would take for ever to walk through is refused", async () => {
    await makeExt("tree-bomb", 24 * MiB, "-t", "ext4", "-b", "1024", "-O", "^metadata_csum");
    const image = workspace.path("tree-bomb");
    const { stdout } = await workspace.$`debugfs -R ${"blocks etc/large"} ${image}`;
    const blocks = stdout.trim().split(/\s+/).slice(0, 5).map(Number);
    // Five nodes, each of which has the next one 84 times; the last one is empty.
    const handle = await open(image, "r+");
    for (const [index, block] of blocks.entries()) {
      const node = Buffer.alloc(1024);
      const next = blocks[index + 1];
      node.writeUInt16LE(0xf30a, 0);
      node.writeUInt16LE(next === undefined ? 0 : 84, 2);
      node.writeUInt16LE(84, 4);
      node.writeUInt16LE(4 - index, 6);
      for (let entry = 0; next !== undefined && entry < 84; entry += 1)
        node.writeUInt32LE(next, 12 + 12 * entry + 4);
      await handle.write(node, 0, 1024, block * 1024);
    }
    await handle.close();
    const words = [
      "block[0] 0x1f30a",
      "block[1] 0x50004",
      "block[3] 0",
      `block[4] ${blocks[0]}`,
      "block[5] 0",
    ];
    await writeFile(
      workspace.path("words"),
      words.map((word) => `set_inode_field etc/large ${word}\n`).join(""),
    );
    await workspace.$`debugfs -w -f ${workspace.path("words")} ${image}`;
    // The superblock's number of blocks is no limit.
    const again = await open(image, "r+");
    await again.write(Buffer.alloc(4, 0xff), 0, 4, 1024 + 4);
    await again.close();
    const tree = await onlyTree("tree-bomb");
    await expect(content(tree, "etc/large")).rejects.toMatchObject({
      code: "bad-file-system",
      message: "the ext file system is damaged: it has blocks that several files share",
    });
  });

  it("with a feature that is not read is refused with its name", async () => {
    await makeExt("inline", 24 * MiB, "-t", "ext4", "-O", "inline_data");
    await expect(read("inline")).rejects.toMatchObject({
      code: "unsupported-file-system",
      message: "the ext file system uses inline data, which is not supported",
    });
  });

  it("that is truncated or damaged anywhere is refused, or read, and never crashes or hangs", async () => {
    await makeExt("whole", 8 * MiB, "-t", "ext4", "-b", "1024");
    const bytes = await readFile(workspace.path("whole"));
    await writeFile(workspace.path("cut"), bytes.subarray(0, 200_000));
    await expect(
      read("cut").then(async ([volume]) => await content(volume?.tree as FileTree, "etc/large")),
    ).rejects.toMatchObject({
      code: expect.stringMatching(/^bad-file-system$/),
    });
    for (let round = 0; round < 50; round += 1) {
      const broken = Buffer.from(bytes);
      // The metadata is at the beginning: groups, bitmaps, inodes, the first directories.
      for (let count = 0; count < 20; count += 1) {
        const random = createHash("sha256").update(`${round} ${count}`).digest();
        broken[1024 + (random.readUInt32LE(0) % 300_000)] = random[4] ?? 0;
      }
      await writeFile(workspace.path("broken"), broken);
      try {
        for (const { tree } of await read("broken")) await readSome(tree);
      } catch (error) {
        expect(error).toMatchObject({
          code: expect.stringMatching(/^(bad|unsupported|no)-file-system$|^bomb$|^not-/),
        });
      }
    }
  });
});

describe("a FAT file system", () => {
  async function makeFat(name: string, size: number, ...options: readonly string[]): Promise<void> {
    const image = workspace.path(name);
    await writeFile(image, "");
    await truncate(image, size);
    await workspace.$`mkfs.vfat ${options} ${image}`;
    await workspace.$({
      env: { ...process.env, TZ: "UTC" },
    })`mcopy -s -m -i ${image} ${["etc/deep", "etc/large", "etc/empty", "etc/run", "many"].map((one) => workspace.path(`tree/${one}`))} ::`;
    await workspace.$`mmd -i ${image} ::EFI ::EFI/BOOT`;
  }

  it.each([
    ["FAT12", 3 * MiB, ["-F", "12"]],
    ["FAT16", 24 * MiB, ["-F", "16"]],
    ["FAT32", 40 * MiB, ["-F", "32", "-s", "1"]],
    ["large clusters", 64 * MiB, ["-F", "16", "-s", "32"]],
  ])("(%s) has what was put into it, with long names", async (_, size, options) => {
    await makeFat("fat", size, ...options);
    const tree = await onlyTree("fat");
    expect((await content(tree, "large")).equals(large)).toBe(true);
    expect((await content(tree, "empty")).length).toBe(0);
    expect((await content(tree, "deep/deeper/a name.txt")).toString()).toBe("text\n");
    expect(tree.get("run")).toMatchObject({ type: "file", mode: 0o755, uid: 0, mtime });
    expect(tree.below("many").length).toBe(300);
    expect(tree.get("EFI/BOOT")).toMatchObject({ type: "directory" });
  });

  it("whose files are in pieces is put together", async () => {
    await makeFat("pieces", 3 * MiB, "-F", "12");
    const image = workspace.path("pieces");
    await workspace.$`mdel -i ${image} ${"::many/a file with a long name, number 10"} ${"::many/a file with a long name, number 20"}`;
    await writeFile(workspace.path("new"), large.subarray(0, 100_000));
    await workspace.$`mcopy -i ${image} ${workspace.path("new")} ::`;
    const tree = await onlyTree("pieces");
    expect((await content(tree, "new")).equals(large.subarray(0, 100_000))).toBe(true);
    expect(tree.below("many").length).toBe(298);
  });

  it("that is damaged anywhere is refused, or read, and never crashes or hangs", async () => {
    await makeFat("whole-fat", 3 * MiB, "-F", "12");
    const bytes = await readFile(workspace.path("whole-fat"));
    for (let round = 0; round < 50; round += 1) {
      const broken = Buffer.from(bytes);
      for (let count = 0; count < 20; count += 1) {
        const random = createHash("sha256").update(`${round} ${count}`).digest();
        broken[11 + (random.readUInt32LE(0) % 40_000)] = random[4] ?? 0;
      }
      await writeFile(workspace.path("broken-fat"), broken);
      try {
        for (const { tree } of await read("broken-fat")) await readSome(tree);
      } catch (error) {
        expect(error).toMatchObject({ code: expect.stringMatching(/^(bad|no)-file-system$|^bomb$|^not-/) });
      }
    }
  });
});

describe("a disk", () => {
  /** A disk with these partitions, each the file of a file system, from 1 MiB on. */
  async function makeDisk(
    name: string,
    label: "dos" | "gpt",
    parts: readonly string[],
    script: string,
  ): Promise<void> {
    const disk = workspace.path(name);
    await writeFile(disk, "");
    await truncate(disk, 128 * MiB);
    const made = spawnSync("sfdisk", ["-q", disk], { input: `label: ${label}\n${script}`, encoding: "utf8" });
    expect(made).toMatchObject({ status: 0 });
    const handle = await open(disk, "r+");
    for (const part of parts) {
      const [file = "", start] = part.split("@");
      await handle.write(await readFile(workspace.path(file)), 0, undefined, Number(start) * MiB);
    }
    await handle.close();
  }

  it("has the file systems of its partitions, in a GPT as in an MBR with logical ones; what is none is named", async () => {
    await makeExt("data", 24 * MiB, "-t", "ext4");
    await writeFile(workspace.path("esp"), "");
    await truncate(workspace.path("esp"), 8 * MiB);
    await workspace.$`mkfs.vfat ${workspace.path("esp")}`;
    await workspace.$`mmd -i ${workspace.path("esp")} ::EFI`;
    await writeFile(workspace.path("swap"), noise(8192));
    await makeDisk(
      "gpt",
      "gpt",
      ["esp@1", "swap@10", "data@20"],
      "start=1MiB, size=8MiB\nstart=9MiB, size=1MiB\nstart=10MiB, size=8MiB\nstart=20MiB, size=24MiB\n",
    );
    const kinds = (volumes: readonly DiskVolume[]) =>
      volumes.map(({ partition, kind }) => `${partition}: ${kind}`);
    const gpt = await read("gpt");
    expect(kinds(gpt)).toEqual(["1: FAT", "4: ext"]);
    expect(notes).toEqual(["omitted partition 3: it has no ext or FAT file system"]);
    expect((await content(gpt[1]?.tree as FileTree, "etc/large")).equals(large)).toBe(true);

    await makeDisk(
      "mbr",
      "dos",
      ["esp@1", "data@20", "data@60"],
      "start=1MiB, size=8MiB, type=c\nstart=18MiB, size=100MiB, type=5\nstart=20MiB, size=24MiB\nstart=60MiB, size=24MiB\n",
    );
    expect(kinds(await read("mbr"))).toEqual(["1: FAT", "5: ext", "6: ext"]);
  });

  it("without any file system that can be read is refused", async () => {
    await makeDisk("none", "gpt", [], "start=1MiB, size=8MiB\n");
    await expect(read("none")).rejects.toMatchObject({ code: "no-file-system" });
  });
});
