/**
 * The flavour rpm from `init` to a signed tree, ISO and template, out of the sample's packages on a loopback server; judged by dnf, rpm,
 * gpg, checkisomd5, skopeo and umoci.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cp, rm } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { usesPrograms } from "../support/programs.ts";
import { bootQemu } from "../support/qemu.ts";
import { iso, options, RpmProject } from "./rpm-project.ts";
import { checkout, epoch, plainUser, sha256 } from "./workspace.ts";

usesPrograms("checkisomd5", "python3", "skopeo", "umoci", "unshare");

function isReadableFor(uid: number): boolean {
  return spawnSync("cat", [path.join(checkout, "bin/task.js")], { uid, gid: uid }).status === 0;
}

describe("a project of the flavour rpm", () => {
  let project: RpmProject;

  beforeAll(async () => {
    project = await RpmProject.open();
  }, 900_000);

  afterAll(async () => await project?.close());

  it("says where boot files come from while it has none; `import` takes those that fit their .treeinfo", async () => {
    await project.refused(["iso"], /no boot files of an installer.*\[boot-files-missing\]/);
    const other = path.join(project.directory, "other boot files");
    execFileSync("cp", ["-r", project.boot, other]);
    writeFileSync(path.join(other, "images/pxeboot/vmlinuz"), "another kernel");
    await project.refused(
      ["import", other],
      /vmlinuz is not the file that \.treeinfo describes.*\[import-source\]/,
    );
    rmSync(path.join(other, "images/pxeboot/initrd.img"));
    await project.refused(["import", other], /has no images\/pxeboot\/initrd\.img/);
    await project.refused(
      ["import", project.directory],
      /not a distribution's tree: there is no \.treeinfo.*\[import-source\]/,
    );
    expect(existsSync(project.path("imported"))).toBe(false);
    await project.build("import", project.boot);
    expect(readFileSync(project.path("imported/isolinux/isolinux.cfg"), "utf8")).toContain("initrd.img");
  });

  it("builds an ISO that checkisomd5, rpm, python's INI parser and dnf accept; a group of it installs, its %post run", async () => {
    await project.build("iso");
    execFileSync("checkisomd5", [project.path(iso)], { stdio: "ignore" });
    const tree = project.extracted("tree");
    const packages = readdirSync(path.join(tree, "Packages"));
    expect(packages).toContain("sample-release-1.0-1.noarch.rpm");
    expect(packages).toContain("example-installer-1.2.0-1.noarch.rpm");
    expect(readFileSync(path.join(tree, "ks.cfg"), "utf8")).toContain("# Installs 1.2.0 without questions");
    expect(readFileSync(path.join(tree, "README"), "utf8")).toMatch(
      /^Installer 1\.2\.0[\s\S]*[0-9a-f]{64} {2}bash-/,
    );
    const reader =
      "import configparser,sys; c=configparser.ConfigParser(); c.read(sys.argv[1]); print(c['images-x86_64']['kernel'], c['general']['packagedir'])";
    const read = execFileSync("python3", ["-c", reader, path.join(tree, ".treeinfo")], { encoding: "utf8" });
    expect(read).toBe("images/pxeboot/vmlinuz Packages\n");

    const groups = project.dnf(tree, "empty root", "group", "list", "--ids");
    expect(groups.stdout, groups.stderr).toMatch(/Core \(core\)|Text \(text\)/);
    const installed = project.dnf(tree, "new root", "group", "install", "core");
    expect(installed.status, installed.stderr).toBe(0);
    const root = path.join(project.directory, "new root");
    expect(readFileSync(path.join(root, "etc/sample-release.installed"), "utf8")).toBe("installed 1\n");
    const said = execFileSync("unshare", ["-r", "chroot", root, "/usr/bin/sample-greeting"], {
      encoding: "utf8",
    });
    expect(said).toMatch(/^Hello from /);
    expect((await project.build("iso")).stderr).toMatch(/nothing to do/);
  });

  it("pins packages with version, digest, repository and who wants them, and metadata", async () => {
    const { sources } = JSON.parse(readFileSync(project.path("lists/sources.lock.json"), "utf8"));
    const pins = sources.rpm;
    expect(pins["bash.x86_64.rpm"]).toMatchObject({
      version: expect.stringMatching(/^0:5\..*-/),
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      repository: "base",
      wantedBy: ["the group core"],
    });
    expect(pins["libtinfo6.x86_64.rpm"].wantedBy).toEqual(["bash"]);
    expect(Object.keys(pins)).toEqual(expect.arrayContaining(["base.repomd.xml", "base.repomd.xml.asc"]));
    const file = path.join(
      project.repository.directory,
      "Packages",
      path.basename(pins["bash.x86_64.rpm"].url),
    );
    const query = ["-qp", "--qf", "%{EPOCHNUM}:%{VERSION}-%{RELEASE}", file];
    expect(execFileSync("rpm", query, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })).toBe(
      pins["bash.x86_64.rpm"].version,
    );
  });

  it("has the same bytes from another directory, as another user, with the lock and without a network", async () => {
    const before = await sha256(project.path(iso));
    const other = path.join(project.directory, "a copy");
    await cp(project.root, other, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (source) => !/\/(build-files|\.buildcache\/(?!v1(\/store|$)))/.test(source),
    });
    // The downloads are those of the project; everything else is made again.
    await rm(path.join(other, ".buildcache/v1/stamps.log"), { force: true });
    // The project's program is the checkout's, which may lie where only its owner reads.
    const user = process.getuid?.() === 0 && isReadableFor(plainUser) ? plainUser : undefined;
    if (user !== undefined) {
      execFileSync("chown", ["-R", String(user), other]);
      execFileSync("chmod", ["755", project.directory]);
    }
    const run = await project.task(["iso", "--offline", ...options], {
      cwd: other,
      env: { HOME: other },
      ...(user === undefined ? {} : { user }),
    });
    expect(run.status, run.stderr).toBe(0);
    expect(await sha256(path.join(other, iso))).toBe(before);
    await rm(other, { recursive: true });
  });

  it("resolves another package over the pinned metadata, and fetches only that; --frozen refuses it", async () => {
    writeFileSync(project.path("lists/packages.lst"), "less\n");
    await project.refused(
      ["iso", "--frozen"],
      /less\.x86_64\.rpm.*not in the lock, which is frozen.*\[frozen\]/,
    );
    await project.build("iso");
    const list = readFileSync(project.path(".buildcache/v1/out/shared/revisor/packages.txt"), "utf8");
    expect(list).toMatch(/^less-/m);
    await project.build("iso", "--frozen", "--offline");
  });

  it("stays with what is pinned until `update`, which says in words what is new, newer and gone", async () => {
    const newer = project.repository.build("sample-greeting", "1.1", [
      "Requires: sample-release",
      "Requires: sample-extra",
    ]);
    project.repository.sign(newer, project.repository.build("sample-extra", "3.0"));
    project.repository.index();
    await project.build("iso");
    expect(readFileSync(project.path("lists/sources.lock.json"), "utf8")).not.toContain("sample-extra");
    const { stdout } = await project.build("update");
    expect(stdout).toMatch(/^sample-greeting\.noarch: 0:1\.0-1 → 0:1\.1-1, /m);
    expect(stdout).toMatch(/^sample-extra\.noarch: new, /m);
    expect(stdout).toMatch(/^hostname\.x86_64: no longer used$/m);
    expect(stdout).toMatch(/^\d+ unchanged$/m);
    await project.build("iso");
    expect(readdirSync(path.join(project.extracted("updated"), "Packages"))).toContain(newer);
  });

  it("keeps its lock and its ISO when an update fails", async () => {
    const lock = readFileSync(project.path("lists/sources.lock.json"), "utf8");
    const bad = project.repository.build("sample-greeting", "1.2", ["Requires: what-nothing-provides"]);
    const unsigned = project.repository.build("sample-extra", "3.1");
    project.repository.index();
    const said = await project.refused(["update"], /what-nothing-provides|sample-extra-3\.1/);
    expect(said).toMatch(/\[package-(conflict|signature)\]/);
    expect(readFileSync(project.path("lists/sources.lock.json"), "utf8")).toBe(lock);
    for (const name of [bad, unsigned]) rmSync(path.join(project.repository.directory, "Packages", name));
    project.repository.index();
    await project.build("iso");
  });

  it("signs its own package and the index of the tree, with the same bytes each time", async () => {
    const signed = ["--sign", "gpg:tests@localhost"];
    await project.build("iso", ...signed);
    const before = await sha256(project.path(iso));
    const tree = project.extracted("signed");
    const database = path.join(project.directory, "rpmdb");
    mkdirSync(database);
    const keys = (...args: readonly string[]) =>
      execFileSync("rpmkeys", ["--dbpath", database, ...args], { encoding: "utf8" });
    keys("--import", path.join(tree, "RPM-GPG-KEY"));
    const packages = readdirSync(path.join(tree, "Packages")).map((name) =>
      path.join(tree, "Packages", name),
    );
    const checked = keys("--define", "_pkgverify_level all", "--checksig", ...packages);
    expect(
      checked
        .trimEnd()
        .split("\n")
        .every((line) => line.endsWith(": digests signatures OK")),
    ).toBe(true);
    const index = path.join(tree, "repodata/repomd.xml");
    project.repository.gpg("--verify", `${index}.asc`, index);
    await project.build("iso", ...signed, "--force");
    expect(await sha256(project.path(iso))).toBe(before);
    await project.refused(
      ["iso", "--sign", "gpg:nobody@localhost"],
      /no secret key "nobody@localhost".*\[signing-key\]/,
    );
    await project.build("iso");
  });

  it("installs the tree into a template without traces, which skopeo, umoci and a shell accept", async () => {
    mkdirSync(project.path("template"), { recursive: true });
    writeFileSync(
      project.path("template/10-motd"),
      "#!/bin/sh\necho made >/etc/motd\ntouch /root/.bash_history /var/log/wtmp\n",
    );
    await project.build("template", "--oci");
    const tarball = project.path("build-files/template.1.2.0.tar.gz");
    const names = execFileSync("tar", ["tzf", tarball], { encoding: "utf8" }).split("\n");
    expect(names).toContain("etc/sample-release.installed");
    const traces = /history|^var\/(log|cache|lib\/dnf)\/.|machine-id|ssh_host|^dev\/.|^\.script/;
    expect(names.filter((name) => traces.test(name) && !name.endsWith("/"))).toEqual([]);
    const before = await sha256(tarball);
    await project.build("template", "--force=rpm-template");
    expect(await sha256(tarball)).toBe(before);
    const layout = project.path("build-files/template.1.2.0.oci");
    const inspected = JSON.parse(
      execFileSync("skopeo", ["inspect", `oci:${layout}:latest`], { encoding: "utf8" }),
    );
    expect(inspected.Architecture).toBe("amd64");
    const bundle = path.join(project.directory, "bundle");
    execFileSync("umoci", ["unpack", "--rootless", "--image", `${layout}:latest`, bundle]);
    const root = path.join(bundle, "rootfs");
    const inside = (line: string): string =>
      execFileSync("unshare", ["-r", "chroot", root, "/bin/sh", "-c", line], { encoding: "utf8" });
    expect(inside("cat /etc/motd; bash -c 'echo a shell'")).toBe("made\na shell\n");
    const database = path.join(root, "var/lib/rpm");
    const query = ["--dbpath", database, "-qa", "--qf", "%{NAME} %{INSTALLTIME}\n"];
    const installed = execFileSync("rpm", query, { encoding: "utf8" });
    expect(installed).toContain(`bash ${epoch}\n`);
    expect(
      new Set(
        installed
          .trimEnd()
          .split("\n")
          .map((line) => line.split(" ")[1]),
      ),
    ).toEqual(new Set([`${epoch}`]));
    writeFileSync(project.path("template/20-bad"), "#!/bin/sh\necho oops >&2\nexit 4\n");
    await project.refused(["template"], /the script 20-bad failed:[\s\S]*oops[\s\S]*\[template-script\]/);
    rmSync(project.path("template/20-bad"));
  });

  it("starts from its ISO to a shell that finds the tree", { timeout: 400_000 }, async () => {
    await project.build("iso");
    const packages = readdirSync(path.join(project.extracted("booted"), "Packages")).length;
    const machine = bootQemu({ cdrom: project.path(iso) });
    try {
      await machine.expect(new RegExp(`the tree has ${packages} packages`), 300_000);
      await machine.expect(/# /, 60_000);
      expect(await machine.run("head -n 2 /tree/.discinfo | tail -n 1", 60_000)).toEqual({
        status: 0,
        output: "Sample 1.0",
      });
    } finally {
      await machine.close();
    }
  });
});
