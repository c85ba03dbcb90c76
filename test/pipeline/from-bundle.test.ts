/** ISOs made of bundles: our own, ones with the layout of the old scripts, and ones that mean harm. */
import { chmod, copyFile, mkdir, readdir, rename, writeFile } from "node:fs/promises";
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

  /** What a bundle of the old scripts has beside its overlay. */
  interface OldParts {
    /** Scripts by name; without one, the ISO's is that of production. */
    readonly scripts?: Readonly<Record<string, string>>;
    /** Texts by path in further tarballs of `dependencies/`, by name. */
    readonly tarballs?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  }

  /** A bundle as the old scripts packed it, with the owners and modes of the user who ran them. */
  async function packOld(
    name: string,
    fill: (overlay: string) => Promise<void>,
    {
      scripts = { "rebuild_iso.sh": "#!/bin/sh\nISO_NAME=rz_mk_prod-image\n" },
      tarballs = {},
    }: OldParts = {},
  ): Promise<void> {
    const at = path.join(directory, `${name} content`);
    const overlay = path.join(at, "overlay");
    const dependencies = path.join(at, "bundle/dependencies");
    for (const one of [overlay, dependencies]) await mkdir(one, { recursive: true });
    await fill(overlay);
    const core = workspace.path(".buildcache/v1/out/shared/fetch-iso/Core-current.iso");
    await copyFile(core, path.join(at, "bundle/Core-current.iso"));
    for (const [script, text] of Object.entries(scripts))
      await writeFile(path.join(at, "bundle", script), text, { mode: 0o755 });
    const { $ } = workspace;
    const user = ["--owner=someone:1000", "--group=someone:1000"];
    for (const [other, files] of Object.entries(tarballs)) {
      const root = path.join(at, other);
      await put(root, files);
      await $({
        cwd: root,
      })`tar czf ${path.join(dependencies, `${other}.tar.gz`)} ${user} ${await readdir(root)}`;
    }
    const tarball = path.join(dependencies, "razor-microkernel-overlay.tar.gz");
    await $({ cwd: overlay })`tar czf ${tarball} ${user} ${await readdir(overlay)}`;
    await $({
      cwd: path.join(at, "bundle"),
    })`tar czf ${path.join(directory, name)} ${user} ${await readdir(path.join(at, "bundle"))}`;
  }

  async function put(root: string, files: Readonly<Record<string, Buffer | string>>): Promise<void> {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(root, name)), { recursive: true });
      await writeFile(path.join(root, name), text);
    }
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

  const tarballs = {
    "mcollective-setup-files": { "opt/two": "mcollective", "opt/three": "mcollective" },
    "mk-open-vm-tools": { "opt/one": "tools", "opt/two": "tools" },
    "ssh-setup-files": { "opt/three": "ssh" },
    "util-linux-exec-files": { "opt/four": "util-linux" },
  };

  async function fillWithTwo(overlay: string): Promise<void> {
    await fillPlainly(overlay);
    await put(overlay, { "opt/one": "overlay", "opt/two": "overlay" });
  }

  it("unpacks an old bundle's tarballs in the order of its scripts, and names those that they leave", async () => {
    await packOld("order.tar.gz", fillWithTwo, { tarballs });
    const made = await rebuild("order.tar.gz", ["--iso-version", "0.9.1"]);
    expect(made.status, made.stderr).toBe(0);
    expect(made.stderr).toContain("do not unpack dependencies/util-linux-exec-files.tar.gz");
    const { tree } = await read("rz_mk_prod-image.0.9.1.iso");
    const text = async (name: string) => (await tree.read(`opt/${name}`)).toString();
    expect([await text("one"), await text("two"), await text("three")]).toEqual([
      "overlay",
      "mcollective",
      "ssh",
    ]);
    expect(tree.has("opt/four")).toBe(false);

    // A derived project's scripts know other tarballs; what is commented out is not unpacked.
    const loop = `for file in mcollective-setup-files.tar.gz util-linux-exec-files.tar.gz \\
    razor-microkernel-overlay.tar.gz; do\n  tar zxf ../dependencies/$file\ndone\n# mk-open-vm-tools.tar.gz\n`;
    const scripts = {
      "build_initial_directories.sh": loop,
      "rebuild_iso.sh": "ISO_NAME=rz_mk_debug-image\n",
    };
    await packOld("derived.tar.gz", fillWithTwo, { tarballs, scripts });
    const derived = await rebuild("derived.tar.gz", ["--iso-version", "0.9.1"]);
    expect(derived.stderr).toContain(
      "do not unpack dependencies/mk-open-vm-tools.tar.gz, dependencies/ssh-setup-files.tar.gz",
    );
    const other = (await read("rz_mk_debug-image.0.9.1.iso")).tree;
    expect((await other.read("opt/two")).toString()).toBe("overlay");
    expect((await other.read("opt/four")).toString()).toBe("util-linux");
  });

  it("computes the tables of an old bundle's libraries and modules, as its script did", async () => {
    const core = (await read(`rz_mk_dev-image.${version}.iso`)).members[0]?.tree;
    const take = async (end: RegExp): Promise<readonly [string, Buffer]> => {
      const name = core?.paths().find((one) => end.test(one) && core.get(one)?.type === "file");
      if (core === undefined || name === undefined) throw new Error(`Core has no ${end}`);
      return [name, await core.read(name)];
    };
    const [, library] = await take(/\/libm\.so\.6$/);
    const [at, module] = await take(/\/net_failover\.ko$/);
    const release = /lib\/modules\/([^/]+)/.exec(at)?.[1] ?? "";
    await packOld("tables.tar.gz", async (overlay) => {
      await fillPlainly(overlay);
      await put(overlay, {
        "usr/local/lib/libown.so.7": library,
        [`lib/modules/${release}/updates/own_net.ko`]: module,
      });
    });
    const made = await rebuild("tables.tar.gz", ["--iso-version", "0.9.2"]);
    expect(made.status, made.stderr).toBe(0);
    const { tree } = await read("rz_mk_prod-image.0.9.2.iso");
    expect(tree.get("usr/local/lib/libm.so.6")).toMatchObject({ target: "libown.so.7" });
    const cache = path.join(directory, "cache");
    await writeFile(cache, await tree.read("etc/ld.so.cache"));
    const { stdout } = await workspace.$`ldconfig -p -C ${cache}`;
    expect(stdout).toContain("=> /usr/local/lib/libm.so.6\n");
    expect((await tree.read(`lib/modules/${release}/modules.dep`)).toString()).toMatch(
      /^updates\/own_net\.ko: .*failover\.ko/m,
    );
  });

  it("refuses a production bundle with a password, and one whose variant nothing tells", async () => {
    await packOld("password.tar.gz", async (overlay) => {
      await fillPlainly(overlay);
      await writeFile(path.join(overlay, "etc/shadow"), "root:*:15000:::::\ntc:$1$a$b:15000:::::\n");
    });
    const before = await readdir(workspace.path("build-files"));
    const refused = await rebuild("password.tar.gz", ["--iso-version", "0.9.4"]);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/tc has a password.*production(.|\n)*etc\/shadow:2/);
    await packOld("untold.tar.gz", fillPlainly, { scripts: { "rebuild_iso.sh": "#!/bin/sh\n" } });
    const untold = await rebuild("untold.tar.gz", ["--iso-version", "0.9.4"]);
    expect(untold.status).toBe(1);
    expect(untold.stderr).toMatch(
      /does not tell its variant(.|\n)*razor-microkernel-bundle-VARIANT\.tar\.gz/,
    );
    expect(await readdir(workspace.path("build-files"))).toEqual(before);
    await rename(
      path.join(directory, "untold.tar.gz"),
      path.join(directory, "razor-microkernel-bundle-debug.tar.gz"),
    );
    const made = await rebuild("razor-microkernel-bundle-debug.tar.gz", ["--iso-version", "0.9.4"]);
    expect(made.stdout).toContain("rz_mk_debug-image.0.9.4.iso");
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
