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
])("the variant of an old bundle is %s for %s, whatever its usage says", async (variant, name, script) => {
  expect((await readBundleFacts(pack(name, script))).variant).toBe(variant);
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
