/** What a project of the flavour rpm refuses, after which it has what it had: packages, metadata, lists, groups, kickstart file, spec. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { iso, RpmProject } from "./rpm-project.ts";
import { sha256 } from "./workspace.ts";

describe("a project of the flavour rpm that has an ISO", () => {
  let project: RpmProject;

  beforeAll(async () => {
    project = await RpmProject.open();
    await project.build("import", project.boot);
    await project.build("iso");
  }, 900_000);

  afterAll(async () => await project?.close());

  it.each([
    [
      "an unknown package",
      "nothing-so-called\n",
      /no repository has nothing-so-called \(lists\/packages\.lst:1\).*\[package-not-found\]/,
    ],
    [
      "something that nothing provides",
      "needy\n",
      /nothing provides missing-thing needed by needy[\s\S]*\[package-conflict\][\s\S]*needy \(lists\/packages\.lst:1\)/,
    ],
    [
      "packages that exclude each other",
      "needless\nneedless-rival\n",
      /conflicts with needless[\s\S]*\[package-conflict\]/,
    ],
    [
      "an unsigned package",
      "unsigned\n",
      /unsigned-1\.0-1\.noarch has no good signature.*\[package-signature\]/,
    ],
  ])("is refused for %s, and keeps its ISO", async (_, list, message) => {
    const before = await sha256(project.path(iso));
    const lock = readFileSync(project.path("lists/sources.lock.json"), "utf8");
    const packages = readFileSync(project.path("lists/packages.lst"), "utf8");
    const signed = [
      project.repository.build("needy", "1.0", ["Requires: missing-thing"]),
      project.repository.build("needless", "1.0"),
      project.repository.build("needless-rival", "1.0", ["Conflicts: needless"]),
    ];
    project.repository.sign(...signed);
    const unsigned = project.repository.build("unsigned", "1.0");
    project.repository.index();
    await project.build("update");
    writeFileSync(project.path("lists/packages.lst"), list);
    try {
      await project.refused(["iso"], message);
      expect(await sha256(project.path(iso))).toBe(before);
    } finally {
      for (const name of [...signed, unsigned])
        rmSync(path.join(project.repository.directory, "Packages", name));
      project.repository.index();
      writeFileSync(project.path("lists/packages.lst"), packages);
      writeFileSync(project.path("lists/sources.lock.json"), lock);
    }
  });

  it("refuses metadata that another key signed, that is not signed, or whose files differ", async () => {
    const lock = readFileSync(project.path("lists/sources.lock.json"), "utf8");
    try {
      project.repository.index("others@localhost");
      await project.refused(["update"], /index is not signed by its keys.*\[metadata-signature\]/);
      project.repository.index("");
      await project.refused(["update"], /repomd\.xml\.asc/);
      project.repository.index();
      const data = path.join(project.repository.directory, "repodata");
      const primary = readdirSync(data).find((name) => name.endsWith("-primary.xml.gz")) ?? "";
      writeFileSync(path.join(data, primary), "other bytes");
      expect(await project.refused(["update"], /base\.primary\.xml\.gz/)).toMatch(
        /\[(digest-mismatch|size-mismatch|sha256-mismatch)/,
      );
      rmSync(path.join(data, "repomd.xml"));
      await project.refused(["update"], /base\.repomd\.xml.*404|404.*base\.repomd\.xml/);
      expect(readFileSync(project.path("lists/sources.lock.json"), "utf8")).toBe(lock);
    } finally {
      project.repository.index();
    }
  });

  it("checks lists, groups, kickstart file and spec, each fault with its line", async () => {
    const change = async (
      name: string,
      text: string,
      args: readonly string[],
      message: RegExp,
    ): Promise<void> => {
      const before = readFileSync(project.path(name), "utf8");
      writeFileSync(project.path(name), text);
      await project.refused(args, message);
      writeFileSync(project.path(name), before);
    };
    await change("lists/groups.lst", "core\ncoer\n", ["iso"], /no group "coer"[\s\S]*groups\.lst:2/);
    await change("kickstart/ks.cfg", "text\nbootloder\n", ["kick"], /no command "bootloder"[\s\S]*ks\.cfg:2/);
    await change("installer/example-installer.spec", "Name: x\nVersion: 1\n%bad", ["spec"], /\[bad-spec\]/);
    const spec = readFileSync(project.path("installer/example-installer.spec"), "utf8");
    await change(
      "installer/example-installer.spec",
      spec.replace("%install\n", "%install\necho the-log-of-it >&2\nfalse\n"),
      ["installer"],
      /rpmbuild failed:[\s\S]*the-log-of-it[\s\S]*\[rpm-build\]/,
    );
    const comps = readFileSync(project.path("comps.xml"), "utf8");
    const more = '<packagereq type="optional">unheard-of</packagereq>\n</packagelist>';
    await change(
      "comps.xml",
      comps.replace("</packagelist>", more),
      ["comps"],
      /unheard-of of the group core/,
    );
    expect((await project.build("comps")).stdout).toMatch(
      /^core: Core, \d packages\ntext: Text, \d packages\n$/,
    );
    expect((await project.build("spec")).stdout).toContain("Version: 1.2.0\n");
    expect((await project.build("kick")).stdout).toContain("clearpart --all --initlabel");
  });
});
