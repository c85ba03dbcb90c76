/** RubyGems, MCollective and open-vm-tools, each of which may be switched off. */

import { readdir } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FileTree } from "../../src/formats/index.ts";
import { treeFromTarball } from "../../src/formats/index.ts";
import { makeFolder, openWorkspace, removeFolder, type Workspace } from "./workspace.ts";

const urls = ["ruby-gems-url", "mcollective-url", "open-vm-tools-url"] as const;
const names = {
  "ruby-gems-url": /^rubygems-/,
  "mcollective-url": /^mcollective-/,
  "open-vm-tools-url": /^mk-open-vm/,
};

describe("an image", () => {
  let workspace: Workspace;
  let folder = "";

  beforeAll(async () => {
    workspace = await openWorkspace();
    folder = await makeFolder("extras");
    await workspace.build(["overlay", "--source", "sample", "--prod"]);
  });

  afterAll(() => removeFolder(folder));

  it.each(urls)("does without the one extra whose --%s is none", async (off) => {
    await workspace.build(["fetch-extras", "--source", "sample", `--${off}`, "none"]);
    const fetched = await readdir(workspace.path(".buildcache/v1/out/shared/fetch-extras/extras"));
    for (const url of urls)
      expect(
        fetched.some((name) => names[url].test(name)),
        url,
      ).toBe(url !== off);
  });

  it("leaves no trace of an extra that is switched off", async () => {
    const none = urls.flatMap((url) => [`--${url}`, "none"]);
    await workspace.build(["bundle", "--source", "sample", "--prod", ...none]);
    const bundle = await treeFromTarball(
      workspace.path("build-files/razor-microkernel-bundle-prod.tar.gz"),
      path.join(folder, "bundle"),
    );
    const overlay = await treeFromTarball(
      workspace.path(".buildcache/v1/out/prod/overlay-tarball/razor-microkernel-overlay.tar.gz"),
      path.join(folder, "overlay"),
      { links: "image" },
    );
    expect(bundle.has("dependencies/razor-microkernel-overlay.tar.gz")).toBe(true);
    expect(overlay.has("opt/gems/gem.list")).toBe(true);
    // Gems have files with such names of their own.
    const outside = (tree: FileTree) =>
      tree.paths().filter((name) => !name.startsWith("usr/local/lib/ruby/gems/"));
    for (const tree of [bundle, overlay]) {
      expect(outside(tree).filter((name) => /mcollective|rubygems|open-vm|vmware/i.test(name))).toEqual([]);
    }
  });
});
