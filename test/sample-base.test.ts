import { mkdir, mkdtemp, readFile, realpath, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FileTree, mergeLayers, readInitrd, type TreeNode } from "../src/formats/index.ts";
import { createShell, ProcessGroups, type Shell } from "../src/host/index.ts";
import { downloadPackages } from "../tasks/debian/downloads.ts";
import { planPackages } from "../tasks/debian/packages.ts";
import { basePackages, buildBase } from "../tasks/sample/base.ts";
import { closeModules } from "../tasks/sample/kernel.ts";
import { buildImage, makeExtensions, type TestImage } from "./sample-base-image.ts";
import { bootQemu, type QemuMachine } from "./support/qemu.ts";
import { unpackIso } from "./support/xorriso.ts";

const project = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");
const epoch = 1_600_000_000;

describe("the modules that the base takes", () => {
  const table = [
    "kernel/fs/isofs.ko: kernel/drivers/cdrom.ko",
    "kernel/drivers/cdrom.ko:",
    "kernel/drivers/net_card.ko.zst: kernel/lib/b.ko.zst kernel/lib/a.ko.zst",
    "",
  ].join("\n");

  it("come with all they depend on, each once, in byte order", () => {
    expect(closeModules(["isofs", "cdrom", "net_card"], table, "")).toEqual([
      "kernel/drivers/cdrom.ko",
      "kernel/drivers/net_card.ko.zst",
      "kernel/fs/isofs.ko",
      "kernel/lib/a.ko.zst",
      "kernel/lib/b.ko.zst",
    ]);
  });

  it("may be part of the kernel itself", () => {
    expect(closeModules(["loop"], table, "kernel/drivers/block/loop.ko\n")).toEqual([]);
  });

  it("are named when the kernel has no such module", () => {
    expect(() => closeModules(["warp"], table, "")).toThrow("no module warp");
  });
});

