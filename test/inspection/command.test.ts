/**
 * `task ls`, `cat`, `extract`, `find` and `check` as users run them, outside any project: compared with what xorriso, cpio, tar and
 * unsquashfs say of the same files.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, symlink, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import {
  bytesContent,
  compareNames,
  FileTree,
  joinLayers,
  packSquashfs,
  writeIso,
  writeLayer,
  writeTarball,
} from "../../src/formats/index.ts";
import { program } from "../cli/workshop.ts";
import { useWorkspace } from "../formats/workspace.ts";
import { tarBytes } from "../hostile/tar-builder.ts";
import { usesPrograms } from "../support/programs.ts";
import { listIso } from "../support/xorriso.ts";

usesPrograms("cpio", "unsquashfs", "mksquashfs", "xorriso");

const workspace = useWorkspace();
const mtime = 1_700_000_000;
const oddName = "odd \x1b[31m\u202ename\n\udcff";
/** 1.5 MB that no packer makes small. */
const large = Buffer.concat(
  Array.from({ length: 46_875 }, (_, at) => createHash("sha256").update(`${at}`).digest()),
);

function task(...words: readonly string[]) {
  const { PATH, HOME } = process.env;
  return spawnSync(process.execPath, [program, ...words], {
    ...{ cwd: workspace.path(""), env: { PATH, HOME, NO_COLOR: "1" }, timeout: 60_000 },
    maxBuffer: 64 * 1024 * 1024,
  });
}

function said(...words: readonly string[]) {
  const { status, stdout, stderr } = task(...words);
  return { status, stdout: stdout.toString("utf8"), stderr: stderr.toString("utf8") };
}

interface ListedEntry {
  readonly path: string;
  readonly type: string;
  readonly mode: string;
  readonly size?: number;
  readonly layer?: string;
}

