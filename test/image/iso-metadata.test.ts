/** `iso-metadata.yaml`, as a Razor server reads it. */
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { metadataOf } from "../../tasks/image/image-identity.ts";
import { refusalsOfRazor } from "../support/razor-iso-check.ts";

let directory = "";
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const plan = { initrdSize: 6, initrd: "corepure64.gz", kernel: "vmlinuz64", kernelSha256: sha256("kernel") };

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "razor mk metadata "));
  await mkdir(path.join(directory, "boot"));
  await writeFile(path.join(directory, "boot/vmlinuz64"), "kernel");
  await writeFile(path.join(directory, "boot/corepure64.gz"), "initrd");
});

afterEach(async () => await rm(directory, { recursive: true, force: true }));

async function refusals(metadata: Buffer | string, epoch: number, name = "rz_mk_dev-image.0.9.3.iso") {
  await writeFile(path.join(directory, "iso-metadata.yaml"), metadata);
  return refusalsOfRazor(name, directory, epoch);
}

it.each([
  ["0.9.3", 0],
  ["v0.9.3.1", 1_600_000_000],
  ["1.10.0+48-g104a9bc", 1_700_000_000],
  ["0.9.3", 4_102_444_799],
])("passes the checks of a Razor server: version %s, %i s", async (version, epoch) => {
  expect(await refusals(metadataOf(plan, version, epoch, sha256("initrd")), epoch)).toEqual([]);
});

it("has the same size for every digest of the initrd", () => {
  expect(metadataOf(plan, "0.9.3", 1, "0".repeat(64))).toHaveLength(
    metadataOf(plan, "0.9.3", 1, sha256("initrd")).length,
  );
});

it("would be refused with bare file names, a quoted time, another digest or no file", async () => {
  const good = metadataOf(plan, "0.9.3", 1_700_000_000, sha256("initrd")).toString();
  const changed = async (from: RegExp, to: string) => {
    expect(good).toMatch(from);
    return await refusals(good.replace(from, to), 1_700_000_000);
  };
  expect(await changed(/boot\/vmlinuz64/, "vmlinuz64")).toEqual(['no kernel at "vmlinuz64"']);
  expect(await changed(/2023-.* Z/, '"2023-11-14T22:13:20Z"')).toEqual([
    'the time "2023-11-14T22:13:20Z" is 2023 s',
  ]);
  expect(await changed(/(?<=initrd_hash: ").{4}/, "beef")).toEqual(["another digest of the initrd"]);
  expect(await changed(/^iso_version.*$/m, "iso_version: 1.10")).toEqual(["no version: 1.1"]);
  await rm(path.join(directory, "iso-metadata.yaml"));
  expect(refusalsOfRazor("x.img", directory, 0)).toEqual(["the name does not end in .iso", "no metadata"]);
});
