/** What would go wrong on the booted machine: scripts, libraries, boot codes. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { bytesContent, FileTree } from "../../src/formats/index.ts";
import { findFaults } from "../../src/inspection/index.ts";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("readelf");

/** A file of a tree: its text or bytes, and whether it is executable. */
type Content = readonly [content: string | Buffer, mode?: number];

const program = 0o755;

function treeOf(files: Readonly<Record<string, Content>>): FileTree {
  const tree = new FileTree();
  for (const [path, [content, mode = program]] of Object.entries(files))
    tree.addFile(path, bytesContent(content), { mtime: 0, mode });
  return tree.ensureParents({ mtime: 0 });
}

async function faultsOf(tree: FileTree, bootArguments: readonly string[] = []) {
  const view = { tree, layerOf: () => undefined, replacedAt: () => [], unusedAt: () => [] };
  const faults = await findFaults({ view, bootArguments });
  return faults.map(({ severity, message, paths }) => [`${severity}: ${message}`, ...paths]);
}

const shell = { "bin/busybox": ["shell"] } as const satisfies Record<string, Content>;

function withShell(files: Readonly<Record<string, Content>>): FileTree {
  return treeOf({ ...shell, ...files }).addSymlink("bin/sh", "/bin/busybox", { mtime: 0 });
}

describe("a script", () => {
  it("is right with an interpreter that is there, also behind a link or env", async () => {
    const tree = withShell({
      "opt/bootsync.sh": ["#!/bin/sh\ntrue\n"],
      "usr/bin/env": ["env"],
      "usr/local/bin/ruby": ["ruby"],
      "usr/local/bin/facts": ["#!/usr/bin/env ruby\n"],
      "usr/local/bin/flags": ["#!/usr/bin/env -S ruby -w\n"],
      "usr/local/bin/spaced": ["#! /bin/sh -e\n"],
      "usr/share/doc/example.py": ["#!/usr/bin/python3\n", 0o644],
    });
    expect(await faultsOf(tree)).toEqual([]);
  });

  it("without its interpreter is a warning, and an error where boot starts it", async () => {
    const tree = withShell({
      "opt/bootlocal.sh": ["#!/bin/bash\n"],
      "usr/bin/env": ["env"],
      "usr/local/bin/a": ["#!/usr/bin/env python3\n"],
      "usr/local/bin/b": ["#!/usr/bin/env python3\n"],
      "usr/local/bin/c": ["#!/usr/bin/perl -w\n"],
    });
    expect(await faultsOf(tree)).toEqual([
      ["error: scripts need /bin/bash, which the image lacks", "opt/bootlocal.sh"],
      ["warning: scripts need /usr/bin/perl, which the image lacks", "usr/local/bin/c"],
      ["warning: scripts need python3, which the image lacks", "usr/local/bin/a", "usr/local/bin/b"],
    ]);
  });

  it("with line ends of DOS is an error, as the kernel looks for a program of that name", async () => {
    const tree = withShell({
      "opt/bootsync.sh": ["#!/bin/sh\r\ntrue\r\n"],
      "usr/local/bin/x": ["#!/bin/sh\r\n"],
    });
    expect(await faultsOf(tree)).toEqual([
      [
        "error: scripts have lines that end with CR LF, so their interpreter is not found",
        ...["opt/bootsync.sh", "usr/local/bin/x"],
      ],
    ]);
  });

  it("that is not executable is an error where boot starts it, and a warning where boot passes over it", async () => {
    const tree = withShell({
      "opt/bootsync.sh": ["#!/bin/sh\n", 0o644],
      "usr/local/tce.installed/openssh": ["#!/bin/sh\n", 0o644],
      // The marker of an extension without a script.
      "usr/local/tce.installed/bash": ["", 0o644],
      // Read by other scripts, and not started.
      "etc/init.d/tc-functions": ["#!/bin/sh\n", 0o644],
      "usr/local/etc/init.d/ntpd": ["#!/bin/sh\n", 0o644],
    });
    expect(await faultsOf(tree)).toEqual([
      ["error: a script that boot starts is not executable", "opt/bootsync.sh"],
      [
        "warning: scripts are not executable, so boot passes over them",
        ...["usr/local/etc/init.d/ntpd", "usr/local/tce.installed/openssh"],
      ],
    ]);
  });
});

