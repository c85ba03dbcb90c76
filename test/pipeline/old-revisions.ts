/**
 * Three revisions of the project that this one replaces, rebuilt by hand: their layout and what builds depend on, with files of our own
 * in place of theirs.
 *
 * Layout: puppetlabs/Razor-Microkernel, `build-bundle-file.sh` and `bin/` of the revisions, which say what is copied from where.
 */
import { chmod, copyFile, cp, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Workspace } from "./workspace.ts";

/** `last` is the last commit with code. */
export const revisions = ["0.9.3.0", "0.12.0", "last"] as const;
export type Revision = (typeof revisions)[number];

/** What `git describe` makes of a revision's checkout, as an image's version. */
export const describedVersion = {
  "0.9.3.0": /^0\.9\.3\.0$/,
  "0.12.0": /^0\.12\.0$/,
  last: /^0\.12\.0\+1-g[0-9a-f]+$/,
} as const;

export const gemSettings = "---\n:sources:\n- http://localhost:2158/gem-mirror/\n";

/** Texts of ours by their paths in the project: those of all revisions. */
const common: Readonly<Record<string, string>> = {
  "README.md": "# The old project\n",
  ".gitignore": "build-files\ntmp-build-dir\n",
  "build-bundle-file.sh": "#!/usr/bin/env bash\nexit 1\n",
  "rz_mk_controller.rb": "#!/usr/bin/env ruby\n# controller\n",
  "rz_mk_control_server.rb": "#!/usr/bin/env ruby\n# control server\n",
  "rz_mk_gem_mirror.rb": "#!/usr/bin/env ruby\n# gem mirror\n",
  "rz_mk_init.rb": "#!/usr/bin/env ruby\n# init\n",
  "rz_mk_tce_mirror.rb": "#!/usr/bin/env ruby\n# extension mirror\n",
  "rz_mk_web_server.rb": "#!/usr/bin/env ruby\n# web server\n",
  "rz_mk_gemrc.yaml": gemSettings,
  "razor_microkernel/logging.rb": "# logging\n",
  "razor_microkernel/rz_mk_gem_controller.rb": "# gems\n",
  "etc/shadow": "root:*:15000:0:99999:7:::\ntc:$1$salt$ffZbr2j3HRQ5SVFKbKDHB0:15000:0:99999:7:::\n",
  "etc/shadow-nologin": "root:*:15000:0:99999:7:::\ntc:*:15000:0:99999:7:::\n# nologin\n",
  "opt/gems/gem.list": "daemons\nfacter\njson_pure\nstomp\n",
  "tmp/first_checkin.yaml": "--- true\n",
  "tmp/mk_conf.yaml": "---\nmk_log_level: Logger::INFO\n",
  "tmp/mk_conf_debug.yaml": "---\nmk_log_level: Logger::DEBUG\nmk_of_debug: true\n",
  "additional-build-files/builtin-extensions.lst":
    "openssh.tcz\ndmidecode.tcz\nbash.tcz\nscsi-KERNEL.tcz\nruby.tcz\nlshw.tcz\n",
  "additional-build-files/mirror-extensions.lst": "fuse.tcz\nglib2.tcz\nprocps.tcz\n",
  "additional-build-files/util-linux-exec.lst": "usr/local/bin/lscpu\nusr/local/sbin/sfdisk\n",
  "iso-build-files/build_initial_directories.sh": "#!/bin/bash\nexit 1\n",
  "iso-build-files/rebuild_iso.sh": "#!/bin/bash\nISO_NAME=rz_mk_dev-image.$ISO_VERSION.iso\n",
  "iso-build-files/add_version_to_mk_fs.rb": "#!/usr/bin/env ruby\n",
  "iso-build-files/build_iso_yaml.rb": "#!/usr/bin/env ruby\n",
  // As shipped, save the mirror's names: these settings go with the sample source.
  "bundle.cfg.example":
    "MK_BUNDLE_BUILTIN_LIST=additional-build-files/builtin-extensions.lst\n" +
    "MK_BUNDLE_MIRROR_LIST=additional-build-files/mirror-extensions.lst\n" +
    "MK_BUNDLE_TC_PASSWD=bigsecret\nMK_BUNDLE_RE_USE_PREV_DL=no\nMK_BUNDLE_TYPE=prod\nMK_BUNDLE_TCL_ISO_URL=\n",
};

