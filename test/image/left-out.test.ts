/** The note on what a Core ISO has beside its boot files. */
import { describe, expect, it } from "vitest";
import { bytesContent, FileTree } from "../../src/formats/index.ts";
import { describeLeftOut } from "../../tasks/image/left-out.ts";

/** An ISO with these files; parents are added. */
function iso(...files: readonly string[]): FileTree {
  const tree = new FileTree();
  for (const file of files) tree.addFile(file, bytesContent(""), { mtime: 0 });
  return tree.ensureParents({ mtime: 0 });
}

const note = (tree: FileTree) => describeLeftOut(tree, "CorePlus.iso", "lists/b.lst");

describe("a Core ISO", () => {
  it("with boot files only loses nothing", () => {
    expect(note(iso("boot/core.gz", "EFI/BOOT/BOOTX64.EFI", "isolinux/isolinux.cfg", "boot.catalog"))).toBe(
      undefined,
    );
  });

  it("with a cde directory has its extensions named, of many the first", () => {
    const few = iso("boot/core.gz", "cde/onboot.lst", "cde/optional/a.tcz", "cde/optional/a.tcz.md5.txt");
    expect(note(few)).toBe(
      "CorePlus.iso: the image does not get cde/; its extensions are a.tcz: name those that you need in lists/b.lst",
    );
    const many = Array.from({ length: 8 }, (_, index) => `CDE/OPTIONAL/${index}.TCZ`);
    expect(note(iso(...many))).toContain("0.TCZ, 1.TCZ, 2.TCZ, 3.TCZ, 4.TCZ, and 3 more: name");
  });

  it("with other files has them named, too", () => {
    expect(note(iso("boot/core.gz", "README.txt", "drivers/a.ko", "cde/xwbar.lst"))).toBe(
      "CorePlus.iso: the image does not get README.txt, cde/, drivers/",
    );
  });
});
