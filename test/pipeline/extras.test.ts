/** RubyGems, MCollective and open-vm-tools, each of which may be switched off. */

import { readdir } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { treeFromTarball } from "../../src/formats/index.ts";
import { makeDirectory, openWorkspace, removeDirectory, type Workspace } from "./workspace.ts";

const urls = ["ruby-gems-url", "mcollective-url", "open-vm-tools-url"] as const;
const names = {
  "ruby-gems-url": /^rubygems-/,
  "mcollective-url": /^mcollective-/,
  "open-vm-tools-url": /^mk-open-vm/,
};

describe("an image", () => {
  let workspace: Workspace;
  let directory = "";

  beforeAll(async () => {
    workspace = await openWorkspace();
    directory = await makeDirectory("extras");
    await workspace.build(["overlay", "--source", "sample", "--prod"]);
  });

  afterAll(() => removeDirectory(directory));

  it.each(urls)("does without the one extra whose --%s is none", async (off) => {
    await workspace.build(["fetch-extras", "--source", "sample", `--${off}`, "none"]);
    const fetched = await readdir(workspace.path(".buildcache/v1/out/shared/fetch-extras/extras"));
    for (const url of urls)
      expect(
        fetched.some((name) => names[url].test(name)),
        url,
      ).toBe(url !== off);
  });

  it("has the secrets of MCollective in a dev image only, and says so", async () => {
    const secrets = ["--mcollective-password", "geheim", "--mcollective-psk", "klot"];
    const configuration = async (variant: string): Promise<string> => {
      const setups = `.buildcache/v1/out/${variant}/setup-files/setups/mcollective-setup-files.tar.gz`;
      const tree = await treeFromTarball(workspace.path(setups), path.join(directory, variant));
      return (await tree.read("usr/local/etc/mcollective/server.cfg")).toString();
    };
    const dev = await workspace.build(["setup-files", "--source", "sample", "--dev", ...secrets]);
    expect(dev.stderr).not.toContain("MCollective is not started");
    expect(await configuration("dev")).toMatch(
      /^plugin\.psk = klot$[\s\S]*^plugin\.rabbitmq\.pool\.1\.password = geheim$/m,
    );
    const prod = await workspace.build(["setup-files", "--source", "sample", "--prod", ...secrets]);
    expect(prod.stderr).toContain("MCollective is not started in a production image");
    expect(await configuration("prod")).not.toMatch(/klot|geheim|psk = |password/);
  });

  it("leaves no trace of an extra that is switched off", async () => {
    const none = urls.flatMap((url) => [`--${url}`, "none"]);
    await workspace.build(["bundle", "--source", "sample", "--prod", ...none]);
    const bundle = await treeFromTarball(
      workspace.path("build-files/razor-microkernel-bundle-prod.tar.gz"),
      path.join(directory, "bundle"),
    );
    const overlay = await treeFromTarball(
      workspace.path(".buildcache/v1/out/prod/overlay-tarball/razor-microkernel-overlay.tar.gz"),
      path.join(directory, "overlay"),
      { links: "image" },
    );
    expect(bundle.has("dependencies/razor-microkernel-overlay.tar.gz")).toBe(true);
    expect(overlay.has("opt/gems/gem.list")).toBe(true);
    // The Microkernel's library is the same in every image, and gems have files with such names of their own.
    const library = "usr/local/lib/ruby/1.8/razor_microkernel/rz_mcollective_daemon.rb";
    for (const tree of [bundle, overlay]) {
      const traces = tree.paths().filter((name) => /mcollective|rubygems|open-vm|vmware/i.test(name));
      const outside = traces.filter((name) => !name.startsWith("usr/local/lib/ruby/gems/"));
      expect(outside.filter((name) => name !== library)).toEqual([]);
    }
  });
});
