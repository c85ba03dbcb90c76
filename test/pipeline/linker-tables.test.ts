/**
 * Libraries and modules that an image has and Core has not, as the loaders of both find them: read back by ldconfig and
 * modprobe.
 */
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FileTree, stageTree } from "../../src/formats/index.ts";
import { usesPrograms } from "../support/programs.ts";
import { type Image, readImage } from "./image.ts";
import {
  makeDirectory,
  openWorkspace,
  removeDirectory,
  type TaskResult,
  version,
  type Workspace,
} from "./workspace.ts";

usesPrograms("modprobe");

const cache = "etc/ld.so.cache";

describe("an image with libraries and modules of its own", () => {
  let workspace: Workspace;
  let directory = "";
  let overlay = "";
  let plain: Image;
  let release = "";

  beforeAll(async () => {
    workspace = await openWorkspace();
    directory = await makeDirectory("derived");
    overlay = path.join(directory, "overlay");
    await cp(workspace.path("overlay-src"), overlay, { recursive: true });
    await build([]);
    plain = await read("plain");
    const core = plain.members[0]?.tree;
    release = core?.paths().flatMap((name) => /^lib\/modules\/([^/]+)$/.exec(name)?.[1] ?? [])[0] ?? "";
    const content = async (end: string): Promise<Buffer> => {
      const name = core?.paths().find((one) => one.endsWith(end) && core.get(one)?.type === "file");
      if (core === undefined || name === undefined) throw new Error(`Core has no ${end}`);
      return await core.read(name);
    };
    // It calls itself libm.so.6, as programs ask for it.
    await put("usr/local/lib/libown.so.7", await content("/libm.so.6"));
    // It needs another module, which Core has.
    const modules = `usr/local/lib/modules/${release}/kernel`;
    await put(`${modules}/own_net.ko.gz`, gzipSync(await content("/net_failover.ko")));
    // The directory of extensions' modules, as Core of Tiny Core links to it.
    await mkdir(path.join(overlay, "lib/modules", release), { recursive: true });
    await symlink(`../../../${modules}`, path.join(overlay, "lib/modules", release, "kernel.tclocal"));
  });

  afterAll(() => removeDirectory(directory));

  async function put(name: string, bytes: Buffer | string): Promise<void> {
    await mkdir(path.dirname(path.join(overlay, name)), { recursive: true });
    await writeFile(path.join(overlay, name), bytes);
  }

  const command = (more: readonly string[]) => [
    ...["iso", "--source", "sample", "--debug", "--overlay", overlay],
    ...more,
  ];

  async function build(more: readonly string[]): Promise<TaskResult> {
    return await workspace.build(command(more));
  }

  async function read(name: string): Promise<Image> {
    const iso = workspace.path(`build-files/rz_mk_debug-image.${version}.iso`);
    return await readImage(workspace.$, iso, path.join(directory, name));
  }

  /** What ldconfig reads out of the image's cache: a library's name and its paths. */
  async function cached(tree: FileTree): Promise<ReadonlyMap<string, readonly string[]>> {
    const root = await mkdtemp(path.join(directory, "cache "));
    await writeFile(path.join(root, "cache"), await tree.read(cache));
    const { stdout } = await workspace.$`ldconfig -p -C ${path.join(root, "cache")}`;
    const found = new Map<string, string[]>();
    for (const [, name = "", at = ""] of stdout.matchAll(/^\t(\S+) \(.*\) => (\S+)$/gm)) {
      found.set(name, [...(found.get(name) ?? []), at]);
    }
    return found;
  }

  it("has the libraries of open-vm-tools in the loader's cache, each at a path of the image", async () => {
    const libraries = await cached(plain.tree);
    expect(libraries.get("libvmtools.so.0")).toHaveLength(1);
    expect(libraries.get("libc.so.6")).toHaveLength(1);
    for (const name of [...libraries.values()].flat()) expect(plain.tree.has(name.slice(1)), name).toBe(true);
  });

  it("has a library of the overlay there too, with the link by which programs ask for it", async () => {
    await build([]);
    const { tree } = await read("own");
    expect((await cached(tree)).get("libm.so.6")?.[0]).toBe("/usr/local/lib/libm.so.6");
    expect(tree.get("usr/local/lib/libm.so.6")).toMatchObject({ type: "symlink", target: "libown.so.7" });
    expect(tree.get(cache)).toMatchObject({ mode: 0o644, uid: 0, gid: 0 });
  });

  it("has a compressed module of the overlay in modprobe's tables, with what it needs", async () => {
    const { tree } = await read("modules");
    const root = path.join(directory, "staged");
    await stageTree(tree, root);
    const { stdout } = await workspace.$`modprobe -d ${root} -S ${release} --show-depends own_net`;
    expect(
      stdout
        .trim()
        .split("\n")
        .map((line) => path.basename(line.trim())),
    ).toEqual(["failover.ko", "own_net.ko.gz"]);
    const table = (await tree.read(`lib/modules/${release}/modules.dep`)).toString();
    expect(table).toMatch(/^kernel\.tclocal\/own_net\.ko\.gz: kernel\/.*\/failover\.ko$/m);
  });

  it("derives nothing anew when a script is edited", async () => {
    await put("opt/own.sh", "#!/bin/sh\necho edited\n");
    const { stdout, stderr } = await build([]);
    expect(stdout + stderr).toMatch(/^= linker-tables: fresh$/m);
    expect(stdout + stderr).toMatch(/^✓ overlay: /m);
  });

  it("goes to another machine with the bundle", async () => {
    await workspace.build(["bundle", ...command([]).slice(1)]);
    const bundle = workspace.path("build-files/razor-microkernel-bundle-debug.tar.gz");
    const unpack = 'tar xzOf "$1" dependencies/derived-files.tar.gz | tar tz';
    const { stdout } = await workspace.$`sh -c ${unpack} sh ${bundle}`;
    expect(stdout.split("\n")).toEqual(
      expect.arrayContaining([cache, "usr/local/lib/libm.so.6", `lib/modules/${release}/modules.dep`]),
    );
  });

  it("says of a module where depmod does not look, or of another kernel, that it is of no use", async () => {
    // Other bytes for each run: the notes of a result that is restored are not said again.
    await put(`opt/lib/modules/${release}/kernel/lost.ko`, String(process.hrtime.bigint()));
    await put("lib/modules/3.0.21-tinycore/kernel/scsi.ko", "");
    const { stdout, stderr } = await build([]);
    expect(stdout + stderr).toContain(
      `depmod does not search the directory of opt/lib/modules/${release}/kernel/lost.ko`,
    );
    expect(stdout + stderr).toContain("the image has modules for 3.0.21-tinycore, which are useless");
    await rm(path.join(overlay, "opt/lib"), { recursive: true });
    await rm(path.join(overlay, "lib/modules/3.0.21-tinycore"), { recursive: true });
  });

  it("is refused where this machine's ldconfig would pass over a library of its own", async () => {
    const header = Buffer.alloc(64);
    header.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
    // EM_SPARC, which no machine that builds images is.
    header.writeUInt16LE(2, 18);
    await put("usr/local/lib/libforeign.so.1", header);
    const { status, stderr } = await workspace.task(command([]));
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /this machine's ldconfig does not support .*\n.*usr\/local\/lib\/libforeign\.so\.1/,
    );
    await rm(path.join(overlay, "usr/local/lib/libforeign.so.1"));
  });

  it("keeps a cache that the overlay brings", async () => {
    await put(cache, "mine");
    await build([]);
    const { tree } = await read("mine");
    expect((await tree.read(cache)).toString()).toBe("mine");
  });
});
