/** Disk images opened: what they boot, the extensions beside it, and what a disk without a system shows. */
import { spawnSync } from "node:child_process";
import { mkdir, open, readFile, truncate, writeFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { bytesContent, FileTree, packSquashfs, readContent, writeLayer } from "../../src/formats/index.ts";
import { findEntries, type Image, openImage } from "../../src/inspection/index.ts";
import { program } from "../cli/workshop.ts";
import { useWorkspace } from "../formats/workspace.ts";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("mksquashfs", "mke2fs", "mkfs.vfat", "mmd", "mcopy", "sfdisk", "qemu-img");

const workspace = useWorkspace();
const mtime = 1_700_000_000;
const MiB = 1024 * 1024;
const notes: string[] = [];

async function opened(name: string): Promise<Image> {
  notes.length = 0;
  const spoolDir = workspace.path(`${name}.spool`);
  await mkdir(spoolDir, { recursive: true });
  return await openImage(workspace.path(name), { spoolDir, note: (message) => notes.push(message) });
}

const at = (name: string) => workspace.path(`disk/${name}`);
async function empty(name: string, size: number): Promise<string> {
  await writeFile(workspace.path(name), "");
  await truncate(workspace.path(name), size);
  return workspace.path(name);
}

beforeAll(async () => {
  await mkdir(at("boot/grub"), { recursive: true });
  await mkdir(at("tce/optional"), { recursive: true });
  await writeFile(at("boot/vmlinuz64"), "kernel");
  const initrd = new FileTree()
    .addFile("etc/passwd", bytesContent("root"), { mtime })
    .addDirectory("usr", { mtime })
    .ensureParents({ mtime });
  await writeLayer(initrd, at("boot/core.gz"));
  await writeFile(
    at("boot/grub/grub.cfg"),
    "menuentry Core {\n  search --fs-uuid x\n  linux /boot/vmlinuz64 quiet tce=UUID=x\n  initrd /boot/core.gz\n}\n",
  );
  await mkdir(workspace.path("extension/usr/local"), { recursive: true });
  await writeFile(workspace.path("extension/usr/local/tool"), "tool");
  await packSquashfs(workspace.$, workspace.path("extension"), at("tce/optional/tool.tcz"), { epoch: mtime });
  await writeFile(at("tce/onboot.lst"), "tool.tcz\n");
  const ext = await empty("ext", 16 * MiB);
  await workspace.$`mke2fs -q -F -t ext4 -d ${workspace.path("disk")} ${ext}`;
  const esp = await empty("esp", 8 * MiB);
  await workspace.$`mkfs.vfat ${esp}`;
  await workspace.$`mmd -i ${esp} ::EFI`;
  await writeFile(workspace.path("BOOTX64.EFI"), "program");
  await workspace.$`mcopy -i ${esp} ${workspace.path("BOOTX64.EFI")} ::EFI`;
  await workspace.$`mcopy -s -i ${esp} ${at("boot")} ${at("tce")} ::`;
  for (const [name, parts] of [
    ["core.img", ["esp", "ext"]],
    ["data.img", ["data", "data"]],
  ] as const) {
    const disk = await empty(name, 40 * MiB);
    const input = "label: gpt\nstart=1MiB, size=8MiB\nstart=10MiB, size=16MiB\n";
    expect(spawnSync("sfdisk", ["-q", disk], { input })).toMatchObject({ status: 0 });
    if (parts[0] === "data") {
      await mkdir(workspace.path("files"), { recursive: true });
      await writeFile(workspace.path("files/a"), "a");
      await workspace.$`mke2fs -q -F -t ext2 -d ${workspace.path("files")} ${await empty("data", 8 * MiB)}`;
    }
    const handle = await open(disk, "r+");
    await handle.write(await readFile(workspace.path(parts[0])), 0, undefined, 1 * MiB);
    await handle.write(await readFile(workspace.path(parts[1])), 0, undefined, 10 * MiB);
    await handle.close();
  }
});

describe("a disk image", () => {
  it.each([
    ["core.img", ["partition 1", "partition 2", "layer 1", "tool.tcz"]],
    // A file system without a partition table; its files are in pieces on FAT.
    ["ext", ["disk", "layer 1", "tool.tcz"]],
    ["esp", ["disk", "layer 1", "tool.tcz"]],
  ])("(%s) that boots Core shows what the machine sees, with the extensions of tce", async (name, layers) => {
    const image = await opened(name);
    expect(image.kind).toBe("disk image");
    expect(image.layers.map((layer) => layer.name)).toEqual(layers);
    expect((await readContent(image.view.tree.file("usr/local/tool").content)).toString()).toBe("tool");
    expect(image.view.layerOf("usr/local/tool")?.name).toBe("tool.tcz");
    expect((await readContent(image.view.tree.file("etc/passwd").content)).toString()).toBe("root");
    expect(image.bootArguments).toEqual(["quiet", "tce=UUID=x"]);
    expect(await findEntries(image, "vmlinuz64")).toContainEqual({
      ...{ path: "boot/vmlinuz64", type: "file", use: "beside" },
      layer: layers[0],
    });
    expect(notes).toEqual([]);
  });

  it("that boots nothing shows each partition in a directory", async () => {
    const image = await opened("data.img");
    expect([...image.view.tree.paths()].filter((path) => path.endsWith("/a"))).toEqual([
      "partition-1/a",
      "partition-2/a",
    ]);
    expect(image.view.layerOf("partition-2/a")?.name).toBe("partition 2");
  });

  it("is read by the commands, a partition by its name", async () => {
    const task = (...words: readonly string[]) =>
      spawnSync(process.execPath, [program, ...words], { cwd: workspace.path(""), encoding: "utf8" });
    expect(task("ls", "core.img", "usr/local/tool", "--layers").stdout).toMatch(
      /^-rw-r--r-- .* usr\/local\/tool {2}\[tool\.tcz\]\n$/,
    );
    expect(task("cat", "core.img", "EFI/BOOTX64.EFI", "--layer", "partition 1").stdout).toBe("program");
    expect(task("find", "core.img", "tool").stdout).toBe("usr/local/tool  [tool.tcz]\n");
    expect(task("extract", "core.img", "boot/grub", "--layer", "partition 2", "--to", "out")).toMatchObject({
      status: 0,
    });
    expect((await readFile(workspace.path("out/boot/grub/grub.cfg"), "utf8")).slice(0, 9)).toBe("menuentry");
  });

  it("in a form of its own is named, with what to do", async () => {
    for (const form of ["qcow2", "vmdk", "vhdx"]) {
      await workspace.$`qemu-img convert -f raw -O ${form} ${workspace.path("data.img")} ${workspace.path(`data.${form}`)}`;
      await expect(opened(`data.${form}`)).rejects.toMatchObject({
        message: `the file is not an image: it is a disk image of the form ${form}`,
        hint: `convert it: qemu-img convert -f ${form} -O raw IMAGE disk.img`,
      });
    }
  });
});
