import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { type ExtensionFacts, formatIndexes, formatSidecars } from "../tasks/debian/extension-metadata.ts";
import { catalogue, type ExtensionEntry } from "../tasks/sample/extension-catalogue.ts";
import { arrangeExtensions, settleDependencies } from "../tasks/sample/extension-graph.ts";
import { isDropped, relocateTarget } from "../tasks/sample/extension-tree.ts";
import { buildExtension, type PackedExtension } from "../tasks/sample/extensions.ts";
import { selectPresent } from "../tasks/sample/kernel-modules.ts";
import { opensshFiles, opensshInstalled } from "../tasks/sample/openssh.ts";
import { planOf, useWorkshop } from "./sample-source-workshop.ts";
import { usesPrograms } from "./support/programs.ts";

usesPrograms("unsquashfs");

const workshop = useWorkshop();

const tool = {
  name: "tool",
  files: {
    "bin/bash": "#!/bin/sh\n",
    "usr/bin/tool": "#!/usr/bin/ruby\n",
    "usr/bin/alias": "-> tool",
    "usr/bin/elsewhere": "-> other-tool",
    "usr/bin/script": "-> ../share/tool/script",
    "sbin/tool": "-> /usr/sbin/tool",
    "usr/sbin/tool": "#!/bin/sh\n",
    "usr/lib/x86_64-linux-gnu/libtool.so.1.2": "library",
    "usr/lib/x86_64-linux-gnu/libtool.so.1": "-> libtool.so.1.2",
    "usr/share/tool/script": "script",
    "usr/share/doc/tool/copyright": "Files: *\nLicense: Expat\n text\n\nLicense: GPL-2+\n",
    "usr/share/man/man1/tool.1": "page",
    "lib/systemd/system/tool.service": "unit",
    "etc/init.d/tool": "script",
    "etc/tool.conf": "settings",
    "var/lib/tool dir/a b": "blank",
  },
};

const entry: ExtensionEntry = {
  name: "tool",
  packages: ["tool"],
  files: { "usr/local/etc/init.d/tool": "#!/bin/sh\n" },
  installed: "echo loaded\n",
};

async function build(
  directory: string,
): Promise<{ readonly file: string; readonly packed: PackedExtension }> {
  const out = workshop.path(directory);
  await mkdir(out, { recursive: true });
  const plan = planOf(["tool"]);
  const packed = await buildExtension(
    {
      $: workshop.$,
      plan,
      downloads: { tool: await workshop.makePackage(tool) },
      workDir: workshop.path(`${directory} work`),
      outDir: out,
      epoch: 1_700_000_000,
    },
    { name: "tool", packages: plan.packages, depends: [], entry },
    out,
  );
  if (packed === undefined) throw new Error("nothing was packed");
  return { file: join(out, "tool.tcz"), packed };
}

