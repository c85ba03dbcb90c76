/** Bills of materials of built ISOs: beside the ISO, on standard output, in COPYING; and the same bytes of the same ISO. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import { beforeAll, describe, expect, it } from "vitest";
import { spdxFaults } from "../bom/spdx-rules.ts";
import { openWorkspace, version, type Workspace } from "./workspace.ts";

interface CycloneDx {
  readonly metadata: { readonly component: { readonly hashes: readonly { readonly content: string }[] } };
  readonly components: readonly {
    readonly "bom-ref": string;
    readonly licenses?: readonly unknown[];
    readonly hashes?: readonly { readonly content: string }[];
    readonly components?: readonly { readonly name: string }[];
  }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
}

describe("the bills of a dev ISO", () => {
  let workspace: Workspace;
  let cyclonedx = "";
  let spdx = "";
  const image = `build-files/rz_mk_dev-image.${version}`;

  beforeAll(async () => {
    workspace = await openWorkspace();
    await workspace.build(["iso", "--sbom", "--source", "sample"]);
    cyclonedx = await readFile(workspace.path(`${image}.cdx.json`), "utf8");
    spdx = await readFile(workspace.path(`${image}.spdx.json`), "utf8");
  }, 600_000);

  const document = () => JSON.parse(cyclonedx) as CycloneDx;
  const component = (ref: string) => document().components.find((one) => one["bom-ref"] === ref);

  it("are valid documents of their formats, about this ISO", async () => {
    const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
    expect(await validator.validate(cyclonedx)).toBeNull();
    expect(spdxFaults(spdx)).toEqual([]);
    const iso = await readFile(workspace.path(`${image}.iso`));
    const sha256 = createHash("sha256").update(iso).digest("hex");
    expect(document().metadata.component.hashes.map(({ content }) => content)).toEqual([sha256]);
    expect(spdx).toContain(sha256);
  });

  it("have the parts of all kinds, with the digests of their files and what they need", async () => {
    const kinds = document().components.map((one) => one["bom-ref"].split("/")[0]);
    expect([...new Set(kinds)].sort()).toEqual([
      "core",
      "deb",
      "extension",
      "extra",
      "files",
      "gem",
      "kernel",
    ]);
    const cat = ["cat", `${image}.iso`, "tmp/builtin/optional/bash.tcz"];
    await workspace.$`${process.execPath} ${workspace.path("bin/task.js")} ${cat} > ${workspace.path("bash.tcz")}`;
    const sha256 = createHash("sha256")
      .update(await readFile(workspace.path("bash.tcz")))
      .digest("hex");
    expect(component("extension/bash.tcz")?.hashes?.[0]?.content).toBe(sha256);
    const needs = document().dependencies.find(({ ref }) => ref === "extension/bash.tcz")?.dependsOn;
    expect(needs).toContain("deb/bash");
    expect(needs?.some((ref) => ref.startsWith("extension/"))).toBe(true);
  });

  it("have licences of builtin extensions too, which the image itself does not state", async () => {
    expect(component("extension/bash.tcz")?.licenses).toContainEqual({ license: { id: "GPL-3.0-or-later" } });
    const alone = JSON.parse((await workspace.build(["sbom", `${image}.iso`])).stdout) as CycloneDx;
    const bash = alone.components.find((one) => one["bom-ref"] === "extension/bash.tcz");
    expect(bash).toBeDefined();
    expect(bash?.licenses).toBeUndefined();
  });

  it("list the overlay's files, and none of an extension, a gem or an extra", () => {
    const names = component("files")?.components?.map(({ name }) => name) ?? [];
    expect(names).toContain("opt/bootsync.sh");
    expect(names).toContain("usr/local/bin/rz_mk_init.rb");
    expect(
      names.filter((name) => /\.tcz|\.gem$|tce\.installed|vmware|\/gems\/[^/]+\/gems\//.test(name)),
    ).toEqual([]);
  });

  it("are what `task sbom` prints", async () => {
    const printed = async (...words: readonly string[]) =>
      (await workspace.build(["sbom", "--source", "sample", ...words])).stdout;
    expect(await printed()).toBe(cyclonedx);
    expect(await printed("--format", "spdx")).toBe(spdx);
  });

  it("are the same when they are made again", async () => {
    await workspace.build(["iso", "--sbom", "--source", "sample", "--force=bill-of-materials"]);
    expect(await readFile(workspace.path(`${image}.cdx.json`), "utf8")).toBe(cyclonedx);
    expect(await readFile(workspace.path(`${image}.spdx.json`), "utf8")).toBe(spdx);
  });

  it("agree with COPYING in the ISO", async () => {
    const copying = (await workspace.build(["cat", `${image}.iso`, "COPYING", "--layer", "iso"])).stdout;
    const own = await readFile(workspace.path("COPYING"), "utf8");
    expect(copying.startsWith(own.trimEnd())).toBe(true);
    expect(copying).toMatch(/\nfacter 4\.\S+\n {4}Apache-2\.0\n/);
    expect(copying).toMatch(/\nlinux \S+\n {4}GPL-2\.0-only WITH Linux-syscall-note\n/);
    expect(copying).toMatch(/\nbash\.tcz\n {4}not stated in the image\n/);
  });
});
