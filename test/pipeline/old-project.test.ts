/** Somebody's project with the layout of the old scripts, built as it is. */
import { chmod, cp, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FileTree, treeFromTarball } from "../../src/formats/index.ts";
import { makeDirectory, openWorkspace, removeDirectory, type Workspace } from "./workspace.ts";

const moduli = "/tmp/tcloop/openssh/usr/local/etc/ssh/moduli";

/** Modes that git does not keep, by the file's path in the project. */
const oddModes = {
  "usr/local/bin/su": 0o4755,
  "usr/local/etc/app.conf": 0o600,
  "razor_microkernel/logging.rb": 0o444,
  "etc/sudoers": 0o666,
  "etc/shadow": 0o664,
};

describe("a project with the old layout, given with --overlay", () => {
  let workspace: Workspace;
  let directory = "";
  let project = "";

  beforeAll(async () => {
    workspace = await openWorkspace();
    directory = await makeDirectory("old project");
    project = path.join(directory, "Razor Microkernel");
    const ours = workspace.path("overlay-src");
    for (const top of ["etc", "opt", "tmp", "usr/share"]) {
      await cp(path.join(ours, top), path.join(project, top), { recursive: true });
    }
    const put = async (name: string, text: string): Promise<void> => {
      await mkdir(path.dirname(path.join(project, name)), { recursive: true });
      await writeFile(path.join(project, name), text);
    };
    const locked = await readFile(path.join(project, "etc/shadow"), "utf8");
    await put("etc/shadow-nologin", `${locked}nologin:*:15000:0:99999:7:::\n`);
    await put("tmp/mk_conf.yaml", "---\nmk_log_level: Logger::INFO\n");
    await put("rz_mk_controller.rb", "#!/usr/bin/env ruby\n# controller\n");
    await put("razor_microkernel/logging.rb", "# logging\n");
    await put("configuration-agent/configuration.rb", "# configuration agent\n");
    await put("facter-agent/facteragent.rb", "# facter agent\n");
    await put("iso-build-files/rebuild_iso.sh", "#!/bin/sh\n");
    await put("build-bundle-file.sh", "#!/bin/sh\n");
    await put("README.md", "# A project\n");
    await put("opt/gems/gem.list", await readFile(workspace.path("lists/gem.list"), "utf8"));
    for (const list of ["builtin-extensions.lst", "mirror-extensions.lst"]) {
      await put(`additional-build-files/${list}`, await readFile(workspace.path(`lists/${list}`), "utf8"));
    }
    // The old script let the shell split this list: any blanks do.
    await put("additional-build-files/util-linux-exec.lst", "usr/local/bin/lscpu usr/local/sbin/sfdisk\n");
    const own = path.join(directory, "setup");
    await mkdir(path.join(own, "usr/local/etc/mcollective"), { recursive: true });
    await writeFile(path.join(own, "usr/local/etc/mcollective/server.cfg"), "# my own\n", { mode: 0o644 });
    const setup = path.join(project, "additional-build-files/mcollective-setup-files.tar.gz");
    await workspace.$({ cwd: own })`tar czf ${setup} --owner=me:1000 --group=me:1000 usr`;
    // Packed on a running Tiny Core, where an extension's files are links to where it is mounted; and without parents.
    await mkdir(path.join(own, "usr/local/etc/ssh"), { recursive: true });
    await symlink(moduli, path.join(own, "usr/local/etc/ssh/moduli"));
    const ssh = path.join(project, "additional-build-files/ssh-setup-files.tar.gz");
    await workspace.$({ cwd: own })`tar czf ${ssh} usr/local/etc/ssh/moduli`;
    await put("usr/local/bin/su", "set-id");
    await put("usr/local/etc/app.conf", "closed");
    await put("etc/sudoers", "root ALL=(ALL) ALL\n");
    for (const [name, mode] of Object.entries(oddModes)) await chmod(path.join(project, name), mode);
  });

  afterAll(() => removeDirectory(directory));

  async function build(variant: string) {
    const args = ["overlay", "--source", "sample", `--${variant}`, "--overlay", project];
    const { stderr } = await workspace.build([...args, "--open-vm-tools-url", "none"]);
    const read = (name: string) => readOutput(variant, `setup-files/setups/${name}-setup-files.tar.gz`);
    return {
      stderr,
      overlay: await readOverlay(variant),
      setups: await read("mcollective"),
      ssh: variant === "prod" ? undefined : await read("ssh"),
    };
  }

  async function readOutput(variant: string, name: string): Promise<FileTree> {
    const tarball = workspace.path(`.buildcache/v1/out/${variant}/${name}`);
    const spool = path.join(directory, `${variant} read`);
    return await treeFromTarball(tarball, spool, { links: "image", setId: true });
  }

  async function readOverlay(variant: string): Promise<FileTree> {
    return await readOutput(variant, "overlay-tarball/razor-microkernel-overlay.tar.gz");
  }

  async function text(tree: FileTree, name: string): Promise<string> {
    return (await tree.read(name)).toString();
  }

  it("has each file where the old script put it, and nothing of what is not the image's", async () => {
    const { overlay, setups } = await build("debug");
    const link = overlay.get("usr/local/mcollective");
    const home = link?.type === "symlink" ? link.target.slice(1) : undefined;
    expect(home).toMatch(/^usr\/local\/tce\.installed\/mcollective-/);
    const wanted = {
      "usr/local/bin/rz_mk_controller.rb": "rz_mk_controller.rb",
      "usr/local/lib/ruby/1.8/razor_microkernel/logging.rb": "razor_microkernel/logging.rb",
      "opt/bootsync.sh": "opt/bootsync.sh",
      "etc/init.d/dhcp.sh": "etc/init.d/dhcp.sh",
      "etc/passwd": "etc/passwd",
      "usr/share/udhcpc/dhcp_mk_config.script": "usr/share/udhcpc/dhcp_mk_config.script",
      "tmp/first_checkin.yaml": "tmp/first_checkin.yaml",
      "tmp/tinycorelinux/tce-install-list.yaml": "tmp/tinycorelinux/tce-install-list.yaml",
      "opt/gems/gem.list": "opt/gems/gem.list",
      [`${home}/plugins/mcollective/agent/configuration.rb`]: "configuration-agent/configuration.rb",
      [`${home}/plugins/mcollective/agent/facteragent.rb`]: "facter-agent/facteragent.rb",
    };
    for (const [target, source] of Object.entries(wanted)) {
      expect(await text(overlay, target), target).toBe(await readFile(path.join(project, source), "utf8"));
    }
    expect(overlay.has("usr/local/bin/lscpu") && overlay.has("usr/local/sbin/sfdisk")).toBe(true);
    const tops = new Set(overlay.paths().map((name) => name.split("/")[0]));
    expect([...tops]).toEqual(["etc", "opt", "tmp", "usr"]);
    expect(
      overlay
        .paths()
        .filter((name) => /nologin|^README|iso-build|build-bundle|\.lst$|setup-files/.test(name)),
    ).toEqual(["tmp/builtin/onboot.lst"]);
    // A variant changes the level and keeps how the project writes it.
    expect(await text(overlay, "tmp/mk_conf.yaml")).toContain("mk_log_level: Logger::DEBUG");
    expect(await text(setups, "usr/local/etc/mcollective/server.cfg")).toBe("# my own\n");
    expect(setups.get("usr/local/etc/mcollective/server.cfg")).toMatchObject({ mode: 0o600, uid: 0, gid: 0 });
    // The old script copied with `cp -p`; what must be tight is tight all the same, and /tmp stays everybody's.
    const modes = {
      "usr/local/bin/su": 0o4755,
      "usr/local/etc/app.conf": 0o600,
      "usr/local/lib/ruby/1.8/razor_microkernel/logging.rb": 0o444,
      "usr/local/bin/rz_mk_controller.rb": 0o644,
      "etc/sudoers": 0o440,
      "etc/shadow": 0o600,
      tmp: 0o1777,
    };
    for (const [name, mode] of Object.entries(modes)) {
      expect(overlay.get(name), name).toMatchObject({ mode, uid: 0, gid: 0 });
    }
  });

  it("is rebuilt when the mode of a file changes; a directory laid out as the image's root gets a note", async () => {
    const run = await build("debug");
    expect(run.stderr).not.toContain("a rule sets modes");
    const script = path.join(project, "rz_mk_controller.rb");
    await chmod(script, 0o600);
    const changed = await build("debug");
    expect(changed.overlay.get("usr/local/bin/rz_mk_controller.rb")).toMatchObject({ mode: 0o600 });
    await chmod(script, 0o644);

    const root = path.join(directory, "root");
    await cp(workspace.path("overlay-src"), root, { recursive: true });
    await mkdir(path.join(root, "home/tc/.ssh"), { recursive: true });
    await writeFile(path.join(root, "home/tc/.ssh/authorized_keys"), "key\n", { mode: 0o644 });
    await writeFile(path.join(root, "etc/site.pem"), "-----BEGIN PRIVATE KEY-----\n", { mode: 0o644 });
    await writeFile(path.join(root, "etc/app.conf"), "closed\n");
    await chmod(path.join(root, "etc/app.conf"), 0o600);
    const args = [
      "overlay",
      "--source",
      "sample",
      "--debug",
      "--overlay",
      root,
      "--open-vm-tools-url",
      "none",
    ];
    const { stderr } = await workspace.build(args);
    expect(stderr).toMatch(/a rule sets modes.*: etc\/app\.conf \(0600 on disk, 0644 in the image\)\n/);
    await chmod(path.join(root, "etc/app.conf"), 0o1644);
    expect((await workspace.build(args)).stderr).toContain("etc/app.conf (1644 on disk, 0644 in the image)");
    const tree = await readOverlay("debug");
    expect(tree.get("home/tc/.ssh")).toMatchObject({ mode: 0o700, uid: 1001, gid: 50 });
    expect(tree.get("home/tc/.ssh/authorized_keys")).toMatchObject({ mode: 0o600, uid: 1001, gid: 50 });
    expect(tree.get("etc/site.pem")).toMatchObject({ mode: 0o600 });
  });

  it("has the links of its set-up tarballs as they are, also those into the running image", async () => {
    const { ssh } = await build("dev");
    expect(ssh?.get("usr/local/etc/ssh/moduli")).toMatchObject({ target: moduli });
  });

  it("takes etc/shadow-nologin for production's accounts", async () => {
    const { overlay } = await build("prod");
    expect(await text(overlay, "etc/shadow")).toContain("nologin:*:");
    expect(overlay.get("etc/shadow")).toMatchObject({ mode: 0o600 });
  });

  it("has its own COPYING in its ISO, and this project's LICENSE where it has none", async () => {
    await writeFile(path.join(project, "COPYING"), "Terms of the old project\n");
    const args = ["--source", "sample", "--debug", "--overlay", project, "--iso-version", "0.9.2"];
    await workspace.build(["iso", ...args, "--open-vm-tools-url", "none"]);
    const iso = workspace.path("build-files/rz_mk_debug-image.0.9.2.iso");
    const cat = async (name: string) => (await workspace.build(["cat", iso, name, "--layer", "iso"])).stdout;
    expect(await cat("COPYING")).toMatch(/^Terms of the old project\n\nThe parts of this image/);
    expect(await cat("LICENSE")).toBe(await readFile(workspace.path("LICENSE"), "utf8"));
  });

  it("has lists of its own, which messages name", async () => {
    const list = path.join(project, "additional-build-files/builtin-extensions.lst");
    await rename(list, `${list}.good`);
    try {
      await writeFile(list, "bash.tcz\n../bash.tcz\n");
      const run = await workspace.task(["overlay", "--source", "sample", "--overlay", project]);
      expect(run.status).toBe(1);
      expect(run.stderr).toMatch(/additional-build-files\/builtin-extensions\.lst:2/);
    } finally {
      await rm(list);
      await rename(`${list}.good`, list);
    }
    expect(await readdir(path.dirname(list))).toContain("builtin-extensions.lst");
  });

  it("that names no directory is an error which names the option", async () => {
    const run = await workspace.task(["overlay", "--source", "sample", "--overlay", "no such directory"]);
    expect(run.status).toBe(1);
    expect(run.stderr).toMatch(/--overlay .*no such directory/);
  });
});
