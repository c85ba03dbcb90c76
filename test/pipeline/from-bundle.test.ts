/** ISOs made of bundles: our own, ones with the layout of the old scripts, and ones that mean harm. */
import { chmod, copyFile, mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { refusalsOfRazor } from "../support/razor-iso-check.ts";
import { describeTree, type Image, readImage } from "./image.ts";
import {
  epoch,
  makeDirectory,
  openWorkspace,
  removeDirectory,
  sha256,
  type TaskResult,
  version,
  type Workspace,
} from "./workspace.ts";

describe("rebuild-iso with --bundle", () => {
  let workspace: Workspace;
  let directory = "";

  beforeAll(async () => {
    workspace = await openWorkspace();
    directory = await makeDirectory("from bundle");
    await workspace.build(["iso", "bundle", "--source", "sample"]);
  });

  afterAll(() => removeDirectory(directory));

  function rebuild(bundle: string, args: readonly string[] = []): Promise<TaskResult> {
    return workspace.task(["rebuild-iso", "--bundle", path.join(directory, bundle), ...args]);
  }

  async function read(name: string): Promise<Image> {
    const at = path.join(directory, `${name} read`);
    return await readImage(workspace.$, workspace.path(`build-files/${name}`), at);
  }

  it("makes of our own bundle the image that the bundle was packed with, under its version and time", async () => {
    const ours = `rz_mk_dev-image.${version}.iso`;
    const wanted = await read(ours);
    const bundle = path.join(directory, "ours.tar.gz");
    await copyFile(workspace.path("build-files/razor-microkernel-bundle-dev.tar.gz"), bundle);
    // Neither the commit's version nor its time counts: both are the bundle's.
    const made = await rebuild("ours.tar.gz");
    expect(made.status, made.stderr).toBe(0);
    expect(made.stdout).toContain(`build-files/${ours}`);
    const image = await readImage(
      workspace.$,
      workspace.path(`build-files/${ours}`),
      path.join(directory, "again"),
    );
    expect(await describeTree(image.tree)).toEqual(await describeTree(wanted.tree));
    expect(image.entries.map((entry) => entry.path)).toEqual(wanted.entries.map((entry) => entry.path));
    expect(refusalsOfRazor(ours, image.directory, epoch)).toEqual([]);
    expect((await rebuild("ours.tar.gz")).stderr).toMatch(/nothing to do/);
  });

  it("takes the bundle's variant, and refuses another that is asked for", async () => {
    const refused = await rebuild("ours.tar.gz", ["--prod"]);
    expect(refused.status).toBe(2);
    expect(refused.stderr).toContain("the bundle is for dev images, but a prod image is requested");
  });

  /** A bundle as the old scripts packed it, with the owners and modes of the user who ran them. */
  async function packOld(name: string, fill: (overlay: string) => Promise<void>): Promise<void> {
    const at = path.join(directory, `${name} content`);
    const overlay = path.join(at, "overlay");
    const dependencies = path.join(at, "bundle/dependencies");
    for (const one of [overlay, dependencies]) await mkdir(one, { recursive: true });
    await fill(overlay);
    const core = workspace.path(".buildcache/v1/out/shared/fetch-iso/Core-current.iso");
    await copyFile(core, path.join(at, "bundle/Core-current.iso"));
    await writeFile(path.join(at, "bundle/rebuild_iso.sh"), "#!/bin/sh\nISO_NAME=rz_mk_prod-image\n", {
      mode: 0o755,
    });
    const { $ } = workspace;
    const user = ["--owner=someone:1000", "--group=someone:1000"];
    const tarball = path.join(dependencies, "razor-microkernel-overlay.tar.gz");
    await $({ cwd: overlay })`tar czf ${tarball} ${user} ${await readdir(overlay)}`;
    await $({
      cwd: path.join(at, "bundle"),
    })`tar czf ${path.join(directory, name)} ${user} ${await readdir(path.join(at, "bundle"))}`;
  }

  async function fillPlainly(overlay: string): Promise<void> {
    for (const one of ["etc", "tmp/builtin/optional", "opt", "usr/sbin"]) {
      await mkdir(path.join(overlay, one), { recursive: true });
    }
    await writeFile(path.join(overlay, "etc/shadow"), "root:*:15000:0:99999:7:::\ntc:*:15000:0:99999:7:::\n");
    await writeFile(path.join(overlay, "opt/bootsync.sh"), "#!/bin/sh\n");
    await chmod(path.join(overlay, "opt/bootsync.sh"), 0o775);
    await chmod(path.join(overlay, "tmp"), 0o755);
    await workspace.$`ln -s /usr/local/sbin/dmidecode ${path.join(overlay, "usr/sbin/dmidecode")}`;
  }

  it("makes an image of an old bundle, with a version that is named, and owners and modes by rule", async () => {
    await packOld("old.tar.gz", fillPlainly);
    const nameless = await rebuild("old.tar.gz");
    expect(nameless.status).toBe(1);
    expect(nameless.stderr).toMatch(/does not contain its version(.|\n)*--iso-version/);
    const made = await rebuild("old.tar.gz", ["--iso-version", "0.9.0.1"]);
    expect(made.status, made.stderr).toBe(0);
    const { tree } = await read("rz_mk_prod-image.0.9.0.1.iso");
    expect(tree.get("tmp")).toMatchObject({ mode: 0o1777, uid: 0, gid: 0 });
    expect(tree.get("etc/shadow")).toMatchObject({ mode: 0o600, uid: 0, gid: 0 });
    expect(tree.get("opt/bootsync.sh")).toMatchObject({ mode: 0o755, uid: 0, gid: 0 });
    expect(tree.get("usr/sbin/dmidecode")).toMatchObject({ target: "/usr/local/sbin/dmidecode" });
    expect((await tree.read("tmp/mk-version.yaml")).toString()).toContain('mk_version: "0.9.0.1"');
    expect(tree.has("bin/busybox")).toBe(true);
  });

  it("refuses a bundle that would write outside of the image, and builds nothing of it", async () => {
    await packOld("hostile.tar.gz", async (overlay) => {
      await fillPlainly(overlay);
      await workspace.$`ln -s ../../../../../outside ${path.join(overlay, "opt/way-out")}`;
    });
    const before = await readdir(workspace.path("build-files"));
    const refused = await rebuild("hostile.tar.gz", ["--iso-version", "6.6.6"]);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/opt\/way-out leads out of the tree/);
    expect(await readdir(workspace.path("build-files"))).toEqual(before);
  });

  it.each([
    ["nowhere.tar.gz", 2, "does not exist"],
    ["text.tar.gz", 1, "the tarball cannot be read"],
    ["empty.tar.gz", 1, "this is not a bundle"],
  ])("says what is wrong with %s", async (name, status, message) => {
    await writeFile(path.join(directory, "text.tar.gz"), "this is no tarball at all\n".repeat(40));
    await workspace.$({ cwd: directory })`tar czf empty.tar.gz --files-from /dev/null`;
    const refused = await rebuild(name);
    expect(refused.status).toBe(status);
    expect(refused.stderr).toContain(message);
    expect(refused.stderr).toContain(name);
    expect(refused.stderr).not.toMatch(/^\s+at /m);
  });

  it("makes the same bytes of the same bundle", async () => {
    const iso = workspace.path("build-files/rz_mk_prod-image.0.9.0.1.iso");
    const before = await sha256(iso);
    const again = await rebuild("old.tar.gz", ["--iso-version", "0.9.0.1", "--force"]);
    expect(again.status, again.stderr).toBe(0);
    expect(await sha256(iso)).toBe(before);
  });
});
