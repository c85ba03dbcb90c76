/** A project with extensions of its own: in the image, in the bundle, in a remastered Core, and as a mirror for others. */
import { appendFileSync, chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { usesPrograms } from "../support/programs.ts";
import { readImage } from "./image.ts";
import {
  copyWorkspace,
  makeDirectory,
  openWorkspace,
  removeDirectory,
  version,
  type Workspace,
} from "./workspace.ts";

usesPrograms("tar", "unsquashfs", "xorriso");

const options = ["--source", "sample", "--iso-version", version];

describe("a project with extensions of its own", () => {
  let directory = "";
  let workspace: Workspace;
  const write = (name: string, text: string, mode = 0o644): void => {
    const file = workspace.path(name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
    chmodSync(file, mode);
  };
  const image = async () =>
    await readImage(
      workspace.$,
      workspace.path(`build-files/rz_mk_dev-image.${version}.iso`),
      path.join(directory, `image ${readdirSync(directory).length}`),
    );

  beforeAll(async () => {
    const built = await openWorkspace();
    await built.build(["iso", ...options]);
    directory = await makeDirectory("own extensions");
    workspace = await copyWorkspace(built, path.join(directory, "the workspace"));
    write("extensions/hello/tree/usr/local/bin/hello", "#!/bin/sh\necho hello\n", 0o755);
    write("extensions/hello/installed", "#!/bin/sh\n/usr/local/bin/hello >/tmp/hello\n");
    write("extensions/hello/dep", "all.tcz\n");
    write("extensions/all/dep", "dmidecode.tcz\n");
    write("extensions/lshw/tree/usr/local/bin/lshw", "#!/bin/sh\necho another\n", 0o755);
    appendFileSync(workspace.path("lists/builtin-extensions.lst"), "hello.tcz\n");
    appendFileSync(workspace.path("lists/mirror-extensions.lst"), "hello.tcz\n");
  });
  afterAll(() => removeDirectory(directory));

  it("has them loaded at boot and in the image's mirror, dependencies first, and not among the pins", async () => {
    const { stderr } = await workspace.build(["iso", ...options]);
    expect(stderr).toContain("extensions/lshw: the project's own lshw.tcz takes the place of the mirror's");
    const { tree } = await image();
    const onboot = (await tree.read("tmp/builtin/onboot.lst")).toString().split("\n");
    expect(onboot.indexOf("all.tcz")).toBeGreaterThan(onboot.indexOf("dmidecode.tcz"));
    expect(onboot.indexOf("hello.tcz")).toBeGreaterThan(onboot.indexOf("all.tcz"));
    for (const name of ["hello.tcz", "hello.tcz.md5.txt", "hello.tcz.dep", "all.tcz", "lshw.tcz"])
      expect(tree.get(`tmp/builtin/optional/${name}`)).toMatchObject({ mode: 0o644, uid: 0, gid: 0 });
    expect(tree.has("tmp/tinycorelinux/14.x/x86_64/tcz/hello.tcz.list")).toBe(true);
    expect((await tree.read("tmp/builtin/optional/hello.tcz.dep")).toString()).toBe("all.tcz\n");
    const lshw = path.join(directory, "lshw.tcz");
    writeFileSync(lshw, await tree.read("tmp/builtin/optional/lshw.tcz"));
    const { stdout } = await workspace.$`unsquashfs -cat ${lshw} usr/local/bin/lshw`;
    expect(stdout).toContain("echo another");
    expect(readFileSync(workspace.path(".buildcache/sample.lock.json"), "utf8")).not.toMatch(
      /"(hello|all)\.tcz"/,
    );
  });

  it("packs one of them and its layer when a file of it is edited, and nothing else", async () => {
    write("extensions/hello/tree/usr/local/bin/hello", "#!/bin/sh\necho hallo\n", 0o755);
    const { stderr } = await workspace.build(["iso", ...options]);
    const ran = [...stderr.matchAll(/^✓ (\S+): rebuilt/gm)].map(([, name]) => name);
    expect(ran.sort()).toEqual(["own-extensions", "own-layer", "own-single", "rebuild-iso"]);
    const { tree } = await image();
    const packed = path.join(directory, "hello.tcz");
    writeFileSync(packed, await tree.read("tmp/builtin/optional/hello.tcz"));
    const { stdout } = await workspace.$`unsquashfs -cat ${packed} usr/local/bin/hello`;
    expect(stdout).toContain("echo hallo");
    expect((await workspace.build(["iso", ...options])).stderr).toContain("nothing to do");
  });

  it("has the same in one archive, and in the bundle", async () => {
    await workspace.build(["bundle", ...options]);
    const bundle = workspace.path("build-files/razor-microkernel-bundle-dev.tar.gz");
    const to = path.join(directory, "bundle");
    mkdirSync(to);
    await workspace.$`tar -C ${to} -xzf ${bundle} dependencies/razor-microkernel-overlay.tar.gz`;
    const overlay = path.join(to, "dependencies/razor-microkernel-overlay.tar.gz");
    const { stdout } = await workspace.$`tar -tzf ${overlay}`;
    const names = stdout.split("\n");
    expect(names).toContain("tmp/builtin/optional/hello.tcz");
    expect(new Set(names).size).toBe(names.length);
    await workspace.build(["iso", ...options, "--layout", "single"]);
    expect((await image()).tree.has("tmp/builtin/optional/hello.tcz")).toBe(true);
  });

  it("makes them by themselves, of the same bytes whatever the umask", async () => {
    const { stdout } = await workspace.build(["extension", "hello", "--source", "sample"]);
    expect(stdout).toBe("build-files/extensions/hello.tcz\n");
    const made = workspace.path("build-files/extensions/hello.tcz");
    const first = readFileSync(made);
    const out = path.join(directory, "made elsewhere");
    const args = ["extension", "hello.tcz", "--source", "sample", "--force", "--to", out];
    expect((await workspace.task(args, { umask: "077" })).status).toBe(0);
    expect(readFileSync(path.join(out, "hello.tcz"))).toEqual(first);
    expect(readdirSync(out).sort()).toEqual([
      "hello.tcz",
      "hello.tcz.dep",
      "hello.tcz.info",
      "hello.tcz.list",
      "hello.tcz.md5.txt",
      "hello.tcz.sha256.txt",
    ]);
    const wrong = await workspace.task(["extension", "helo", "--source", "sample"]);
    expect([wrong.status, wrong.stderr]).toEqual([
      1,
      expect.stringMatching(
        /the project has no extension helo\.tcz of its own.*\n.*\n.*did you mean hello\.tcz/,
      ),
    ]);
  });

  it("makes a mirror that --source reads, with what they need of the other mirror", async () => {
    const mirror = path.join(directory, "mirror");
    await workspace.build(["extensions", "--source", "sample", "--to", mirror]);
    const tcz = path.join(mirror, "14.x/x86_64/tcz");
    await workspace.$({ cwd: tcz })`sh -c ${"cat *.md5.txt | md5sum -c --quiet"}`;
    const { stdout } =
      await workspace.$`sh -c ${`gzip -dc "$1"/md5.db.gz | (cd "$1" && md5sum -c)`} sh ${tcz}`;
    expect(stdout.trim().split("\n")).toEqual(
      ["all", "dmidecode", "hello", "lshw"].map((name) => `${name}.tcz: OK`),
    );
    const again = await workspace.task(["extensions", "--source", "sample", "--to", mirror]);
    expect([again.status, again.stderr]).toEqual([1, expect.stringContaining("is not empty")]);

    const other = await copyWorkspace(workspace, path.join(directory, "another workspace"));
    await other.$`rm -r ${other.path("extensions")}`;
    writeFileSync(other.path("lists/cde-onboot.lst"), "hello.tcz\n");
    await other.build(["remaster", "--source", mirror]);
    const list =
      await other.$`xorriso -indev ${other.path("build-files/remaster-dev.iso")} -find /cde -type f`;
    for (const name of ["hello.tcz", "all.tcz", "dmidecode.tcz"])
      expect(list.stdout).toContain(`'/cde/optional/${name}'`);
  });

  it("has them in a remastered Core, too", async () => {
    writeFileSync(workspace.path("lists/cde-onboot.lst"), "hello.tcz\n");
    await workspace.build(["remaster", "--source", "sample"]);
    const iso = workspace.path("build-files/remaster-dev.iso");
    const { stdout } = await workspace.$`xorriso -indev ${iso} -find /cde -type f`;
    for (const name of ["hello.tcz", "hello.tcz.md5.txt", "hello.tcz.dep", "all.tcz", "dmidecode.tcz"])
      expect(stdout).toContain(`'/cde/optional/${name}'`);
  });

  it("fails by name where one cannot work, and the last image stays", async () => {
    write("extensions/hello/tree/usr/local/tce.installed/helo", "#!/bin/sh\n", 0o755);
    const { status, stderr } = await workspace.task(["iso", ...options]);
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(
        /tce-load never runs this script: it looks for usr\/local\/tce\.installed\/hello.*\[own-extension\]/,
      ),
    ]);
    expect((await image()).tree.has("tmp/builtin/optional/hello.tcz")).toBe(true);
  });
});
