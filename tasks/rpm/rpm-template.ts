/** A root file system for containers with the packages of the tree, installed by dnf in a user namespace. */
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { file, files, out, task } from "../../src/engine/index.ts";
import { UserError } from "../../src/errors/index.ts";
import { rootPath, treeFromDirectory, writeOciLayout, writeTarball } from "../../src/formats/index.ts";
import { describeScrubbed, scrub } from "../image/scrubbing.ts";
import { epoch, isoVersion } from "../settings/image-options.ts";
import { ofPackage } from "../settings/package.ts";
import { revisor } from "./revisor.ts";
import { dateDatabase } from "./rpm-database.ts";
import { templateScripts } from "./rpm-files.ts";

/** What dnf and ldconfig remember of this installation. */
const ofDnf = /^(var\/lib\/dnf|var\/cache\/dnf|var\/cache\/ldconfig|var\/log\/(dnf|hawkey)[^/]*)(\/|$)/;

/** The scripts of a project are for what packages cannot do. */
const mostScripts = 3;

export const rpmTemplate = task({
  name: "rpm-template",
  description: "Install the tree into a root file system for containers (--oci: and as an OCI image)",
  group: "release",
  variants: "shared",
  needs: { tree: revisor },
  inputs: {
    installRoot: file(ofPackage("tasks/rpm/install-root.sh")),
    scripts: files("*", { root: templateScripts, optional: true }),
  },
  params: { isoVersion, epoch },
  tools: ["dnf", "rpmdb", "unshare"],
  outputs: { tarball: out.artifact(({ value }) => `build-files/template.${value(isoVersion)}.tar.gz`) },
  async run({ $, needs, inputs, params, outputs, scratch, note, log, signal }) {
    const mtime = Number(params.epoch);
    if (inputs.scripts.paths.length > mostScripts) {
      throw new UserError(
        `there are ${inputs.scripts.paths.length} scripts, and at most ${mostScripts} run`,
        {
          code: "template-script",
          where: templateScripts,
          hint: "join them, or make a package of them",
        },
      );
    }
    const root = path.join(scratch, "root");
    await mkdir(root);
    const configuration = path.join(scratch, "dnf.conf");
    await writeFile(configuration, dnfConfiguration(needs.tree.tree));
    const quiet = $({ nothrow: true });
    const namespace = await quiet`unshare -r -m true`;
    if (namespace.exitCode !== 0) throw noNamespace(namespace.stderr);
    const scripts = inputs.scripts.paths.map((name) => path.join(inputs.scripts.root, name));
    const words = [configuration, root, needs.tree.list, ...scripts];
    const { exitCode, stdout, stderr } = await quiet`unshare -r -m sh ${inputs.installRoot} ${words}`;
    log(stdout);
    if (exitCode !== 0) throw installFailure(stdout, stderr);
    refuseFailedScripts(stderr);
    await dateDatabase($, path.join(root, "var/lib/rpm"), scratch, mtime);
    const tree = await treeFromDirectory(root, {
      mtime,
      // dnf ran as root of the namespace, whose other users' files would be nobody's.
      policy: (_name, { type, diskMode }) => ({
        mode: type === "symlink" ? 0o777 : diskMode & 0o7777,
        uid: 0,
        gid: 0,
      }),
    });
    for (const name of tree.paths()) if (ofDnf.test(name)) tree.delete(name);
    const removed = describeScrubbed(scrub(tree));
    if (removed !== undefined) note(removed);
    if (!tree.has(rootPath)) tree.addDirectory(rootPath, { mtime });
    await writeTarball(tree, outputs.tarball, {
      owners: { users: new Map(), groups: new Map() },
      signal,
    });
  },
});

export const rpmOciTemplate = task({
  name: "rpm-oci-template",
  description: "Make the template of the tree as an OCI image",
  internal: true,
  variants: "shared",
  needs: { template: rpmTemplate },
  params: { isoVersion, epoch },
  outputs: { layout: out.artifactDirectory(({ value }) => `build-files/template.${value(isoVersion)}.oci`) },
  async run({ needs, params, outputs }) {
    const image = {
      layer: needs.template.tarball,
      architecture: "amd64",
      command: ["/bin/sh"],
      reference: "latest",
      title: "template",
      version: params.isoVersion,
      created: Number(params.epoch),
    };
    await writeOciLayout(image, outputs.layout);
  },
});

/** The packages were verified when they were fetched. */
function dnfConfiguration(tree: string): string {
  return [
    ...["[main]", "plugins=0", "gpgcheck=0", "install_weak_deps=0", "reposdir=/dev/null"],
    // Below the root, like all of dnf's directories.
    ...["cachedir=/var/cache/dnf", "logdir=/var/log", "persistdir=/var/lib/dnf"],
    ...["[tree]", "name=tree", `baseurl=file://${encodeURI(tree)}`, "gpgcheck=0", ""],
  ].join("\n");
}

function noNamespace(said: string): UserError {
  return new UserError(`this machine does not allow a user namespace: ${said.trim()}`, {
    code: "no-user-namespace",
    where: "unshare -r -m",
    hint: "allow unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1), or build as root",
  });
}

function installFailure(stdout: string, stderr: string): UserError {
  const script = [...stdout.matchAll(/^running (.+)$/gm)].at(-1)?.[1];
  const lines = stderr.split("\n").filter((line) => line.trim() !== "");
  const said = lines.slice(-8).join("\n");
  if (script !== undefined) {
    return new UserError(`the script ${script} failed:\n${said}`, {
      code: "template-script",
      where: `${templateScripts}/${script}`,
      hint: "correct the script; it runs in the installed root, with its programs only",
    });
  }
  return new UserError(`the packages cannot be installed:\n${said}`, {
    code: "package-install",
    where: "dnf",
    hint: "task template --verbose shows all that dnf said",
  });
}

/** dnf succeeds although a script of a package failed. */
function refuseFailedScripts(stderr: string): void {
  const failed = stderr.split("\n").filter((line) => /scriptlet failed|Error in \w+ scriptlet/.test(line));
  if (failed.length === 0) return;
  throw new UserError(`scripts of packages failed:\n${failed.join("\n")}`, {
    code: "package-install",
    where: "dnf",
    hint: "add the packages that the scripts need; task template --verbose shows all that dnf said",
  });
}
