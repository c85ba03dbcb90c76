/** The bill of an image: validated by CycloneDX's own validator and the rules of SPDX, and compared with what lies in the image. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import { beforeAll, describe, expect, it } from "vitest";
import { type Bill, billOf, formatCycloneDx, formatSpdx, imageAlone } from "../../src/bom/index.ts";
import {
  bytesContent,
  FileTree,
  joinLayers,
  packSquashfs,
  writeIso,
  writeLayer,
} from "../../src/formats/index.ts";
import { openImage } from "../../src/inspection/index.ts";
import { program } from "../cli/workshop.ts";
import { useWorkspace } from "../formats/workspace.ts";
import { gemBytes, gemSpecification } from "../hostile/gem-builder.ts";
import { usesPrograms } from "../support/programs.ts";
import { type SpdxDocument, spdxFaults } from "./spdx-rules.ts";

usesPrograms("mksquashfs", "xorriso", "sha256sum");

const workspace = useWorkspace();
const mtime = 1_700_000_000;
const hostile = '</script>"<b> \u202e\n\x1b[31m';
let tool: Buffer = Buffer.alloc(0);

const info = [
  "Title:          tool.tcz",
  "Description:    A tool",
  "Version:        1.2",
  "Original-site:  https://tool.example/",
  "Copying-policy: GPL-2+, Expat,",
  "                GPLv2",
  "Comments:       Made from these packages:",
  "                tool 1.2-3",
  "                libtool1 2:1.2-3ubuntu4",
  "",
].join("\n");

async function extension(name: string, files: Readonly<Record<string, string>>): Promise<Buffer> {
  const from = workspace.path(`from-${name}`);
  for (const [file, text] of Object.entries(files)) {
    await mkdir(path.dirname(`${from}/${file}`), { recursive: true });
    await writeFile(`${from}/${file}`, text);
  }
  await packSquashfs(workspace.$, from, workspace.path(name), { epoch: mtime });
  return await readFile(workspace.path(name));
}

/** A kernel's header with this release. */
function kernelBytes(release: string): Buffer {
  const bytes = Buffer.alloc(0x1000);
  bytes.write("HdrS", 0x202, "latin1");
  bytes.writeUInt16LE(0x300, 0x20e);
  bytes.write(`${release} (builder) #1 SMP\0`, 0x500, "latin1");
  return bytes;
}

beforeAll(async () => {
  tool = await extension("tool.tcz", { "usr/local/bin/tool": "a tool\n" });
  const base = await extension("base-6.1.0-tiny.tcz", {
    "usr/share/doc/base/copyright": [
      "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/",
      "",
      "Files: *",
      "License: Expat or GPL-2+",
      "",
    ].join("\n"),
  });
  const file = (text: string | Uint8Array) => bytesContent(text);
  const core = new FileTree()
    .addFile("usr/share/doc/tc/release.txt", file("14.0\n"), { mtime })
    .addFile("etc/motd", file("core\n"), { mtime })
    .addDirectory("lib/modules/6.1.0-tiny", { mtime })
    .ensureParents({ mtime });
  const gem = `${gemSpecification("needy", "1.0")}date: 2020-01-02\nlicenses:\n- Apache-2.0\nsummary: "A gem"\n`;
  const upper = new FileTree()
    .addFile("tmp/builtin/onboot.lst", file("tool.tcz\n"), { mtime })
    .addFile("tmp/builtin/optional/tool.tcz", file(tool), { mtime })
    .addFile("tmp/builtin/optional/tool.tcz.dep", file("base-KERNEL.tcz\n"), { mtime })
    .addFile("tmp/builtin/optional/tool.tcz.info", file(info), { mtime })
    .addFile("tmp/builtin/optional/base-6.1.0-tiny.tcz", file(base), { mtime })
    .addFile("opt/gems/needy-1.0.gem", file(gemBytes(gem)), { mtime })
    .addFile(
      "opt/gems/evil-9.9.gem",
      file(gemBytes(`${gemSpecification("evil", "9.9")}date: 2020-01-02\n`)),
      { mtime },
    )
    .addFile("opt/gems/broken-1.gem", file("no gem"), { mtime })
    .addFile("opt/rubygems-3.3.15.tgz", file("a tarball"), { mtime })
    .addFile("usr/local/tce.installed/mcollective-2.0.0/README", file("read"), { mtime })
    .addFile("tmp/mk-version.yaml", file('---\nmk_version: "1.2.3"\n'), { mtime: mtime + 5 })
    .addFile("opt/bootsync.sh", file("#!/bin/sh\n"), { mtime })
    .addFile(`opt/${hostile}`, file("hostile"), { mtime })
    .ensureParents({ mtime });
  await writeLayer(core, workspace.path("core.gz"));
  await writeLayer(upper, workspace.path("upper.gz"));
  const root = workspace.path("iso root");
  await mkdir(`${root}/boot/isolinux`, { recursive: true });
  await joinLayers(["core.gz", "upper.gz"].map(workspace.path), `${root}/boot/core.gz`);
  await writeFile(`${root}/boot/vmlinuz`, kernelBytes("6.1.0-tiny"));
  const ids = { volumeId: "BILL", applicationId: "TEST", systemId: "LINUX" };
  await writeIso(workspace.$, { root, out: workspace.path("my image.iso"), epoch: mtime, ...ids });
});

