/** The rescue template: an image of what `init --template rescue` makes has nothing of the Razor Microkernel. */
import { cp } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { usesPrograms } from "../support/programs.ts";
import { type Image, readImage } from "./image.ts";
import { makeDirectory, openWorkspace, removeDirectory, version, type Workspace } from "./workspace.ts";

usesPrograms("xorriso");

describe("an image of the rescue template", () => {
  let workspace: Workspace;
  let directory = "";
  let image: Image;
  beforeAll(async () => {
    workspace = await openWorkspace();
    directory = await makeDirectory("rescue");
    const project = path.join(directory, "my rescue");
    await workspace.build(["init", project, "--template", "rescue"]);
    const list = (name: string): string => path.join(project, "lists", name);
    // Built here with the project's lists and overlay: a project of its own would make the sample anew.
    await workspace.build([
      ...["iso", "--debug", "--source", "sample", "--iso-version", version],
      ...["--overlay", path.join(project, "overlay-src"), "--gem-list", list("gem.list")],
      ...["-b", list("builtin-extensions.lst"), "-m", list("mirror-extensions.lst")],
      ...["--mcollective-url", "none", "--ruby-gems-url", "none", "--open-vm-tools-url", "none"],
    ]);
    const iso = path.join(directory, "rescue.iso");
    await cp(workspace.path(`build-files/rz_mk_debug-image.${version}.iso`), iso);
    image = await readImage(workspace.$, iso, path.join(directory, "image"));
  });
  afterAll(() => removeDirectory(directory));

  it("has no Ruby, no gems, no MCollective and nothing of the controller", () => {
    const names = [...image.tree].map(([name]) => name);
    expect(
      names.filter((name) => /ruby|\bgems?\b|mcollective|rz_mk|mk_conf|first_checkin/.test(name)),
    ).toEqual([]);
    expect(names).toContain("tmp/builtin/optional/procps.tcz");
  });

  it("names the machine, starts sshd and logs in on the console of a debug image", async () => {
    const text = async (name: string): Promise<string> => (await image.tree.read(name)).toString();
    expect(await text("opt/bootsync.sh")).toContain("openssh start");
    expect(await text("etc/inittab")).toMatch(/^tty1::.*autologin/m);
    expect(await text("etc/shadow")).toMatch(/^tc:\$6\$/m);
  });
});
