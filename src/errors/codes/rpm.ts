/** Error codes of the flavour rpm: repositories, packages, the installer, kickstart files. */
import type { ErrorArea } from "./explanation.ts";

export const rpmErrors = {
  "bad-comps": {
    meaning: "`comps.xml` is not XML, or a group, a type or a reference in it is wrong.",
    remedy: "Correct the line. `task comps` checks the file.",
  },
  "bad-kickstart": {
    meaning:
      "The kickstart file has an unknown command or section, or a line that the installer refuses or misreads.",
    remedy: "Correct the line as the hint says. `task kick` checks the file.",
  },
  "bad-rpm-name": {
    meaning: "A line of `lists/packages.lst` is not the name of a package.",
    remedy: "Write one package per line, such as `bash`, and groups into `lists/groups.lst`.",
  },
  "bad-spec": {
    meaning: "The installer's spec cannot be parsed by rpmspec, or a field of its template does not exist.",
    remedy: "Correct the spec. `task spec` shows it as it is built.",
  },
  "boot-files-missing": {
    meaning: "An installer's ISO needs boot files of a distribution, and none were imported.",
    remedy: "Run `task import FROM` with the URL, directory or ISO of a distribution's tree.",
  },
  "import-source": {
    meaning:
      "What `task import` was given has no boot files of an installer, or they differ from its `.treeinfo`.",
    remedy: "Name a distribution's tree or ISO: a directory with `.treeinfo`, `images/` and `isolinux/`.",
  },
  "kickstart-field": {
    meaning: "The kickstart template has a field that does not exist.",
    remedy: "Correct the field's name; the message lists the fields.",
  },
  "metadata-signature": {
    meaning: "A repository's index is not signed by one of its keys.",
    remedy:
      "Check that `keys` names the repository's current keys. `metadata-signature: false` is for repositories that sign packages only.",
  },
  "no-user-namespace": {
    meaning:
      "This machine does not let you make a user namespace, in which packages are installed for the template.",
    remedy:
      "Allow unprivileged user namespaces (`sysctl kernel.unprivileged_userns_clone=1`), or build as root.",
  },
  "nothing-wanted": {
    meaning: "Neither list of the flavour rpm names a package.",
    remedy: "Name packages in `lists/packages.lst`, or groups of `comps.xml` in `lists/groups.lst`.",
  },
  "package-conflict": {
    meaning: "The listed packages need something that no repository has, or exclude each other.",
    remedy: "Omit one of the packages, add a repository, or update the pinned metadata (`task update`).",
  },
  "package-install": {
    meaning: "Installing the packages for the template failed, or a script of a package did.",
    remedy:
      "Read dnf's message. A script that fails needs a package that it does not require, or a real machine.",
  },
  "package-not-found": {
    meaning: "No repository has a package of the lists.",
    remedy:
      "Correct the name, add the repository that has it, or update the pinned metadata (`task update`).",
  },
  "package-signature": {
    meaning: "A package is not signed by one of its repository's keys.",
    remedy:
      "Check that `keys` names the repository's keys. `gpgcheck: false` is for repositories that you made.",
  },
  "repository-list": {
    meaning: "`lists/repositories.yaml` cannot be read: not YAML, an unknown setting, or no keys.",
    remedy: "Correct the line. Each repository has `url` and `keys`.",
  },
  "repository-metadata": {
    meaning: "A repository's metadata is damaged, incomplete or without sha256.",
    remedy: "Try again later, or use another mirror of the repository.",
  },
  "rpm-build": {
    meaning: "Building the installer's package with rpmbuild failed.",
    remedy: "Read its log, of which the message has the last lines. `task spec` checks the spec.",
  },
  "template-script": {
    meaning: "A script of the project failed in the root of the template, or there are more than three.",
    remedy: "Correct the script; it runs in the installed root, with its programs only.",
  },
  "unknown-group": {
    meaning: "`lists/groups.lst` names a group that `comps.xml` does not have.",
    remedy: "Correct the id, or add the group to `comps.xml`.",
  },
} satisfies ErrorArea;