let places = 0;
async function bill(name = "my image.iso", notes: string[] = []): Promise<Bill> {
  const directory = workspace.path(`spool-${++places}`);
  await mkdir(directory);
  const sources = imageAlone({ spoolDir: directory, limits: {}, note: (message) => notes.push(message) });
  const file = workspace.path(name);
  const image = await openImage(file, { spoolDir: directory });
  return await billOf(image, { ...sources, file, tool: { name: "razor-mk", version: "0.1.0" } });
}

describe("a bill of materials", () => {
  it("has each part with its version, digest, licence, package URL and needs", async () => {
    const notes: string[] = [];
    const { components, version, time } = await bill("my image.iso", notes);
    const sha256 = createHash("sha256").update(tool).digest("hex");
    expect([version, time]).toEqual(["1.2.3", mtime + 5]);
    expect(components.map(({ id, version, needs }) => [id, version, needs])).toEqual([
      ["core/tinycore", "14.0", []],
      ["deb/libtool1", "2:1.2-3ubuntu4", []],
      ["deb/tool", "1.2-3", []],
      ["extension/base-6.1.0-tiny.tcz", undefined, []],
      ["extension/tool.tcz", "1.2", ["extension/base-6.1.0-tiny.tcz"]],
      ["extra/mcollective", "2.0.0", []],
      ["extra/rubygems", "3.3.15", []],
      ["gem/broken-1.gem", undefined, []],
      ["gem/evil-9.9", "9.9", []],
      ["gem/needy-1.0", "1.0", ["gem/evil-9.9"]],
      ["kernel/linux", "6.1.0-tiny", []],
    ]);
    expect(notes).toEqual([expect.stringMatching(/broken-1\.gem: /)]);
    const by = new Map(components.map((one) => [one.id, one]));
    expect(by.get("extension/tool.tcz")).toMatchObject({
      ...{ sha256, size: tool.length, description: "A tool", homepage: "https://tool.example/" },
      licences: [
        { kind: "id", id: "GPL-2.0-or-later" },
        { kind: "id", id: "MIT" },
        { kind: "named", name: "GPLv2" },
      ],
      contains: ["deb/tool", "deb/libtool1"],
      purl: `pkg:generic/tool.tcz@1.2?checksum=sha256%3A${sha256}`,
    });
    // From the copyright file inside: there is no .info.
    expect(by.get("extension/base-6.1.0-tiny.tcz")?.licences).toEqual([
      { kind: "expression", expression: "MIT OR GPL-2.0-or-later" },
    ]);
    expect(by.get("gem/needy-1.0")).toMatchObject({
      ...{ purl: "pkg:gem/needy@1.0", licences: [{ kind: "id", id: "Apache-2.0" }], description: "A gem" },
    });
    expect(by.get("deb/libtool1")?.purl).toMatch(/^pkg:deb\/ubuntu\/libtool1@/);
  });

  it("lists the image's own files with their digests, and no file of a component", async () => {
    const { files } = await bill();
    expect(files.map((file) => file.path)).toEqual([
      'opt/</script>"<b> \\u202e\\x0a\\x1b[31m',
      "opt/bootsync.sh",
      "tmp/builtin/onboot.lst",
      "tmp/mk-version.yaml",
    ]);
    const sum = spawnSync("sha256sum", { input: "#!/bin/sh\n", encoding: "utf8" }).stdout.split(" ")[0];
    expect(files.find((file) => file.path === "opt/bootsync.sh")?.sha256).toBe(sum);
  });

  it("is a valid CycloneDX 1.6 document", async () => {
    const text = await formatCycloneDx(await bill());
    const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
    expect(await validator.validate(text)).toBeNull();
    expect(await validator.validate(text.replace('"library"', '"lib"'))).not.toBeNull();
    const document = JSON.parse(text);
    const depends = new Map<string, readonly string[]>(
      document.dependencies.map((one: { ref: string; dependsOn?: readonly string[] }) => [
        one.ref,
        one.dependsOn,
      ]),
    );
    expect(depends.get("extension/tool.tcz")).toEqual([
      ...["extension/base-6.1.0-tiny.tcz", "deb/tool", "deb/libtool1"],
    ]);
    expect(depends.get("image")).not.toContain("deb/tool");
    expect(depends.get("image")).toContain("extension/tool.tcz");
  });

  it("is a document by the rules of SPDX 2.3, which says what is not known", async () => {
    const text = formatSpdx(await bill());
    expect(spdxFaults(text)).toEqual([]);
    expect(spdxFaults(text.replace('"filesAnalyzed": true', '"filesAnalyzed": false'))).not.toEqual([]);
    const { packages } = JSON.parse(text) as SpdxDocument;
    const declared = new Map(packages.map(({ name, licenseDeclared }) => [name, licenseDeclared]));
    expect(declared.get("evil")).toBe("NOASSERTION");
    expect(declared.get("tool.tcz")).toBe("GPL-2.0-or-later AND MIT AND LicenseRef-1");
    expect(declared.get("base-6.1.0-tiny.tcz")).toBe("MIT OR GPL-2.0-or-later");
  });

  it("has the same bytes every time, and another serial number for another content", async () => {
    const [one, other] = [await bill(), await bill()];
    expect(await formatCycloneDx(other)).toBe(await formatCycloneDx(one));
    expect(formatSpdx(other)).toBe(formatSpdx(one));
    const serial = async (of: Bill) => JSON.parse(await formatCycloneDx(of)).serialNumber;
    expect(await serial({ ...one, time: one.time + 1 })).not.toBe(await serial(one));
    expect(await serial(one)).toMatch(
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });

  it("of an extension lists its files, and of an initrd what is in it", async () => {
    expect((await bill("tool.tcz")).files.map((file) => file.path)).toEqual(["usr/local/bin/tool"]);
    const { components, files } = await bill("upper.gz");
    expect(components.some(({ id }) => id === "extension/tool.tcz")).toBe(true);
    expect(spdxFaults(formatSpdx(await bill("upper.gz")))).toEqual([]);
    expect(files.map((file) => file.path)).toContain("opt/bootsync.sh");
  });
});

describe("task sbom", () => {
  const task = (...words: readonly string[]) => {
    const { PATH, HOME } = process.env;
    return spawnSync(process.execPath, [program, "sbom", ...words], {
      ...{ cwd: workspace.path(""), env: { PATH, HOME, NO_COLOR: "1" }, encoding: "utf8", timeout: 60_000 },
    });
  };

  it("prints the document in the format that is asked for, outside of any project", async () => {
    const cyclonedx = task("my image.iso");
    expect([cyclonedx.status, cyclonedx.stderr.match(/broken-1\.gem/g)?.length]).toEqual([0, 1]);
    const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
    expect(await validator.validate(cyclonedx.stdout)).toBeNull();
    const spdx = task("my image.iso", "--format", "spdx");
    expect([spdx.status, spdxFaults(spdx.stdout)]).toEqual([0, []]);
    expect(task("my image.iso", "--format", "spdx").stdout).toBe(spdx.stdout);
  });

  it.each([
    [["my image.iso", "other.iso"], 2, /at most one image \[sbom-usage\]/],
    [["my image.iso", "--format", "xml"], 2, /must be one of: cyclonedx, spdx \[format-unknown\]/],
    [["missing.iso"], 1, /cannot be opened \[unreadable-file\]/],
  ])("%j is refused", (words, status, message) => {
    const run = task(...words);
    expect(run.stderr).toMatch(message);
    expect([run.status, run.stdout]).toEqual([status, ""]);
  });
});
