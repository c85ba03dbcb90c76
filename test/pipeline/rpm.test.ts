/**
 * The flavour rpm from `init` to a signed tree, ISO and template, out of the sample's packages on a loopback server; judged by dnf, rpm,
 * gpg, checkisomd5, skopeo and umoci.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cp, rm } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Server, serveDirectory } from "../../src/serve/index.ts";
import { usesPrograms } from "../support/programs.ts";
import { bootQemu } from "../support/qemu.ts";
import { RpmRepository } from "./rpm-repository.ts";
import {
  checkout,
  commandEnvironment,
  epoch,
  makeDirectory,
  openWorkspace,
  plainUser,
  removeDirectory,
  sha256,
} from "./workspace.ts";

usesPrograms("alien", "checkisomd5", "dnf", "git", "python3", "skopeo", "umoci", "unshare", "xorriso");

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function isReadableFor(uid: number): boolean {
  return spawnSync("cat", [path.join(checkout, "bin/task.js")], { uid, gid: uid }).status === 0;
}

describe("a project of the flavour rpm", () => {
  let directory = "";
  let project = "";
  let boot = "";
  let repository: RpmRepository;
  let server: Server;
  const options = ["--iso-version", "1.2.0", "--source-date-epoch", String(epoch)];
  const iso = "build-files/installer.1.2.0.iso";
  const at = (name: string, root = project): string => path.join(root, name);

  beforeAll(async () => {
    const built = await openWorkspace();
    await built.build(["sample-rpm"]);
    const sample = built.path(".buildcache/v1/out/shared/sample-rpm");
    directory = await makeDirectory("rpm");
    boot = path.join(directory, "boot files");
    await cp(path.join(sample, "boot"), boot, { recursive: true });
    repository = await RpmRepository.make(path.join(sample, "repository"), path.join(directory, "packages"));
    server = await serveDirectory(repository.directory);
    project = path.join(directory, "the project");
    expect((await task(["init", "--flavour", "rpm", project], { cwd: directory })).status).toBe(0);
    mkdirSync(at("keys"));
    writeFileSync(at("keys/tests.asc"), repository.publicKey());
    writeFileSync(at("keys/others.asc"), repository.publicKey("others@localhost"));
    listRepository("keys: [tests.asc]");
  }, 900_000);

  afterAll(async () => {
    repository?.close();
    await server?.close();
    await removeDirectory(directory);
  });

  function task(
    args: readonly string[],
    {
      cwd = project,
      env = {},
      user,
    }: {
      readonly cwd?: string;
      readonly env?: Readonly<Record<string, string>>;
      readonly user?: number;
    } = {},
  ): Promise<Run> {
    const words = [path.join(checkout, "bin/task.js"), ...args];
    const give =
      user === undefined ? [] : ["setpriv", `--reuid=${user}`, `--regid=${user}`, "--clear-groups"];
    const [program = "", ...rest] = [...give, process.execPath, ...words];
    const child = spawn(program, rest, {
      cwd,
      env: { ...commandEnvironment({ GNUPGHOME: repository?.gnupg ?? "" }), ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const texts = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const)
      child[name].setEncoding("utf8").on("data", (text: string) => {
        texts[name] += text;
      });
    // The server is in this process, so nothing may block it.
    return new Promise((resolve) => child.once("close", (status) => resolve({ status, ...texts })));
  }

  async function build(...args: readonly string[]): Promise<Run> {
    const run = await task([...args, ...options]);
    expect(run.status, run.stderr).toBe(0);
    return run;
  }

  async function refused(args: readonly string[], message: RegExp): Promise<string> {
    const run = await task([...args, ...options]);
    expect(run.status, run.stderr).toBe(1);
    expect(run.stderr).toMatch(message);
    return run.stderr;
  }

  function listRepository(...lines: readonly string[]): void {
    const settings = [`url: ${server.url}`, ...lines].map((line) => `  ${line}\n`).join("");
    writeFileSync(at("lists/repositories.yaml"), `base:\n${settings}`);
  }

  /** The ISO's content in a directory, as a mount shows it. */
  function extracted(name: string): string {
    const target = path.join(directory, name);
    rmSync(target, { recursive: true, force: true });
    execFileSync("xorriso", ["-osirrox", "on", "-indev", at(iso), "-extract", "/", target], {
      stdio: "ignore",
    });
    execFileSync("chmod", ["-R", "u+w", target]);
    return target;
  }

  /** dnf over a tree, in a user namespace, with a new root for each name. */
  function dnf(tree: string, root: string, ...args: readonly string[]): Run {
    const place = path.join(directory, root);
    mkdirSync(place, { recursive: true });
    const conf = path.join(directory, "dnf.conf");
    const main = ["[main]", "plugins=0", "reposdir=/dev/null", "gpgcheck=0", "install_weak_deps=0"];
    const dirs = ["cachedir=/var/cache/dnf", "logdir=/var/log", "persistdir=/var/lib/dnf"];
    writeFileSync(
      conf,
      [...main, ...dirs, "[tree]", "name=tree", `baseurl=file://${encodeURI(tree)}`, ""].join("\n"),
    );
    const words = ["-y", "-c", conf, `--installroot=${place}`, "--releasever=/", ...args];
    return spawnSync("unshare", ["-r", "-m", "dnf", ...words], { encoding: "utf8" });
  }

  it("says where boot files come from while it has none; `import` takes those that fit their .treeinfo", async () => {
    await refused(["iso"], /no boot files of an installer.*\[boot-files-missing\]/);
    const other = path.join(directory, "other boot files");
    execFileSync("cp", ["-r", boot, other]);
    writeFileSync(path.join(other, "images/pxeboot/vmlinuz"), "another kernel");
    await refused(["import", other], /vmlinuz is not the file that \.treeinfo describes.*\[import-source\]/);
    rmSync(path.join(other, "images/pxeboot/initrd.img"));
    await refused(["import", other], /has no images\/pxeboot\/initrd\.img/);
    await refused(
      ["import", directory],
      /not a distribution's tree: there is no \.treeinfo.*\[import-source\]/,
    );
    expect(existsSync(at("imported"))).toBe(false);
    await build("import", boot);
    expect(readFileSync(at("imported/isolinux/isolinux.cfg"), "utf8")).toContain("initrd.img");
  });

  it("builds an ISO that checkisomd5, rpm, python's INI parser and dnf accept; a group of it installs, its %post run", async () => {
    await build("iso");
    execFileSync("checkisomd5", [at(iso)], { stdio: "ignore" });
    const tree = extracted("tree");
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

    const groups = dnf(tree, "empty root", "group", "list", "--ids");
    expect(groups.stdout, groups.stderr).toMatch(/Core \(core\)|Text \(text\)/);
    const installed = dnf(tree, "new root", "group", "install", "core");
    expect(installed.status, installed.stderr).toBe(0);
    const root = path.join(directory, "new root");
    expect(readFileSync(path.join(root, "etc/sample-release.installed"), "utf8")).toBe("installed 1\n");
    const said = execFileSync("unshare", ["-r", "chroot", root, "/usr/bin/sample-greeting"], {
      encoding: "utf8",
    });
    expect(said).toMatch(/^Hello from /);
    expect((await build("iso")).stderr).toMatch(/nothing to do/);
  });

  it("pins packages with version, digest, repository and who wants them, and metadata", async () => {
    const { sources } = JSON.parse(readFileSync(at("lists/sources.lock.json"), "utf8"));
    const pins = sources.rpm;
    expect(pins["bash.x86_64.rpm"]).toMatchObject({
      version: expect.stringMatching(/^0:5\..*-/),
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      repository: "base",
      wantedBy: ["the group core"],
    });
    expect(pins["libtinfo6.x86_64.rpm"].wantedBy).toEqual(["bash"]);
    expect(Object.keys(pins)).toEqual(expect.arrayContaining(["base.repomd.xml", "base.repomd.xml.asc"]));
    const file = path.join(repository.directory, "Packages", path.basename(pins["bash.x86_64.rpm"].url));
    const query = ["-qp", "--qf", "%{EPOCHNUM}:%{VERSION}-%{RELEASE}", file];
    expect(execFileSync("rpm", query, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })).toBe(
      pins["bash.x86_64.rpm"].version,
    );
  });

  it("has the same bytes from another directory, as another user, with the lock and without a network", async () => {
    const before = await sha256(at(iso));
    const other = path.join(directory, "a copy");
    await cp(project, other, {
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
      execFileSync("chmod", ["755", directory]);
    }
    const run = await task(["iso", "--offline", ...options], {
      cwd: other,
      env: { HOME: other },
      ...(user === undefined ? {} : { user }),
    });
    expect(run.status, run.stderr).toBe(0);
    expect(await sha256(path.join(other, iso))).toBe(before);
    await rm(other, { recursive: true });
  });

  it("resolves another package over the pinned metadata, and fetches only that; --frozen refuses it", async () => {
    writeFileSync(at("lists/packages.lst"), "less\n");
    await refused(["iso", "--frozen"], /less\.x86_64\.rpm.*not in the lock, which is frozen.*\[frozen\]/);
    await build("iso");
    const list = readFileSync(at(".buildcache/v1/out/shared/revisor/packages.txt"), "utf8");
    expect(list).toMatch(/^less-/m);
    await build("iso", "--frozen", "--offline");
  });

  it("stays with what is pinned until `update`, which says in words what is new, newer and gone", async () => {
    const newer = repository.build("sample-greeting", "1.1", [
      "Requires: sample-release",
      "Requires: sample-extra",
    ]);
    repository.sign(newer, repository.build("sample-extra", "3.0"));
    repository.index();
    await build("iso");
    expect(readFileSync(at("lists/sources.lock.json"), "utf8")).not.toContain("sample-extra");
    const { stdout } = await build("update");
    expect(stdout).toMatch(/^sample-greeting\.noarch: 0:1\.0-1 → 0:1\.1-1, /m);
    expect(stdout).toMatch(/^sample-extra\.noarch: new, /m);
    expect(stdout).toMatch(/^hostname\.x86_64: no longer used$/m);
    expect(stdout).toMatch(/^\d+ unchanged$/m);
    await build("iso");
    expect(readdirSync(path.join(extracted("updated"), "Packages"))).toContain(newer);
  });

  it("keeps its lock and its ISO when an update fails", async () => {
    const lock = readFileSync(at("lists/sources.lock.json"), "utf8");
    const bad = repository.build("sample-greeting", "1.2", ["Requires: what-nothing-provides"]);
    const unsigned = repository.build("sample-extra", "3.1");
    repository.index();
    const said = await refused(["update"], /what-nothing-provides|sample-extra-3\.1/);
    expect(said).toMatch(/\[package-(conflict|signature)\]/);
    expect(readFileSync(at("lists/sources.lock.json"), "utf8")).toBe(lock);
    for (const name of [bad, unsigned]) rmSync(path.join(repository.directory, "Packages", name));
    repository.index();
    await build("iso");
  });

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
    const before = await sha256(at(iso));
    const lock = readFileSync(at("lists/sources.lock.json"), "utf8");
    const packages = readFileSync(at("lists/packages.lst"), "utf8");
    const signed = [
      repository.build("needy", "1.0", ["Requires: missing-thing"]),
      repository.build("needless", "1.0"),
      repository.build("needless-rival", "1.0", ["Conflicts: needless"]),
    ];
    repository.sign(...signed);
    const unsigned = repository.build("unsigned", "1.0");
    repository.index();
    await build("update");
    writeFileSync(at("lists/packages.lst"), list);
    try {
      await refused(["iso"], message);
      expect(await sha256(at(iso))).toBe(before);
    } finally {
      for (const name of [...signed, unsigned]) rmSync(path.join(repository.directory, "Packages", name));
      repository.index();
      writeFileSync(at("lists/packages.lst"), packages);
      writeFileSync(at("lists/sources.lock.json"), lock);
    }
  });

  it("refuses metadata that another key signed, that is not signed, or whose files differ", async () => {
    const lock = readFileSync(at("lists/sources.lock.json"), "utf8");
    try {
      repository.index("others@localhost");
      await refused(["update"], /index is not signed by its keys.*\[metadata-signature\]/);
      repository.index("");
      await refused(["update"], /repomd\.xml\.asc/);
      repository.index();
      const data = path.join(repository.directory, "repodata");
      const primary = readdirSync(data).find((name) => name.endsWith("-primary.xml.gz")) ?? "";
      writeFileSync(path.join(data, primary), "other bytes");
      expect(await refused(["update"], /base\.primary\.xml\.gz/)).toMatch(
        /\[(digest-mismatch|size-mismatch|sha256-mismatch)/,
      );
      rmSync(path.join(data, "repomd.xml"));
      await refused(["update"], /base\.repomd\.xml.*404|404.*base\.repomd\.xml/);
      expect(readFileSync(at("lists/sources.lock.json"), "utf8")).toBe(lock);
    } finally {
      repository.index();
    }
  });

  it("checks lists, groups, kickstart file and spec, each fault with its line", async () => {
    const change = async (
      name: string,
      text: string,
      args: readonly string[],
      message: RegExp,
    ): Promise<void> => {
      const before = readFileSync(at(name), "utf8");
      writeFileSync(at(name), text);
      await refused(args, message);
      writeFileSync(at(name), before);
    };
    await change("lists/groups.lst", "core\ncoer\n", ["iso"], /no group "coer"[\s\S]*groups\.lst:2/);
    await change("kickstart/ks.cfg", "text\nbootloder\n", ["kick"], /no command "bootloder"[\s\S]*ks\.cfg:2/);
    await change("installer/example-installer.spec", "Name: x\nVersion: 1\n%bad", ["spec"], /\[bad-spec\]/);
    const spec = readFileSync(at("installer/example-installer.spec"), "utf8");
    await change(
      "installer/example-installer.spec",
      spec.replace("%install\n", "%install\necho the-log-of-it >&2\nfalse\n"),
      ["installer"],
      /rpmbuild failed:[\s\S]*the-log-of-it[\s\S]*\[rpm-build\]/,
    );
    const comps = readFileSync(at("comps.xml"), "utf8");
    const more = '<packagereq type="optional">unheard-of</packagereq>\n</packagelist>';
    await change(
      "comps.xml",
      comps.replace("</packagelist>", more),
      ["comps"],
      /unheard-of of the group core/,
    );
    expect((await build("comps")).stdout).toMatch(/^core: Core, \d packages\ntext: Text, \d packages\n$/);
    expect((await build("spec")).stdout).toContain("Version: 1.2.0\n");
    expect((await build("kick")).stdout).toContain("clearpart --all --initlabel");
  });

  it("signs its own package and the index of the tree, with the same bytes each time", async () => {
    const signed = ["--sign", "gpg:tests@localhost"];
    await build("iso", ...signed);
    const before = await sha256(at(iso));
    const tree = extracted("signed");
    const database = path.join(directory, "rpmdb");
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
    repository.gpg("--verify", `${index}.asc`, index);
    await build("iso", ...signed, "--force");
    expect(await sha256(at(iso))).toBe(before);
    await refused(
      ["iso", "--sign", "gpg:nobody@localhost"],
      /no secret key "nobody@localhost".*\[signing-key\]/,
    );
    await build("iso");
  });

  it("installs the tree into a template without traces, which skopeo, umoci and a shell accept", async () => {
    mkdirSync(at("template"), { recursive: true });
    writeFileSync(
      at("template/10-motd"),
      "#!/bin/sh\necho made >/etc/motd\ntouch /root/.bash_history /var/log/wtmp\n",
    );
    await build("template", "--oci");
    const tarball = at("build-files/template.1.2.0.tar.gz");
    const names = execFileSync("tar", ["tzf", tarball], { encoding: "utf8" }).split("\n");
    expect(names).toContain("etc/sample-release.installed");
    const traces = /history|^var\/(log|cache|lib\/dnf)\/.|machine-id|ssh_host|^dev\/.|^\.script/;
    expect(names.filter((name) => traces.test(name) && !name.endsWith("/"))).toEqual([]);
    const before = await sha256(tarball);
    await build("template", "--force=rpm-template");
    expect(await sha256(tarball)).toBe(before);
    const layout = at("build-files/template.1.2.0.oci");
    const inspected = JSON.parse(
      execFileSync("skopeo", ["inspect", `oci:${layout}:latest`], { encoding: "utf8" }),
    );
    expect(inspected.Architecture).toBe("amd64");
    const bundle = path.join(directory, "bundle");
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
    writeFileSync(at("template/20-bad"), "#!/bin/sh\necho oops >&2\nexit 4\n");
    await refused(["template"], /the script 20-bad failed:[\s\S]*oops[\s\S]*\[template-script\]/);
    rmSync(at("template/20-bad"));
  });

  it("starts from its ISO to a shell that finds the tree", { timeout: 400_000 }, async () => {
    await build("iso");
    const packages = readdirSync(path.join(extracted("booted"), "Packages")).length;
    const machine = bootQemu({ cdrom: at(iso) });
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