function entriesOf(...words: readonly string[]): readonly ListedEntry[] {
  const { status, stdout, stderr } = said("ls", ...words, "--json");
  expect([status, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout).entries;
}

beforeAll(async () => {
  const { $ } = workspace;
  const from = workspace.path("extension");
  await mkdir(`${from}/usr/local/bin`, { recursive: true });
  await writeFile(`${from}/usr/local/bin/tool`, large);
  await symlink("tool", `${from}/usr/local/bin/link`);
  await packSquashfs($, from, workspace.path("tool.tcz"), { epoch: mtime });
  const extension = bytesContent(await readFile(workspace.path("tool.tcz")));
  const lower = new FileTree()
    .addFile("etc/motd", bytesContent("lower\n"), { mtime })
    .addFile(oddName, bytesContent(""), { mtime })
    .addSymlink("etc/mtab", "/proc/mounts", { mtime })
    .addSymlink("etc/message", "motd", { mtime })
    .set("dev/console", { type: "char", major: 5, minor: 1, mode: 0o600, uid: 0, gid: 5, mtime })
    .addFile("tmp/builtin/onboot.lst", bytesContent("tool.tcz\n"), { mtime })
    .addFile("tmp/builtin/optional/tool.tcz", extension, { mtime })
    .ensureParents({ mtime });
  const upper = new FileTree()
    .addFile("etc/motd", bytesContent("upper\n"), { mtime, mode: 0o600 })
    .ensureParents({ mtime });
  await writeLayer(lower, workspace.path("lower.gz"));
  await writeLayer(upper, workspace.path("upper.cpio"), { level: "none" });
  await joinLayers(["lower.gz", "upper.cpio"].map(workspace.path), workspace.path("core.gz"));
  const root = workspace.path("iso root");
  await mkdir(`${root}/boot/isolinux`, { recursive: true });
  await $`cp ${workspace.path("core.gz")} ${`${root}/boot/own.gz`}`;
  await writeFile(`${root}/boot/vmlinuz`, "a kernel");
  await writeFile(
    `${root}/boot/isolinux/isolinux.cfg`,
    "default b\nlabel a\n kernel /boot/vmlinuz\n append initrd=/boot/none.gz\nlabel b\n kernel /boot/vmlinuz\n append initrd=/boot/own.gz quiet\n",
  );
  const ids = { volumeId: "LOOK", applicationId: "TEST", systemId: "LINUX" };
  await writeIso($, { root, out: workspace.path("my image.iso"), epoch: mtime, ...ids });
  const overlay = lower.clone();
  overlay.delete(oddName);
  overlay.delete("dev/console");
  await writeTarball(overlay, workspace.path("overlay.tar.gz"));
});

describe("task ls", () => {
  it("shows what the booted machine sees, with the layer of each entry where that is asked for", () => {
    const { status, stdout, stderr } = said(
      "ls",
      "my image.iso",
      "/etc/motd",
      "usr/local/bin",
      "dev",
      "--layers",
    );
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout.split("\n")).toEqual([
      "-rw-------  0:0        6  2023-11-14 22:13  etc/motd  [layer 2; replaces layer 1]",
      "lrwxrwxrwx  0:0           2023-11-14 22:13  usr/local/bin/link -> tool  [tool.tcz]",
      "-rw-r--r--  0:0  1500000  2023-11-14 22:13  usr/local/bin/tool  [tool.tcz]",
      "crw-------  0:5      5,1  2023-11-14 22:13  dev/console  [layer 1]",
      "",
    ]);
  });

  it("lists of the ISO itself what xorriso lists", async () => {
    const ours = entriesOf("my image.iso", "--layer", "iso", "--recursive");
    const theirs = await listIso(workspace.$, workspace.path("my image.iso"));
    expect(ours.map((one) => [one.path, one.type, Number.parseInt(one.mode, 8), one.size ?? 0])).toEqual(
      theirs.map((one) => [one.path, one.type, one.mode, one.type === "file" ? one.size : 0]),
    );
  });

  it("lists of an archive of the initrd what cpio lists, in spite of the second one", async () => {
    const ours = entriesOf("core.gz", "--layer", "1", "--recursive").map(({ path: one }) => one);
    const listing = await workspace.$`gzip -dc ${workspace.path("lower.gz")} | cpio -t --quiet -0`;
    const theirs = listing.stdout.split("\0").filter((name) => name !== "" && !name.startsWith("odd"));
    expect(ours.filter((name) => !name.startsWith("odd"))).toEqual(theirs.sort(compareNames));
    expect(ours).toContain(oddName);
  });

  it("lists of an overlay's tarball what tar lists, with the files of its extensions", async () => {
    const ours = entriesOf("overlay.tar.gz", "--recursive");
    const listing = await workspace.$`tar -tf ${workspace.path("overlay.tar.gz")}`;
    const theirs = listing.stdout.split("\n").map((name) => name.replace(/^\.\/|\/$/g, ""));
    const own = ours.filter(({ layer }) => layer === "overlay.tar.gz").map((one) => one.path);
    expect([...own].sort()).toEqual(theirs.filter((name) => name !== "" && name !== ".").sort());
    expect(ours.filter(({ layer }) => layer === "tool.tcz").map((one) => one.path)).toContain(
      "usr/local/bin/tool",
    );
  });

  it("lists of an extension what unsquashfs lists", async () => {
    const listing = await workspace.$`unsquashfs -l ${workspace.path("tool.tcz")}`;
    const theirs = listing.stdout.split("\n").flatMap((one) => /^squashfs-root\/(.+)$/.exec(one)?.[1] ?? []);
    expect(entriesOf("tool.tcz", "--recursive").map(({ path: one }) => one)).toEqual(
      theirs.sort(compareNames),
    );
  });

  it("sends no character of a name to the terminal that controls it, and finds a name as it is shown", () => {
    const { stdout } = said("ls", "core.gz");
    const shown = "odd \\x1b[31m\\u202ename\\x0a\\xff";
    expect(stdout).toContain(`  ${shown}\n`);
    const json = said("ls", "core.gz", "--json").stdout;
    for (const text of [stdout, json]) {
      expect(text).not.toContain("\x1b");
      expect(text).not.toContain("\u202e");
    }
    expect(JSON.parse(json).entries).toContainEqual(expect.objectContaining({ path: oddName }));
    expect(said("ls", "core.gz", shown)).toMatchObject({ status: 0, stdout: expect.stringContaining(shown) });
  });
});