describe("an extension made of a package", () => {
  it("has programs in usr/local, libraries in their place, and no documents or services", async () => {
    const { file, packed } = await build("layout");
    expect(packed.paths).toEqual([
      "bin/bash",
      "etc/tool.conf",
      "usr/lib/x86_64-linux-gnu/libtool.so.1",
      "usr/lib/x86_64-linux-gnu/libtool.so.1.2",
      "usr/local/bin/alias",
      "usr/local/bin/bash",
      "usr/local/bin/elsewhere",
      "usr/local/bin/script",
      "usr/local/bin/tool",
      "usr/local/etc/init.d/tool",
      "usr/local/sbin/tool",
      "usr/local/tce.installed/tool",
      "usr/share/tool/script",
      "var/lib/tool dir/a b",
    ]);
    const { stdout } = await workshop.$`unsquashfs -ll ${file}`;
    const lines = stdout.split("\n").map((line) => line.replace(/ +\d+ \d{4}-\d\d-\d\d \d\d:\d\d /, " "));
    for (const expected of [
      "-rwxr-xr-x root/root squashfs-root/usr/local/bin/tool",
      "-rw-r--r-- root/root squashfs-root/etc/tool.conf",
      "drwxrwxr-x root/staff squashfs-root/usr/local/tce.installed",
      "-rwxrwxr-x root/staff squashfs-root/usr/local/tce.installed/tool",
      "-rwxr-xr-x root/root squashfs-root/usr/local/etc/init.d/tool",
      "lrwxrwxrwx root/root squashfs-root/usr/local/bin/alias -> tool",
      "lrwxrwxrwx root/root squashfs-root/usr/local/bin/script -> ../../share/tool/script",
      // Scripts whose first line names bash find it.
      "lrwxrwxrwx root/root squashfs-root/bin/bash -> ../usr/local/bin/bash",
      // Another extension's file is not beside this one where extensions are mounted.
      "lrwxrwxrwx root/root squashfs-root/usr/local/bin/elsewhere -> /usr/local/bin/other-tool",
      // The link to the file of the same name gave way to the file.
      "-rwxr-xr-x root/root squashfs-root/usr/local/sbin/tool",
    ]) {
      expect(lines).toContain(expected);
    }
    expect(packed.licences).toEqual(["Expat", "GPL-2+"]);
    expect(packed).toMatchObject({ version: "1.0-1", description: "the package tool" });
    expect((await workshop.$`md5sum ${file}`).stdout.slice(0, 32)).toBe(packed.md5);
  });

  it("has the same bytes whatever the umask and the time zone", async () => {
    const first = await readFile((await build("first")).file);
    const umask = process.umask(0o077);
    const zone = process.env.TZ;
    process.env.TZ = "Asia/Tokyo";
    try {
      expect(Buffer.compare(await readFile((await build("second")).file), first)).toBe(0);
    } finally {
      process.umask(umask);
      if (zone === undefined) delete process.env.TZ;
      else process.env.TZ = zone;
    }
  });

  it("leaves no working files behind, and is not made of a package without files", async () => {
    const workDir = workshop.path("work of nothing");
    const directory = workshop.path("nothing");
    await mkdir(directory);
    const plan = planOf(["empty"]);
    const downloads = {
      empty: await workshop.makePackage({ name: "empty", files: { "usr/share/doc/e": "x" } }),
    };
    const options = { $: workshop.$, plan, downloads, workDir, outDir: directory, epoch: 1 };
    const made = await buildExtension(
      options,
      { name: "empty", packages: plan.packages, depends: [] },
      directory,
    );
    expect(made).toBeUndefined();
    expect(await readdir(directory)).toEqual([]);
    expect(await readdir(workDir)).toEqual([]);
  });
});

describe("which extensions there are", () => {
  it("groups packages by the catalogue, and makes one of every other package that is needed", () => {
    const plan = planOf(["lib", "other", "tool", "tool-extra", "unrelated"], {
      tool: ["tool-extra", "lib"],
      "tool-extra": ["other"],
    });
    const extensions = arrangeExtensions(plan, [
      { name: "tools", packages: ["new-tool | tool", "tool-extra"] },
    ]);
    expect(extensions.map(({ name, depends }) => [name, ...depends])).toEqual([
      ["lib"],
      ["other"],
      ["tools", "lib", "other"],
    ]);
  });

  it("passes over extensions without files and cuts circles, so that a loader never meets either", () => {
    const plan = planOf(["a", "b", "meta"], { a: ["meta"], meta: ["b"], b: ["a"] });
    const extensions = arrangeExtensions(plan, [{ name: "a", packages: ["a"] }]);
    expect(Object.fromEntries(settleDependencies(extensions, new Set(["meta"])))).toEqual({
      a: ["b"],
      b: [],
    });
  });

  it("offers what the project's own lists name", async () => {
    const names = new Set(catalogue.map(({ name }) => `${name}.tcz`));
    for (const list of ["lists/builtin-extensions.lst", "lists/mirror-extensions.lst"]) {
      const lines = (await readFile(list, "utf8")).split("\n").map((line) => line.trim());
      for (const name of lines.filter((line) => line !== "" && !line.startsWith("#"))) {
        expect(name === "scsi-KERNEL.tcz" || names.has(name), name).toBe(true);
      }
    }
  });
});