describe("the sample base", () => {
  const groups = new ProcessGroups();
  let $: Shell;
  let directory = "";
  let packages: Readonly<Record<string, string>> = {};
  let iso = "";
  let kernelRelease = "";
  let base: FileTree;
  let image: TestImage;

  async function build(to: string): Promise<{ iso: string; kernelRelease: string }> {
    return await buildBase({
      $,
      packages,
      rootfs: join(project, "tasks/sample/rootfs"),
      workDir: join(directory, `${to} work`),
      outDir: join(directory, to),
      epoch,
      signal: new AbortController().signal,
      log: () => {},
    });
  }

  beforeAll(async () => {
    directory = await realpath(await mkdtemp(join(tmpdir(), "razor mk base ")));
    $ = await createShell({ cwd: directory, groups });
    const wanted = { base: basePackages, closed: [], alone: ["libtinfo6"], satisfied: new Set<string>() };
    const plan = await planPackages({ $, wanted });
    // Kept between runs: the kernel alone is 70 MB.
    packages = await downloadPackages({ $, plan, dir: join(project, ".buildcache/test-packages") });
    ({ iso, kernelRelease } = await build("first"));

    const unpacked = join(directory, "iso");
    await mkdir(unpacked);
    await unpackIso($, iso, unpacked);
    const members = await readInitrd(join(unpacked, "boot/corepure64.gz"), {
      spoolDir: join(directory, "spool"),
    });
    base = mergeLayers(members.map(({ tree }) => tree)).tree;

    const extensions = await makeExtensions({ $, directory, kernelRelease, packages, epoch });
    image = { $, directory, unpacked, extensions, overlay: join(project, "overlay-src"), epoch };
  }, 600_000);

  afterAll(async () => {
    await groups.terminate();
    await rm(directory, { recursive: true, force: true });
  });

  function node(path: string): TreeNode {
    const found = base.get(path);
    if (found === undefined) throw new Error(`the base has no ${path}`);
    return found;
  }

  it("is laid out like Core's release directory, with an md5sum beside the ISO", async () => {
    expect(iso).toBe(join(directory, "first/14.x/x86_64/release/CorePure64-current.iso"));
    const { stdout } = await $({ cwd: join(iso, "..") })`md5sum -c CorePure64-current.iso.md5.txt`;
    expect(stdout).toContain("OK");
    for (const name of ["vmlinuz64", "corepure64.gz", "isolinux/isolinux.bin", "isolinux/ldlinux.c32"]) {
      expect((await stat(join(directory, "iso/boot", name))).size).toBeGreaterThan(0);
    }
    const settings = await readFile(join(directory, "iso/boot/isolinux/isolinux.cfg"), "utf8");
    expect(settings).toMatch(/^timeout 300$/m);
    expect(settings).toMatch(/^\tappend initrd=\/boot\/corepure64\.gz quiet .*console=ttyS0,115200$/m);
  });

  it("has the same bytes when it is built again under another umask", async () => {
    const before = process.umask(0o077);
    try {
      const again = await build("second");
      expect(await readFile(`${again.iso}.md5.txt`, "utf8")).toBe(await readFile(`${iso}.md5.txt`, "utf8"));
    } finally {
      process.umask(before);
    }
  }, 120_000);

  it("gives every path the owner and mode that Core gives it", () => {
    expect(node("tmp")).toMatchObject({ type: "directory", mode: 0o1777 });
    expect(node(".")).toMatchObject({ mode: 0o755, uid: 0 });
    expect(node("etc/shadow")).toMatchObject({ mode: 0o600, uid: 0, gid: 0 });
    expect(node("usr/local/tce.installed")).toMatchObject({ mode: 0o775, uid: 0, gid: 50 });
    expect(node("dev/console")).toMatchObject({ type: "char", major: 5, minor: 1, mode: 0o600 });
    expect(node("init")).toMatchObject({ type: "file", mode: 0o755 });
    const owners = new Set([...base].map(([, { uid }]) => uid));
    expect([...owners]).toEqual([0]);
  });

  it("names the kernel's release by the one directory below lib/modules", () => {
    const releases = new Set(base.paths().flatMap((path) => /^lib\/modules\/([^/]+)$/.exec(path)?.[1] ?? []));
    expect([...releases]).toEqual([kernelRelease]);
  });

  it("holds no password that anybody could log in with", async () => {
    const shadow = (await base.read("etc/shadow")).toString();
    for (const line of shadow.trim().split("\n")) expect(line.split(":")[1]).toBe("*");
  });

  async function withMachine(machine: QemuMachine, use: (machine: QemuMachine) => Promise<void>) {
    try {
      await use(machine);
    } finally {
      await machine.close();
    }
  }

  it("boots from the CD to a login, where it makes the user tc as Core does", async () => {
    await withMachine(bootQemu({ cdrom: iso }), async (machine) => {
      await machine.expect("boot: ");
      machine.send("mc host=named");
      await machine.login("tc", "tcuser");
      expect((await machine.run("id -un; id -gn; hostname; pwd")).output.split("\n")).toEqual([
        ...["tc", "staff", "named", "/home/tc"],
      ]);
      expect((await machine.run("cat /etc/shadow 2>/dev/null")).status).not.toBe(0);
    });
  }, 240_000);

  it("loads the extensions of an image in onboot.lst's order, and logs in with the image's password", async () => {
    const { kernel, initrd } = await buildImage(image, { password: "test1234" });
    const append = "quiet loglevel=3 console=tty1 console=ttyS0,115200";
    await withMachine(bootQemu({ kernel, initrd, append }), async (machine) => {
      await machine.expect("broken.tcz is not loaded: it needs missing.tcz");
      await machine.expect("Loaded 5 extensions");
      await machine.login("tc", "test1234");
      const lines = async (command: string): Promise<readonly string[]> =>
        (await machine.run(command)).output.split("\n");

      expect(await lines("ls -1 /usr/local/tce.installed")).toEqual([
        ...["copied", `driver-${kernelRelease}`, "greeting", "late", "words"],
      ]);
      // The last line is the start script's, which ran as root.
      expect(await lines("greeting; alias-of-words; cat /tmp/started")).toEqual(["hello", "words", "0"]);
      expect(await lines("readlink /usr/local/bin/greeting; test -h /usr/local/bin/copied; echo $?")).toEqual(
        [...["/tmp/tcloop/greeting/usr/local/bin/greeting", "1"]],
      );
      expect(await lines("grep -c spoilt /etc/shells; ls -1 /tmp/tcloop")).toEqual([
        ...["0", `driver-${kernelRelease}`, "greeting", "late", "words"],
      ]);
      expect(await lines("grep -c '/dummy.ko:' /lib/modules/$(uname -r)/modules.dep")).toEqual(["1"]);
      expect(await lines("stat -c '%a %u:%g' / /tmp /etc/shadow /usr/local/tce.installed")).toEqual([
        ...["755 0:0", "1777 0:0", "600 0:0", "775 0:50"],
      ]);

      // The lease may still be on its way: udhcpc works in the background.
      const lease = "/tmp/dhcp_lease.eth0.yaml";
      const waited = `for i in $(seq 60); do [ -s ${lease} ] && break; sleep 0.5; done`;
      expect(await lines(`${waited}; cat ${lease} /tmp/nextServerIP.addr`)).toEqual(
        expect.arrayContaining(["ip: '10.0.2.15'", "next_server: '10.0.2.2'", "10.0.2.2"]),
      );
      expect(await lines("hostname; cat /tmp/mk-version.yaml")).toEqual([
        ...["mk525400123456", "mk_version: 1.2.3"],
      ]);
    });
  }, 240_000);

  it("logs tc in by itself when the image's inittab says so", async () => {
    const { kernel, initrd } = await buildImage(image, { autologin: true });
    const append = "quiet loglevel=3 console=tty1 console=ttyS0,115200";
    await withMachine(bootQemu({ kernel, initrd, append }), async (machine) => {
      await machine.expect(/\$ /);
      expect((await machine.run("id -un")).output).toBe("tc");
    });
  }, 240_000);
});
