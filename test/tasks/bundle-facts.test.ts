/** What bundles of the old scripts tell of themselves. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, it } from "vitest";
import { readBundleFacts } from "../../tasks/settings/bundle-facts.ts";

const directory = mkdtempSync(path.join(tmpdir(), "bundle facts "));
afterAll(() => rmSync(directory, { recursive: true }));

function pack(name: string, script: string, version?: string): string {
  const content = mkdtempSync(path.join(directory, "content "));
  mkdirSync(path.join(content, "dependencies"));
  writeFileSync(path.join(content, "dependencies/razor-microkernel-overlay.tar.gz"), "");
  writeFileSync(path.join(content, "rebuild_iso.sh"), script);
  if (version !== undefined) writeFileSync(path.join(content, "gitversion.sh"), version);
  const bundle = path.join(directory, name);
  execFileSync("tar", ["czf", bundle, "-C", content, "."], { stdio: "inherit" });
  return bundle;
}

// Source: puppetlabs/Razor-Microkernel, iso-build-files/rebuild_iso.sh has a usage and then assigns the name, and
// build-bundle-file.sh edits only the assignment.
const usage = "echo '        rz_mk_dev-image_VERSION.iso'\n";

it.each([
  ["prod", "any.tar.gz", `${usage}ISO_NAME=rz_mk_prod-image.1.iso\n`],
  ["debug", "razor-microkernel-bundle-prod.tar.gz", `${usage}ISO_NAME="rz_mk_debug-image.1.iso"\n`],
  ["dev", "other.tar.gz", `${usage}  ISO_NAME=rz_mk_dev-image.1.iso\n`],
  ["prod", "razor-microkernel-bundle-prod.tar.gz", usage],
  [undefined, "unnamed.tar.gz", usage],
  // Which of the two it would be, only a shell knows.
  [undefined, "two.tar.gz", "ISO_NAME=rz_mk_dev-image.1.iso\nISO_NAME=rz_mk_prod-image.1.iso\n"],
  [
    "debug",
    "razor-microkernel-bundle-debug.tar.gz",
    "ISO_NAME=rz_mk_dev-image\n  ISO_NAME=rz_mk_prod-image\n",
  ],
])("the variant of an old bundle is %s for %s, whatever its usage says", async (variant, name, script) => {
  expect((await readBundleFacts(pack(name, script))).variant).toBe(variant);
});

// Source: the loops in puppetlabs/Razor-Microkernel, iso-build-files/build_initial_directories.sh.
const usual = ["mk-open-vm-tools", "razor-microkernel-overlay", "mcollective-setup-files", "ssh-setup-files"];

it.each([
  ["the usual ones, for scripts that name none", usual, usage],
  [
    "those of the script, in its order",
    ["razor-microkernel-overlay", "own-files"],
    "# mk-open-vm-tools.tar.gz\ntar zxf ../dependencies/razor-microkernel-overlay.tar.gz\ntar zxf ../dependencies/own-files.tar.gz\n",
  ],
])("an old bundle unpacks %s", async (_what, names, script) => {
  const { oldTarballs } = await readBundleFacts(pack("order.tar.gz", script));
  expect(oldTarballs).toEqual(names.map((name) => `${name}.tar.gz`));
});

// Source: a later rebuild_iso.sh of the same project reads ./gitversion.sh, which sets ISO_VERSION.
it.each([
  ["0.12.0", "ISO_VERSION=0.12.0\n"],
  ["0.12.0+3-gabcdef1", "#!/bin/sh\nexport ISO_VERSION='0.12.0+3-gabcdef1'\n"],
  [undefined, "ISO_VERSION=$(git describe)\n"],
  [undefined, 'ISO_VERSION="../../outside"\n'],
])("the version of an old bundle is %s for a gitversion.sh with %s", async (version, text) => {
  expect((await readBundleFacts(pack("versions.tar.gz", usage, text))).version).toBe(version);
});
