/** What is true of the image's files whatever is built. */
import { describe, expect, it } from "vitest";
import { bytesContent, FileTree } from "../../src/formats/index.ts";
import { relativeModuleLinks } from "../../tasks/image/image-tree.ts";

describe("Core's link to the modules of extensions", () => {
  it("is relative in the image, so that it leads to the same place wherever the image is unpacked", () => {
    const core = new FileTree()
      .addSymlink(
        "lib/modules/3.0.21-tinycore/kernel.tclocal",
        "/usr/local/lib/modules/3.0.21-tinycore/kernel",
        {
          mtime: 0,
        },
      )
      .addSymlink("lib/modules/3.0.21-tinycore/build", "/usr/src/linux", { mtime: 0 })
      .addFile("lib/modules/3.0.21-tinycore/modules.dep", bytesContent(""), { mtime: 0 });
    const links = relativeModuleLinks(core, 7);
    expect([...links]).toEqual([
      [
        "lib/modules/3.0.21-tinycore/kernel.tclocal",
        expect.objectContaining({
          type: "symlink",
          target: "../../../usr/local/lib/modules/3.0.21-tinycore/kernel",
          mtime: 7,
        }),
      ],
    ]);
  });

  it("stays as it is where it is relative already", () => {
    const core = new FileTree().addSymlink(
      "usr/lib/modules/6.6.8-tinycore64/kernel.tclocal",
      "../../../local/lib/modules/6.6.8-tinycore64/kernel",
      { mtime: 0 },
    );
    expect(relativeModuleLinks(core, 7).size).toBe(0);
  });
});