describe("task cat", () => {
  it("writes a file's bytes, links followed, from every layer", () => {
    expect(task("cat", "my image.iso", "usr/local/bin/link").stdout.equals(large)).toBe(true);
    expect(said("cat", "my image.iso", "/etc/message").stdout).toBe("upper\n");
    expect(said("cat", "my image.iso", "etc/motd", "--layer", "1").stdout).toBe("lower\n");
    expect(said("cat", "my image.iso", "boot/vmlinuz", "--layer", "iso").stdout).toBe("a kernel");
  });

  it("ends without a complaint when the reader has enough", () => {
    const command = `${JSON.stringify(process.execPath)} ${JSON.stringify(program)} cat tool.tcz usr/local/bin/tool | head -c 0`;
    const { stdout, stderr } = spawnSync("sh", ["-c", command], {
      cwd: workspace.path(""),
      encoding: "utf8",
    });
    expect([stdout, stderr]).toEqual(["", ""]);
  });

  it("tells what is no file, and has no JSON", () => {
    expect(said("cat", "core.gz", "etc")).toMatchObject({
      status: 1,
      stderr: /^error: etc is a directory, not a file \[not-a-file\]/,
    });
    expect(said("cat", "core.gz", "etc/motd", "--json").stderr).toContain("no-json");
  });
});

describe("task find", () => {
  it("names the layer or extension, and ends with 1 where there is none and with 2 in trouble", () => {
    const found = said("find", "my image.iso", "mot?");
    expect(found).toMatchObject({ status: 0, stderr: "" });
    expect(found.stdout).toBe("etc/motd  [layer 1; replaced by a later layer]\netc/motd  [layer 2]\n");
    expect(said("find", "my image.iso", "bin/tool").stdout).toBe("usr/local/bin/tool  [tool.tcz]\n");
    expect(said("find", "my image.iso", "vmlinuz").stdout).toBe("boot/vmlinuz  [iso; beside the initrd]\n");
    expect(said("find", "my image.iso", "nothing")).toMatchObject({ status: 1, stdout: "", stderr: "" });
    expect(said("find", "none.iso", "motd").status).toBe(2);
  });
});

describe("task extract", () => {
  it("lays out the view, and says where owners and devices are", async () => {
    const done = said("extract", "my image.iso", "etc", "usr", "--to", "out here");
    expect(done).toMatchObject({ status: 0, stderr: "" });
    expect(done.stdout).toMatch(/^9 entries in out here/);
    expect(await readFile(workspace.path("out here/etc/motd"), "utf8")).toBe("upper\n");
    const unpacked = await readFile(workspace.path("out here/usr/local/bin/tool"));
    expect(unpacked.equals(large)).toBe(true);
    expect((await readdir(workspace.path("out here"))).filter((name) => name !== ".manifest")).toEqual([
      "etc",
      "usr",
    ]);
    expect(said("extract", "my image.iso", "--to", "out here")).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(
        /^error: the directory to unpack into is not empty \[not-empty\]\n.*\n.*--keep-existing\n$/,
      ),
    });
    expect(said("extract", "my image.iso")).toMatchObject({ status: 2, stderr: /needs a directory/ });
  });

  it("of hostile archives writes nothing, in or outside the directory", async () => {
    const outside = path.join(workspace.path(""), "..", path.basename(workspace.path("")), "outside");
    const hostile = {
      "up.tar": tarBytes([{ path: "../outside", body: "x" }]),
      "absolute.tar": tarBytes([{ path: outside, body: "x" }]),
      "link.tar": tarBytes([
        { path: "door", type: "SymbolicLink", linkpath: workspace.path("") },
        { path: "door/outside", body: "x" },
      ]),
      "hard.tar": tarBytes([{ path: "hard", type: "Link", linkpath: "../outside" }]),
    };
    for (const [name, bytes] of Object.entries(hostile)) {
      await writeFile(workspace.path(name), bytes);
      const { status, stdout, stderr } = said("extract", name, "--to", "hostile out");
      expect([status, stdout]).toEqual([1, ""]);
      expect(stderr).toMatch(/^error: the (?:archive|tarball).*\[unsafe-(?:name|link)\]\n/);
    }
    expect((await readdir(workspace.path(""))).filter((name) => /outside|hostile/.test(name))).toEqual([]);
  });
});

