/**
 * Finding Ruby's library directory in Tiny Core's extensions of Ruby: 1.8 in release 4, three numbers in later ones. The
 * extensions' independent writer is mksquashfs, and a Ruby's own answer is `RbConfig::CONFIG["rubylibdir"]`.
 */
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { bytesContent, FileTree } from "../../src/formats/index.ts";
import { findRuby, linkRubyLibrary } from "../../tasks/image/ruby-library.ts";
import { useWorkspace } from "../formats/workspace.ts";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("mksquashfs", "unsquashfs");

const workspace = useWorkspace();

async function extension(directory: string, name: string, files: readonly string[]): Promise<void> {
  const root = path.join(directory, `${name}.root`);
  for (const file of files) {
    await mkdir(path.dirname(path.join(root, file)), { recursive: true });
    await writeFile(path.join(root, file), "");
  }
  await workspace.$`mksquashfs ${root} ${path.join(directory, name)} -b 4096 -no-xattrs -all-root -noappend -quiet -no-progress`;
}

describe("the library of the image's Ruby", () => {
  it.each([
    ["1.8", "ruby.tcz"],
    ["1.9.1", "ruby.tcz"],
    ["3.4.0", "ruby3.4.tcz"],
  ])("is found for %s in %s", async (version, name) => {
    const directory = workspace.path(`ruby ${version}`);
    await extension(directory, "rubygems.tcz", ["usr/local/lib/ruby/site_ruby/9.9/optparse.rb"]);
    await extension(directory, "bash.tcz", ["usr/local/lib/ruby/9.9/optparse.rb"]);
    await extension(directory, name, [`usr/local/lib/ruby/${version}/optparse.rb`, "usr/local/bin/ruby"]);
    expect(await findRuby(workspace.$, directory)).toEqual({ version, inPlace: true });
  });

  it("is elsewhere for a distribution's Ruby, and none without a Ruby", async () => {
    const directory = workspace.path("other ruby");
    await extension(directory, "bash.tcz", ["usr/bin/bash"]);
    expect(await findRuby(workspace.$, directory)).toBeUndefined();
    await extension(directory, "ruby.tcz", ["usr/lib/ruby/3.3.0/optparse.rb"]);
    expect(await findRuby(workspace.$, directory)).toEqual({ version: "3.3.0", inPlace: false });
  });

  const overlay = () =>
    new FileTree().addFile("usr/local/lib/ruby/1.8/razor_microkernel/logging.rb", bytesContent("x"), {
      mtime: 0,
    });
  const link = "usr/local/lib/ruby/3.4.0/razor_microkernel";

  it("gets a link to the Microkernel's own, which keeps its place", () => {
    const tree = overlay();
    linkRubyLibrary(tree, "3.4.0", 7);
    expect(tree.get(link)).toMatchObject({ type: "symlink", target: "../1.8/razor_microkernel", mtime: 7 });
    expect(tree.size).toBe(2);
  });

  it.each([
    ["of Ruby 1.8", overlay(), "1.8"],
    ["without a Ruby", overlay(), ""],
    ["without the library", new FileTree(), "3.4.0"],
    [
      "with files of its own there",
      overlay().addFile(`${link}/a.rb`, bytesContent(""), { mtime: 0 }).ensureParents({ mtime: 0 }),
      "3.4.0",
    ],
  ])("gets none in an image %s", (_what, tree, version) => {
    const { size } = tree;
    linkRubyLibrary(tree, version, 7);
    expect(tree.size).toBe(size);
  });
});
