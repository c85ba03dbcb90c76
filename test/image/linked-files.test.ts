/** Which files of an image the tables of libraries and modules depend on. */
import { describe, expect, it } from "vitest";
import { bytesContent, FileTree } from "../../src/formats/index.ts";
import { isLibraryFile, linkedFiles, moduleRelease } from "../../tasks/image/linked-files.ts";

describe("a library", () => {
  it.each([
    ["lib/libc.so.6", true],
    ["usr/local/lib/libown.so", true],
    ["lib/ld-linux.so.2", true],
    ["etc/ld.so.conf", true],
    ["etc/ld.so.conf.d/own.conf", true],
    ["usr/local/lib/plugin.so", false],
    ["usr/local/lib/liberty.txt", false],
    ["etc/ld.so.cache", false],
  ])("at %s: %s", (name, expected) => expect(isLibraryFile(name)).toBe(expected));
});

describe("a module", () => {
  it.each([
    ["lib/modules/6.1/kernel/fs/x.ko", "6.1"],
    ["usr/local/lib/modules/3.0.21-tinycore/kernel/x.ko.gz", "3.0.21-tinycore"],
    ["lib/modules/6.1/kernel/x.ko.txt", undefined],
    ["lib/modules/x.ko", undefined],
  ])("at %s is for %s", (name, release) => expect(moduleRelease(name)).toBe(release));
});

it("depends on libraries, modules, tables and links, each with its directories as they are", () => {
  const mtime = 0;
  const tree = new FileTree()
    .addDirectory("usr", { mtime, mode: 0o700 })
    .addFile("usr/lib/libx.so", bytesContent("x"), { mtime })
    .addFile("usr/lib/x.rb", bytesContent("x"), { mtime })
    .addFile("lib/modules/6.1/modules.dep", bytesContent(""), { mtime })
    .addSymlink("lib64", "usr/lib", { mtime })
    .addDirectory("opt", { mtime })
    .ensureParents({ mtime });
  const linked = linkedFiles(tree);
  expect(linked.paths()).toEqual([
    ...["lib", "lib/modules", "lib/modules/6.1", "lib/modules/6.1/modules.dep", "lib64"],
    ...["usr", "usr/lib", "usr/lib/libx.so"],
  ]);
  expect(linked.get("usr")).toMatchObject({ mode: 0o700 });
  // An overlay has another time with each commit, and its tables are the same.
  const later = new FileTree([...tree].map(([name, node]) => [name, { ...node, mtime: 7 }]));
  expect([...linkedFiles(later)]).toEqual([...linked]);
});