describe("links and paths", () => {
  it.each([
    ["usr/bin/a", "b", "b"],
    ["bin/a", "/usr/bin/b", "/usr/local/bin/b"],
    ["usr/bin/a", "../lib/x/a", "../../lib/x/a"],
    ["usr/lib/x/a", "../../bin/a", "../../local/bin/a"],
    ["sbin/a", "../bin/b", "../bin/b"],
    ["usr/lib/a.so", "/lib/a.so.1", "/lib/a.so.1"],
  ])("the link %s to %s leads to %s after the move", (path, target, expected) => {
    expect(relocateTarget(path, target)).toBe(expected);
  });

  it("keeps a library whose name begins like a dropped directory", () => {
    expect(isDropped("usr/share/documents/a")).toBe(false);
    expect(isDropped("usr/share/doc")).toBe(true);
    expect(isDropped("usr/lib/x86_64-linux-gnu/libsystemd.so.0")).toBe(false);
  });
});

describe("the files beside an extension", () => {
  const facts = (name: string, depends: readonly string[]): ExtensionFacts => ({
    name,
    version: "1",
    description: "d",
    homepage: "h",
    licences: ["Expat"],
    packages: [`${name} 1`, "more 2"],
    tags: [name],
    size: 4096,
    md5: "0".repeat(32),
    paths: [`usr/local/bin/${name}`],
    depends,
  });
  const depends = new Map([
    ["a", ["b", "c"]],
    ["b", ["c"]],
    ["c", []],
  ]);

  it("are those of a Tiny Core mirror, and .dep is absent where nothing is needed", () => {
    const beside = formatSidecars(facts("a", ["b", "c"]), depends, 0);
    expect(beside.get("a.tcz.dep")).toBe("b.tcz\nc.tcz\n");
    expect(beside.get("a.tcz.md5.txt")).toBe(`${"0".repeat(32)}  a.tcz\n`);
    expect(beside.get("a.tcz.tree")).toBe("a.tcz\n   b.tcz\n      c.tcz\n   c.tcz\n");
    expect(beside.get("a.tcz.list")).toBe("usr/local/bin/a\n");
    expect(beside.get("a.tcz.info")).toMatch(/^Title: {10}a\.tcz\n/);
    expect(beside.get("a.tcz.info")).toContain("\n                more 2\n");
    expect(formatSidecars(facts("c", []), depends, 0).has("c.tcz.dep")).toBe(false);
  });

  it("are summed up in the repository's indexes", () => {
    const indexes = formatIndexes([facts("a", ["c"]), facts("c", [])]);
    const text = (name: string): string => gunzipSync(indexes.get(name) ?? new Uint8Array()).toString();
    expect(text("info.lst.gz")).toBe("a.tcz\nc.tcz\n");
    expect(text("md5.db.gz")).toBe(`${"0".repeat(32)}  a.tcz\n${"0".repeat(32)}  c.tcz\n`);
    expect(text("sizelist.gz")).toBe("a.tcz 4096\nc.tcz 4096\n");
    expect(text("dep.db.gz")).toBe("a.tcz\nc.tcz\n\nc.tcz\n");
    expect(text("provides.db.gz")).toBe("a.tcz\nusr/local/bin/a\n\nc.tcz\nusr/local/bin/c\n");
  });
});

describe("scripts of the extensions", () => {
  it("are shell that a POSIX shell can read", async () => {
    for (const [index, text] of [...Object.values(opensshFiles), opensshInstalled].entries()) {
      if (index === 1) continue;
      await writeFile(workshop.path(`script-${index}`), text);
      await workshop.$`sh -n ${workshop.path(`script-${index}`)}`;
    }
  });
});

describe("the modules extension", () => {
  it("takes the wanted modules that the kernel has, as the kernel spells them", () => {
    const table = "kernel/a/xen-blkfront.ko.zst: kernel/b.ko\nkernel/sd_mod.ko:\nkernel/other.ko:\n";
    expect(selectPresent(["sd_mod", "xen_blkfront", "gone"], table)).toEqual(["xen-blkfront", "sd_mod"]);
  });
});
