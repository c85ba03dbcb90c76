/** The project's own extensions, made and read back with squashfs-tools and coreutils; and what is refused. */
import { chmodSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { usesPrograms } from "../support/programs.ts";
import { elf, kernelRelease, openProject, type Project, textAt } from "./project.ts";

usesPrograms("mksquashfs", "unsquashfs");

let project: Project;
beforeEach(() => {
  project = openProject();
});
afterEach(() => project.remove());

const hello = { "*hello/tree/usr/local/bin/hello": "#!/bin/sh\necho hello\n" };

describe("an extension of a directory", () => {
  it("is squashfs of gzip and 4 KiB blocks, root's, with the script of its own name", async () => {
    project.write({ ...hello, "hello/installed": "#!/bin/sh\nhello\n", "hello/tree/etc/hello.conf": "a" });
    await project.make();
    const superblock = project.lines("unsquashfs", "-s", "hello.tcz").join("\n");
    expect(superblock).toMatch(/SQUASHFS 4:0.*\n.*\n.*\nCompression gzip\nBlock size 4096/);
    expect(superblock).toContain("Xattrs are not stored");
    expect(project.lines("unsquashfs", "-lln", "hello.tcz").map(withoutTime)).toEqual([
      "drwxr-xr-x 0/0 squashfs-root",
      "drwxr-xr-x 0/0 squashfs-root/etc",
      "-rw-r--r-- 0/0 squashfs-root/etc/hello.conf",
      "drwxr-xr-x 0/0 squashfs-root/usr",
      "drwxr-xr-x 0/0 squashfs-root/usr/local",
      "drwxr-xr-x 0/0 squashfs-root/usr/local/bin",
      "-rwxr-xr-x 0/0 squashfs-root/usr/local/bin/hello",
      "drwxrwxr-x 0/50 squashfs-root/usr/local/tce.installed",
      "-rwxrwxr-x 0/50 squashfs-root/usr/local/tce.installed/hello",
    ]);
  });

  it("has beside it what a mirror has, which md5sum and sha256sum confirm", async () => {
    project.write({
      ...hello,
      "hello/dep": "bash.tcz\ndriver-KERNEL.tcz",
      "hello/info": "Title: hello.tcz\nDescription: greets\n",
    });
    const { made } = await project.make();
    expect(project.lines("md5sum", "-c", "hello.tcz.md5.txt")).toEqual(["hello.tcz: OK"]);
    expect(project.lines("sha256sum", "-c", "hello.tcz.sha256.txt")).toEqual(["hello.tcz: OK"]);
    expect(textAt(project.made("hello.tcz.dep"))).toBe("bash.tcz\ndriver-KERNEL.tcz\n");
    expect(textAt(project.made("hello.tcz.info"))).toBe("Title: hello.tcz\nDescription: greets\n");
    expect(textAt(project.made("hello.tcz.list"))).toBe("usr/local/bin/hello\n");
    expect(made.get("hello")).toMatchObject({ description: "greets", depends: ["bash", "driver-KERNEL"] });
  });

  it("has the same bytes whatever the umask and the order in which its files were made", async () => {
    project.write({ ...hello, "hello/tree/etc/a": "a", "hello/tree/etc/b": "b" });
    await project.make();
    const [first] = project.lines("sha256sum", "hello.tcz");
    const other = openProject();
    try {
      other.write({ "hello/tree/etc/b": "b", "hello/tree/etc/a": "a", ...hello });
      chmodSync(other.at("hello/tree/etc/a"), 0o600);
      chmodSync(other.at("hello/tree/etc"), 0o700);
      chmodSync(other.at("hello/tree/usr/local/bin/hello"), 0o700);
      await other.make();
      expect(other.lines("sha256sum", "hello.tcz")).toEqual([first]);
    } finally {
      other.remove();
    }
  });

  it("has the owners, modes and devices of its owners file, with names of the image's groups", async () => {
    project.write({
      ...hello,
      "hello/owners":
        "usr/local/bin/hello root:video 4750\ndev/hello c 10 200 660 root:44\nhome/tc/** tc:staff\n",
      "hello/tree/home/tc/note": "",
    });
    await project.make();
    const listed = project.lines("unsquashfs", "-lln", "hello.tcz");
    expect(listed.map(withoutTime)).toEqual(
      expect.arrayContaining([
        "-rwsr-x--- 0/44 squashfs-root/usr/local/bin/hello",
        "-rw-r--r-- 1001/50 squashfs-root/home/tc/note",
      ]),
    );
    expect(listed.find((line) => line.endsWith("dev/hello"))).toMatch(/^crw-rw---- 0\/44 +10, *200 /);
  });

  it("may have dependencies only", async () => {
    project.write({ "all/dep": "hello.tcz\n", ...hello });
    const { notes } = await project.make();
    expect(notes).toEqual([]);
    expect(textAt(project.made("all.tcz.list"))).toBe("");
    expect(textAt(project.made("all.tcz.dep"))).toBe("hello.tcz\n");
  });

  it("for the kernel has the kernel's release in its name and its script's", async () => {
    project.write({
      [`driver-KERNEL/tree/usr/local/lib/modules/${kernelRelease}/kernel/net/driver.ko.gz`]: "module",
      "driver-KERNEL/installed": "#!/bin/sh\nmodprobe driver\n",
    });
    const { notes } = await project.make();
    expect(notes).toEqual([]);
    expect(textAt(project.made(`driver-${kernelRelease}.tcz.list`))).toContain(
      `usr/local/tce.installed/driver-${kernelRelease}\n`,
    );
  });
});

describe("what is corrected, with a note", () => {
  it.each([
    ["bash\r\nncurses.tcz", ["bash is read as bash.tcz"], "bash.tcz\nncurses.tcz\n"],
    [
      "  bash.tcz  \n\n# a comment\nhello.tcz\nbash.tcz",
      ["hello.tcz does not need itself: the line is left out", "bash.tcz is already there"],
      "bash.tcz\n",
    ],
  ])("dependencies such as %j", async (text, expected, dep) => {
    project.write({ ...hello, "hello/dep": text });
    const { notes } = await project.make();
    expect(notes.map((note) => note.replace(/^extensions\/hello\/dep:\d+: /, ""))).toEqual(expected);
    expect(textAt(project.made("hello.tcz.dep"))).toBe(dep);
  });

  it("a script in the tree that is not executable", async () => {
    project.write({ "hello/tree/usr/local/tce.installed/hello": "#!/bin/sh\n" });
    const { notes } = await project.make();
    expect(notes).toEqual([
      "extensions/hello/tree/usr/local/tce.installed/hello: the script is made executable, or tce-load would not run it",
    ]);
    expect(project.lines("unsquashfs", "-lln", "hello.tcz").at(-1)).toMatch(/^-rwxrwxr-x 0\/50 /);
  });
});

describe("what will not work as it may be meant is noted", () => {
  it.each([
    ["a file that Core has", { "hello/tree/bin/busybox": "x" }, "Core has bin/busybox already"],
    ["names that differ in case", { "hello/tree/etc/a/X": "", "hello/tree/etc/a/x": "" }, "in case only"],
    ["one entry in all", { "hello/tree/alone": "" }, "with one entry"],
    [
      "a module that depmod does not find",
      { [`hello/tree/usr/local/lib/modules/${kernelRelease}/x.ko.gz`]: "" },
      "depmod looks for modules in kernel/ only",
    ],
    [
      "a module that is not packed",
      { [`hello/tree/usr/local/lib/modules/${kernelRelease}/kernel/x.ko`]: "" },
      "packed with gzip",
    ],
  ])("%s", async (_what, files, expected) => {
    project.write(files);
    const { notes } = await project.make();
    expect(notes).toEqual([expect.stringContaining(expected)]);
  });

  it("libraries that neither it nor Core has are told", async () => {
    project.write({ "*hello/tree/usr/local/bin/hello": elf(62, ["libc.so.6", "libfoo.so.1"]) });
    const { made } = await project.make();
    expect([...(made.get("hello")?.missing ?? [])]).toEqual([["libfoo.so.1", "usr/local/bin/hello"]]);
  });
});

describe("what cannot work is refused, by name", () => {
  it.each<[string, Readonly<Record<string, string | Uint8Array>>, string, string]>([
    ["nothing", { "hello/README": "" }, "extensions/hello", "neither files nor dependencies"],
    ["a stray file", { "hello.txt": "" }, "extensions/hello.txt", "is no extension, and lies beside none"],
    ["a lone sidecar", { "a.tcz.dep": "" }, "extensions/a.tcz.dep", "belongs to a.tcz, which is not there"],
    ["a directory named .tcz", { "a.tcz/dep": "" }, "extensions/a.tcz", "its name without .tcz"],
    ["an odd name", { "a b/dep": "" }, "extensions/a b", "the name cannot be that of an extension"],
    ["two of one name", { "a/dep": "", "a.tcz": "" }, "extensions/a", "is there twice"],
    ["two that differ in case", { "A/dep": "", "a/dep": "" }, "extensions/a", "differ in case only"],
    ["a bad dependency", { "a/dep": "\n../x.tcz" }, "extensions/a/dep:2", '"../x.tcz" is not the name'],
    [
      "a script of another name",
      { "*hello/tree/usr/local/tce.installed/helo": "#!/bin/sh\n" },
      "extensions/hello/tree/usr/local/tce.installed/helo",
      "tce-load never runs this script: it looks for usr/local/tce.installed/hello",
    ],
    [
      "two scripts",
      { "*hello/tree/usr/local/tce.installed/hello": "#!/bin/sh\n", "hello/installed": "" },
      "extensions/hello",
      "two scripts",
    ],
    ["a script of DOS", { "hello/installed": "#!/bin/sh\r\n" }, "extensions/hello/installed", "CR LF"],
    [
      "modules in Core's place",
      { "hello/tree/lib/modules/x/y.ko": "" },
      "extensions/hello/tree/lib/modules/x/y.ko",
      "do not belong into lib/modules",
    ],
    [
      "modules for another kernel",
      { "hello/tree/usr/local/lib/modules/5.15.10-tinycore/kernel/y.ko.gz": "" },
      "extensions/hello/tree/usr/local/lib/modules/5.15.10-tinycore/kernel/y.ko.gz",
      `the module is for the kernel 5.15.10-tinycore, but the image's is ${kernelRelease}`,
    ],
    [
      "a program for another machine",
      { "hello/tree/usr/local/bin/x": elf(183, ["libc.so.6"]) },
      "extensions/hello/tree/usr/local/bin/x",
      "for another machine (ELF machine 183)",
    ],
    [
      "a library by its path",
      { "hello/tree/usr/local/bin/x": elf(62, ["/build/out/libfoo.so"]) },
      "extensions/hello/tree/usr/local/bin/x",
      "asks for a library by its path",
    ],
    [
      "owners that the image does not have",
      { "hello/tree/x": "", "hello/owners": "x nobody:staff" },
      "extensions/hello/owners:1",
      "the image's etc/passwd has no nobody",
    ],
    [
      "owners of nothing",
      { "hello/tree/x": "", "hello/owners": "y tc:staff" },
      "extensions/hello/owners:1",
      "no file of hello.tcz matches y",
    ],
    ["an empty extension", { "a.tcz": "" }, "extensions/a.tcz", "the file is empty"],
    ["what is not squashfs", { "a.tcz": "no squashfs at all\n".repeat(50) }, "extensions/a.tcz", "squashfs"],
  ])("%s", async (_what, files, where, message) => {
    project.write(files);
    await expect(project.make()).rejects.toMatchObject({
      where: expect.stringContaining(where),
      message: expect.stringContaining(message),
    });
  });

  it("a link that leads out of the image", async () => {
    project.write(hello);
    symlinkSync("../../../../../etc/shadow", project.at("hello/tree/usr/local/bin/up"));
    await expect(project.make()).rejects.toMatchObject({
      where: "extensions/hello/tree/usr/local/bin/up",
      message: "the link leads out of the image: ../../../../../etc/shadow",
    });
  });

  it("a set-user-id file without a line in owners", async () => {
    project.write(hello);
    chmodSync(project.at("hello/tree/usr/local/bin/hello"), 0o4755);
    await expect(project.make()).rejects.toMatchObject({
      where: "extensions/hello/tree/usr/local/bin/hello",
      message: "the file is set-user-id or set-group-id, and no line of owners says so",
    });
  });
});

describe("a prebuilt extension", () => {
  async function prebuild(): Promise<void> {
    const maker = openProject();
    try {
      maker.write({ ...hello, "*hello/tree/usr/local/tce.installed/hello": "#!/bin/sh\n" });
      await maker.make();
      for (const suffix of ["", ".md5.txt"])
        project.write({ [`hello.tcz${suffix}`]: readFileSync(maker.made(`hello.tcz${suffix}`)) });
    } finally {
      maker.remove();
    }
  }

  it("is taken as it is, with what is missing beside it", async () => {
    await prebuild();
    project.write({ "hello.tcz.dep": "bash.tcz" });
    const { notes } = await project.make();
    expect(notes).toEqual([]);
    expect(readFileSync(project.made("hello.tcz"))).toEqual(readFileSync(project.at("hello.tcz")));
    expect(project.lines("md5sum", "-c", "hello.tcz.md5.txt")).toEqual(["hello.tcz: OK"]);
    expect(textAt(project.made("hello.tcz.list"))).toBe(
      "usr/local/bin/hello\nusr/local/tce.installed/hello\n",
    );
    expect(textAt(project.made("hello.tcz.dep"))).toBe("bash.tcz\n");
  });

  it("that is not what its .md5.txt says is refused", async () => {
    await prebuild();
    writeFileSync(project.at("hello.tcz.md5.txt"), `${"0".repeat(32)}  hello.tcz\n`);
    await expect(project.make()).rejects.toMatchObject({
      where: "extensions/hello.tcz.md5.txt",
      message: expect.stringContaining("hello.tcz is not what its .md5.txt says"),
    });
  });

  it("whose script tce-load never runs is noted", async () => {
    await prebuild();
    project.write({ "hallo.tcz": readFileSync(project.at("hello.tcz")) });
    const { notes } = await project.make("hallo.tcz");
    expect(notes).toEqual([
      "extensions/hallo.tcz: tce-load never runs usr/local/tce.installed/hello, only usr/local/tce.installed/hallo",
    ]);
  });
});

/** `drwxr-xr-x 0/0 PATH` of a line of unsquashfs -lln. */
function withoutTime(line: string): string {
  return line.replace(/^(\S+ \S+) .* (squashfs-root)/, "$1 $2");
}
