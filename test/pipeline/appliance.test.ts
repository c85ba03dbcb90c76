/** The appliance template: what it says is in its image. */
import { cpSync, rmSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { usesPrograms } from "../support/programs.ts";
import { type Image, readImage } from "./image.ts";
import {
  copyWorkspace,
  makeDirectory,
  openWorkspace,
  removeDirectory,
  version,
  type Workspace,
} from "./workspace.ts";

usesPrograms("mksquashfs", "unshare", "xorriso");

describe("an image of the appliance template", () => {
  let directory = "";
  let workspace: Workspace;
  let image: Image;
  const iso = (): string => workspace.path(`build-files/appliance-dev-${version}.iso`);
  beforeAll(async () => {
    const built = await openWorkspace();
    await built.build(["fetch-iso", "--source", "sample"]);
    directory = await makeDirectory("appliance");
    const project = path.join(directory, "my appliance");
    await built.build(["init", project, "--template", "appliance"]);
    // Built in a copy of this workspace: a project of its own would make the sample anew.
    workspace = await copyWorkspace(built, path.join(directory, "the workspace"));
    for (const name of ["lists", "overlay-src", "edits", "extensions"]) {
      rmSync(workspace.path(name), { recursive: true, force: true });
      cpSync(path.join(project, name), workspace.path(name), { recursive: true });
    }
    await workspace.build([
      ...["iso", "--source", "sample", "--iso-version", version],
      ...["--mcollective-url", "none", "--ruby-gems-url", "none", "--open-vm-tools-url", "none"],
    ]);
    image = await readImage(workspace.$, iso(), path.join(directory, "image"));
  }, 1_200_000);
  afterAll(() => removeDirectory(directory));

  it("loads its own extensions, one of them compiled", async () => {
    const onboot = (await image.tree.read("tmp/builtin/onboot.lst")).toString().split("\n");
    expect(onboot).toEqual(expect.arrayContaining(["status.tcz", "beat.tcz"]));
    const { stdout } = await workspace.build(["find", iso(), "beat"]);
    expect(stdout).toContain("usr/local/bin/beat");
  });

  it("has its account, and what its edits make, owned as it says", async () => {
    const text = async (name: string): Promise<string> => (await image.tree.read(name)).toString();
    expect(await text("etc/passwd")).toMatch(/^operator:x:\d+:50:Operator of the appliance:/m);
    expect(await text("etc/sudoers")).toMatch(/^operator\tALL=\(ALL\) NOPASSWD: ALL$/m);
    expect(await text("opt/appliance/about")).toMatch(
      new RegExp(`^Appliance ${version} \\(dev\\), kernel \\S+\n$`),
    );
    expect(await text("opt/appliance/state/kernel")).toMatch(/^made for \d/);
    expect(image.tree.get("opt/appliance")).toMatchObject({ mode: 0o775, uid: 1001, gid: 50 });
  });

  it("is called what it says", async () => {
    const { stdout } = await workspace.$`xorriso -indev ${iso()} -pvd_info`;
    expect(stdout).toMatch(/^Volume Id +: APPLIANCE dev$/m);
    expect(stdout).toMatch(/^App Id +: An appliance on Tiny Core Linux$/m);
  });
});
