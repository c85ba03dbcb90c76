/** What the old scripts got wrong in an image, one test for each; others are tested where the right behaviour is. */
import { readFile } from "node:fs/promises";
import { hostname, release, userInfo } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { undated } from "../../tasks/settings/undated.ts";
import { usesPrograms } from "../support/programs.ts";
import { type Image, readImage } from "./image.ts";
import {
  epoch,
  makeDirectory,
  openWorkspace,
  removeDirectory,
  version,
  type Workspace,
} from "./workspace.ts";

usesPrograms("cpio", "xorriso");

describe("a known defect of the old scripts is not ours", () => {
  let workspace: Workspace;
  let directory = "";
  let iso = "";
  let image: Image;

  beforeAll(async () => {
    workspace = await openWorkspace();
    directory = await makeDirectory("known defects");
    await workspace.build(["iso", "--source", "sample"]);
    iso = workspace.path(`build-files/rz_mk_dev-image.${version}.iso`);
    image = await readImage(workspace.$, iso, directory);
  });

  afterAll(() => removeDirectory(directory));

  it("rm usr/sbin and ln -s: usr/sbin is a directory with the one link in it", () => {
    expect(image.tree.get("usr/sbin")).toMatchObject({ type: "directory" });
    expect(image.tree.get("usr/sbin/dmidecode")).toMatchObject({ target: "/usr/local/sbin/dmidecode" });
    expect(image.tree.has("usr/sbin/usr")).toBe(false);
  });

  it("cp extract/*: every file of Core is there, dot files too", () => {
    const core = image.members[0]?.tree;
    if (core === undefined) throw new Error("the image has no members");
    const hidden = core.paths().filter((name) => /(^|\/)\.[^/]/.test(name));
    expect(hidden.length).toBeGreaterThan(0);
    expect(core.paths().filter((name) => !image.tree.has(name))).toEqual([]);
  });

  it("the overlay's modes: tmp keeps its sticky bit, and only root reads etc/shadow", () => {
    expect(image.tree.get("tmp")).toMatchObject({ mode: 0o1777, uid: 0, gid: 0 });
    expect(image.tree.get("etc/shadow")).toMatchObject({ mode: 0o600, uid: 0, gid: 0 });
  });

  it("unsorted cpio: our members are in byte order", async () => {
    for (const member of image.members.slice(1)) {
      // With -f, gzip hands on what is not compressed as it is.
      const unpack = `tail -c +${member.offset + 1} "$1" | head -c ${member.size} | gzip -dcf | cpio -it --quiet`;
      const { stdout } = await workspace.$`sh -c ${unpack} sh ${image.initrd}`;
      const names = stdout.trimEnd().split("\n");
      const bytes = (name: string) => Buffer.from(name);
      expect(names).toEqual([...names].sort((a, b) => bytes(a).compare(bytes(b))));
    }
  });

  it("uname, user and clock: the ISO names neither machine nor user, and no time but the commit's and a fixed one", async () => {
    const metadata = await readFile(path.join(image.directory, "iso-metadata.yaml"), "utf8");
    const ours = (text: string) => text.split(/[^A-Za-z0-9_.@-]+/);
    const machine = [hostname(), `${userInfo().username}@${hostname()}`, release()];
    expect(ours(metadata).filter((word) => machine.includes(word))).toEqual([]);
    for (const member of image.members.slice(1)) {
      for (const [name, { mtime }] of member.tree) expect([epoch, undated], name).toContain(mtime);
    }
    const { stdout } = await workspace.$`xorriso -no_rc -indev ${iso} -pvd_info`;
    expect(ours(stdout).filter((word) => machine.includes(word))).toEqual([]);
    const listed = await workspace.$({
      env: { ...process.env, TZ: "UTC", LC_ALL: "C" },
    })`xorriso -no_rc -indev ${iso} -find / -exec lsdl --`;
    const times = [...listed.stdout.matchAll(/^[-dl][-rwx].*? (\w{3} [ \d]\d .{5}) '/gm)].map(
      ([, time]) => time,
    );
    expect(times.length).toBeGreaterThan(5);
    expect(new Set(times)).toEqual(new Set(["Sep 13  2020"]));
  });
});