/** What only some revisions have. */
const own: Readonly<Record<Revision, Readonly<Record<string, string>>>> = {
  "0.9.3.0": {
    "configuration-agent/configuration.rb": "# configuration agent\n",
    "facter-agent/facteragent.rb": "# facter agent\n",
    "bin/mirror-tce": "#!/usr/bin/env ruby\n",
  },
  "0.12.0": {
    COPYING: "Terms of the old project\n",
    LICENSE: "Licence of the old project\n",
    "bin/mirror-gem": "#!/usr/bin/env ruby\n",
    "iso-build-files/mk-build-lib.sh": "#!/bin/sh\n",
  },
  last: {
    COPYING: "Terms of the old project\n",
    LICENSE: "Licence of the old project\n",
    "bin/mirror-gem": "#!/usr/bin/env ruby\n",
    "bin/deb2tcz.sh": "#!/bin/sh\n",
    "iso-build-files/mk-build-lib.sh": "#!/bin/sh\n",
    // Its lists name packages of Debian, too.
    "additional-build-files/mirror-extensions.lst": "fuse.tcz\nglib2.tcz\nprocps.tcz\nhostname.deb\n",
  },
};

/** Makes a checkout of the revision in `project` (absolute), with files of the image from `workspace` where it has to boot. */
export async function writeRevision(
  workspace: Workspace,
  project: string,
  revision: Revision,
): Promise<void> {
  const put = async (name: string, text: string): Promise<void> => {
    await mkdir(path.dirname(path.join(project, name)), { recursive: true });
    await writeFile(path.join(project, name), text);
  };
  for (const [name, text] of Object.entries({ ...common, ...own[revision] })) {
    await put(name, text);
    if (text.startsWith("#!")) await chmod(path.join(project, name), 0o755);
  }
  const ours = workspace.path("overlay-src");
  for (const name of ["etc/init.d/dhcp.sh", "etc/inittab", "etc/passwd", "opt/bootsync.sh"]) {
    await mkdir(path.dirname(path.join(project, name)), { recursive: true });
    await copyFile(path.join(ours, name), path.join(project, name));
  }
  for (const name of ["tmp/tinycorelinux", "usr/share/udhcpc"])
    await cp(path.join(ours, name), path.join(project, name), { recursive: true });
  if (revision === "last") await chmod(path.join(project, "opt/bootsync.sh"), 0o644);
  const { $ } = workspace;
  const setups = path.join(project, "additional-build-files");
  const files = path.join(`${project} files`);
  const packed = revision === "0.9.3.0" ? ["mcollective", "ssh"] : ["ssh"];
  for (const name of packed) {
    await mkdir(path.join(files, "usr/local/etc", name), { recursive: true });
    await writeFile(path.join(files, "usr/local/etc", name, "own.cfg"), `# ${name}\n`);
    await $({
      cwd: files,
    })`tar czf ${path.join(setups, `${name}-setup-files.tar.gz`)} ${`usr/local/etc/${name}`}`;
  }
  const git = $({ cwd: project });
  await git`git init --quiet --initial-branch main && git add --all --force`;
  const who = ["-c", "user.name=Tester", "-c", "user.email=tester@example.org", "-c", "commit.gpgSign=false"];
  const tag = revision === "0.9.3.0" ? "0.9.3.0" : "v0.12.0";
  await git`git ${who} commit --quiet --message ${revision} && git ${who} tag --annotate --message ${tag} ${tag}`;
  if (revision !== "last") return;
  await put(
    "README.md",
    `${await readFile(path.join(project, "README.md"), "utf8")}\nIt is no longer maintained.\n`,
  );
  await git`git ${who} commit --quiet --all --message last`;
}