describe("a program", () => {
  const bytes = readFileSync(process.execPath);
  const needed = [
    ...execFileSync("readelf", ["-d", process.execPath], { encoding: "utf8" }).matchAll(
      /\(NEEDED\)\s+Shared library: \[(.+)\]/g,
    ),
  ].map(([, name = ""]) => name);

  it("lacks the libraries that readelf names, and none when they are somewhere in the image", async () => {
    expect(needed.length).toBeGreaterThan(2);
    const alone = treeOf({ "usr/local/bin/node": [bytes] });
    expect(await faultsOf(alone)).toEqual(
      [...needed]
        .sort()
        .map((name) => [
          `warning: programs need the library ${name}, which the image lacks`,
          "usr/local/bin/node",
        ]),
    );
    const whole = treeOf({ "usr/local/bin/node": [bytes] });
    for (const [index, name] of needed.entries())
      whole.addSymlink(`usr/lib/own-${index}/${name}`, "elsewhere", { mtime: 0 });
    expect(await faultsOf(whole.ensureParents({ mtime: 0 }))).toEqual([]);
  });

  it("is not asked about when it is not executable and no library", async () => {
    expect(await faultsOf(treeOf({ "usr/share/node.bin": [bytes, 0o644] }))).toEqual([]);
  });
});

describe("a boot code", () => {
  const tree = treeOf({
    "usr/share/kmap/qwertz/de.kmap": ["map", 0o644],
    "usr/lib/locale/de_DE/LC_CTYPE": ["", 0o644],
  });
  const codes = (...words: readonly string[]) => faultsOf(tree, words);

  it("that Core, the kernel or the image's programs know is right", async () => {
    const known = [
      ...[
        "quiet",
        "waitusb=5",
        "tce=sda1",
        "norestore",
        "cde",
        "kmap=qwertz/de",
        "lang=de_DE.UTF-8",
        "tz=CET-1CEST",
      ],
      ...[
        "console=ttyS0,115200",
        "razor.ip=10.0.0.1",
        "vga=791",
        "maxcpus=1",
        "text",
        "user=eve",
        "host=box",
        "iso=sda1/x",
      ],
      ...[
        "loglevel=3",
        "noswap",
        "multivt",
        "blacklist=floppy",
        "rsyslog=10.0.0.2",
        "restore=sda1/backup",
        "debug",
        "ro",
      ],
    ];
    expect(await codes(...known)).toEqual([]);
  });

  it("that Core reads as another one, by the beginning of its name, is a warning", async () => {
    expect(await codes("hostname=box", "options=x", "users=eve")).toEqual([
      ["warning: boot code hostname=box is read as host=box"],
      ["warning: boot code options=x is read as opt=x"],
      ["warning: boot code users=eve is read as user=eve"],
    ]);
  });

  it("that is misspelt is a warning with the code that was meant", async () => {
    const faults = await findFaults({
      view: { tree, layerOf: () => undefined, replacedAt: () => [], unusedAt: () => [] },
      bootArguments: ["norestor", "waitubs=5"],
    });
    expect(faults.map(({ message, hint }) => [message, hint])).toEqual([
      ["boot code norestor is not known", "did you mean norestore?"],
      ["boot code waitubs=5 is not known", "did you mean waitusb?"],
    ]);
  });

  it("for a keyboard or a language that the image lacks is a fault", async () => {
    expect(await codes("kmap=azerty/fr", "lang=fr_FR.UTF-8", "lang=C")).toEqual([
      ["error: boot code kmap=azerty/fr needs usr/share/kmap/azerty/fr.kmap, which the image lacks"],
      ["warning: boot code lang=fr_FR.UTF-8 needs a locale that the image lacks"],
    ]);
  });
});