describe("what is no image", () => {
  it("or is truncated, is answered with one error that says what it is", async () => {
    await workspace.$`mkfifo ${workspace.path("pipe")}`;
    const kernel = Buffer.alloc(4096, 1);
    kernel.write("HdrS", 0x202, "latin1");
    const files = {
      empty: "",
      "text.txt": "some text\n",
      "page.iso": "<!doctype html><title>404</title>",
      vmlinuz: kernel,
      "elf.bin": "\x7fELF\x02",
      "data.xz": Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]),
    };
    for (const [name, bytes] of Object.entries(files)) await writeFile(workspace.path(name), bytes);
    await workspace.$`cp ${workspace.path("my image.iso")} ${workspace.path("short.iso")} && cp ${workspace.path("core.gz")} ${workspace.path("short.gz")} && cp ${workspace.path("tool.tcz")} ${workspace.path("short.tcz")}`;
    for (const [name, size] of [
      ["short.iso", 60_000],
      ["short.gz", 2000],
      ["short.tcz", 2000],
    ] as const)
      await truncate(workspace.path(name), size);
    const expected = {
      empty: "the file is not an image: it is empty",
      "text.txt": "the file is not an image: it is a text file",
      "page.iso": "the file is not an image: it is an HTML page",
      vmlinuz: "the file is not an image: it is a Linux kernel",
      "elf.bin": "the file is not an image: it is an ELF file",
      "data.xz": "the file is not an image: it is xz-compressed data",
      pipe: "this is not a file",
      "iso root": "this is not a file",
      "short.iso": "the ISO is damaged: .* is truncated",
      "short.gz": "the gzip member .*",
      "short.tcz": "the squashfs file cannot be mounted: it is truncated.*",
    };
    for (const [name, message] of Object.entries(expected)) {
      const { status, stdout, stderr } = said("ls", name);
      expect([name, status, stdout]).toEqual([name, 1, ""]);
      expect(stderr).toMatch(new RegExp(`^error: ${message} \\[[a-z-]+\\]\\n( {2}(where|hint): .*\\n){2}$`));
    }
  });
});

describe("task check", () => {
  it("says what would fail on the booted machine, as text and as JSON, and exits as documented", async () => {
    const tree = new FileTree().addFile("opt/bootsync.sh", bytesContent("#!/bin/sh\n"), { mtime });
    tree.addFile("usr/local/bin/report", bytesContent("#!/usr/bin/python3\n"), { mtime, mode: 0o755 });
    await writeLayer(tree.ensureParents({ mtime }), workspace.path("faulty.gz"), {});
    const { status, stdout, stderr } = said("check", "faulty.gz");
    expect([status, stderr]).toEqual([1, ""]);
    expect(stdout.split("\n")).toEqual([
      "error: a script that boot starts is not executable",
      "  where: opt/bootsync.sh",
      "  hint: make it executable: chmod +x opt/bootsync.sh",
      "warning: scripts need /usr/bin/python3, which the image lacks",
      "  where: usr/local/bin/report",
      "  hint: add the extension that has /usr/bin/python3, or leave the scripts out",
      "1 error, 1 warning",
      "",
    ]);
    expect(JSON.parse(said("check", "faulty.gz", "--json").stdout)).toMatchObject({
      errors: 1,
      warnings: 1,
      faults: [{ severity: "error", paths: ["opt/bootsync.sh"] }, { severity: "warning" }],
    });
    expect(said("check", "tool.tcz")).toMatchObject({ status: 0, stdout: "0 errors, 0 warnings\n" });
    expect(said("check", "missing.iso")).toMatchObject({ status: 2, stdout: "" });
    expect(said("check", "a", "b").status).toBe(2);
  });
});
