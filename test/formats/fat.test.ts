/** FAT volumes, read back with mtools. */
import { readFile, stat } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { bytesContent, FileTree, writeFat } from "../../src/formats/index.ts";
import { usesPrograms } from "../support/programs.ts";
import { useWorkspace } from "./workspace.ts";

usesPrograms("mcopy", "mdir", "minfo");

const workspace = useWorkspace();
const epoch = 1_700_000_000;
const program = Buffer.from(Array.from({ length: 300_001 }, (_, index) => (index * 7919) % 251));

function volumeTree(): FileTree {
  return new FileTree()
    .addFile("EFI/BOOT/BOOTX64.EFI", bytesContent(program), { mtime: epoch })
    .addFile("EFI/BOOT/EMPTY.TXT", bytesContent(""), { mtime: epoch })
    .addFile("README", bytesContent("hello\n"), { mtime: epoch })
    .ensureParents({ mtime: epoch });
}

describe("a FAT volume", () => {
  test("holds what was put into it, as mtools reads it", async () => {
    const image = workspace.path("volume.img");
    await writeFat(volumeTree(), image, { epoch });
    const out = workspace.path("read back");
    await workspace.$`mkdir ${out} && mcopy -s -i ${image} ::/EFI ::/README ${out}`;
    expect((await readFile(`${out}/EFI/BOOT/BOOTX64.EFI`)).equals(program)).toBe(true);
    expect(await readFile(`${out}/EFI/BOOT/EMPTY.TXT`, "utf8")).toBe("");
    expect(await readFile(`${out}/README`, "utf8")).toBe("hello\n");
    const listed = (await workspace.$`mdir -i ${image} ::/EFI/BOOT`).stdout;
    expect(listed).toMatch(/BOOTX64 +EFI +300001 2023-11-14 +22:13/);
    expect((await workspace.$`minfo -i ${image} ::`).stdout).toMatch(/disk type="FAT12 +"/);
  });

  test("fills whole sectors of a CD, and says its own size", async () => {
    const image = workspace.path("volume.img");
    await writeFat(volumeTree(), image, { epoch });
    const { size } = await stat(image);
    expect(size % 2048).toBe(0);
    expect((await readFile(image)).readUInt16LE(19) * 512).toBe(size);
  });

  test("has the same bytes for the same tree and time, and others for another time", async () => {
    const [one, two, later] = [workspace.path("1.img"), workspace.path("2.img"), workspace.path("3.img")];
    await writeFat(volumeTree(), one, { epoch });
    await writeFat(volumeTree(), two, { epoch });
    await writeFat(volumeTree(), later, { epoch: epoch + 60 });
    expect(await readFile(one)).toEqual(await readFile(two));
    expect(await readFile(later)).not.toEqual(await readFile(one));
  });

  test("refuses names that are not short, links, and more than it can hold", async () => {
    const refused = (tree: FileTree) => writeFat(tree, workspace.path("no.img"), { epoch });
    for (const name of ["bootx64.efi", "ALONGNAME.EFI", "A.LONG", "A.B.C"]) {
      const tree = new FileTree().addFile(name, bytesContent("x"), { mtime: epoch });
      await expect(refused(tree)).rejects.toMatchObject({ code: "fat-name", where: name });
    }
    const link = new FileTree().addSymlink("LINK", "README", { mtime: epoch });
    await expect(refused(link)).rejects.toMatchObject({ code: "fat-name" });
    const large = new FileTree().addFile("LARGE", bytesContent(Buffer.alloc(9 * 1024 * 1024)), {
      mtime: epoch,
    });
    await expect(refused(large)).rejects.toMatchObject({ code: "fat-too-large" });
  });
});
