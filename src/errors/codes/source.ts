import type { ErrorArea } from "./explanation.ts";

/** Lists, mirrors, gems, packages and the sample source. */
export const sourceErrors = {
  "bad-arch": {
    meaning: "The architecture is not supported.",
    remedy: "Use `x86` or `x86_64`.",
  },
  "bad-extension-name": {
    meaning: "A line of an extension list is not an extension's file name.",
    remedy: "Write one file name per line, such as `bash.tcz` or `hello.deb`.",
  },
  "bad-gem-index": {
    meaning: "The index of the gem server has an invalid line.",
    remedy: "Try again later, or use another gem server.",
  },
  "bad-gem-name": {
    meaning: "A line of the gem list does not start with a gem's name.",
    remedy: "Write a name and, optionally, a requirement: `json_pure >= 1.7.7`.",
  },
  "bad-gem-requirement": {
    meaning: "A line of the gem list has an invalid version requirement.",
    remedy: "Write `>= 1.7.7`, `~> 1.2`, or several requirements separated by commas.",
  },
  "bad-index": {
    meaning: "An index or `.dep` file of the mirror has an invalid line.",
    remedy: "Report it to the mirror's maintainer, or use another mirror.",
  },
  "bad-package-name": {
    meaning: "A name in the list of Debian packages is not valid.",
    remedy: "Write the package's name and `.deb`, without version and architecture: `hello.deb`.",
  },
  "bad-path": {
    meaning: "A line of the util-linux list is not a path in the image.",
    remedy: "Write it as `usr/local/bin/NAME`, without `.` and `..`.",
  },
  "bad-release": {
    meaning: "The value is not a Tiny Core release.",
    remedy: "Write the major version, such as `4.x`.",
  },
  "decompression-bomb": {
    meaning: "An index of the mirror unpacks to more bytes than the limit.",
    remedy: "Use another mirror, or raise the limit with the option that the hint names.",
  },
  "duplicate-extension": {
    meaning: "A list has an extension twice, once as a Debian package.",
    remedy: "Remove one of the two lines.",
  },
  "excluded-dependency": {
    meaning: "An extension needs another one that this variant excludes.",
    remedy: "Remove the extension from the list for this variant.",
  },
  "gem-conflict": {
    meaning: "No version of a gem satisfies all requirements.",
    remedy: "Relax one of the requirements in the gem list.",
  },
  "gem-layout": {
    meaning: "A Debian package does not contain the gem in the expected layout.",
    remedy: "Build the sample source on Debian 12 or a current Ubuntu.",
  },
  "gem-not-found": {
    meaning: "The gem server has no version of the gem that satisfies the requirement.",
    remedy:
      "Require a version that the server has for the platform `ruby`. Prereleases must be named explicitly.",
  },
  gemspec: {
    meaning: "The specification of a gem in a Debian package cannot be parsed.",
    remedy: "Report the package: its version is newer than the supported ones.",
  },
  "index-too-large": {
    meaning: "The index of the mirror lists more extensions than the limit.",
    remedy: "Use another mirror, or raise the limit with the option that the hint names.",
  },
  "kernel-mismatch": {
    meaning: "A list names an extension for another kernel than the one of the Core ISO.",
    remedy: "Write the name with `KERNEL` in place of the kernel release.",
  },
  "missing-dependency": {
    meaning: "An extension needs another one that the mirror does not have.",
    remedy: "Use a complete mirror. Without the dependency the extension would not work.",
  },
  "missing-in-package": {
    meaning: "A Debian package does not contain a file that the sample base needs.",
    remedy: "Build the sample source on Debian 12 or a current Ubuntu.",
  },
  "missing-package": {
    meaning: "A Debian package of the sample base was not downloaded.",
    remedy: "Run `apt-get update`, then build again.",
  },
  "no-apt": {
    meaning: "The sample source needs dpkg and apt, which are not installed.",
    remedy: "Build on Debian or Ubuntu, or use a mirror with `--source URL`.",
  },
  "no-kernel": {
    meaning: "The packages of the sample base contain no kernel with modules.",
    remedy: "Run `apt-get update`, so that apt finds the newest linux-image package.",
  },
  "no-package-lists": {
    meaning: "Apt has no package lists.",
    remedy: "Run `apt-get update` as root, then build again.",
  },
  "no-such-module": {
    meaning: "The kernel of the sample base has no module of this name.",
    remedy: "Build the sample source on Debian 12 or a current Ubuntu.",
  },
  "not-a-package": {
    meaning: "A file in the package cache is not a Debian package.",
    remedy: "Delete the file and build again.",
  },
  "package-architecture": {
    meaning: "A Debian package is for another architecture than the Core ISO.",
    remedy: "Name an extension of the mirror (`.tcz`), or use a source of this machine's architecture.",
  },
  "package-download": {
    meaning: "Apt cannot download a package.",
    remedy: "Check the network and apt's proxy settings, run `apt-get update` as root, and build again.",
  },
  "package-mismatch": {
    meaning: "Apt downloaded another package than the planned one.",
    remedy: "Run `apt-get update` as root, then build again.",
  },
  "package-missing": {
    meaning: "A planned package was not downloaded.",
    remedy: "Plan the packages again, then download them.",
  },
  "source-definition": {
    meaning: "The sources file is not valid YAML, lacks a key, or has no source of this name.",
    remedy: "Correct the sources file as the hint says, or name a known source, a URL or a directory.",
  },
  "source-layout": {
    meaning: "The directory that `--source` names is no Tiny Core mirror, or one of several releases.",
    remedy: "Name a mirror with one release and architecture, or the path of one of them.",
  },
  "source-unknown": {
    meaning: "`--source` names neither a source of lists/sources.yaml nor a URL or directory.",
    remedy: "Use a name that the hint lists, a URL, or a directory written as `./directory`.",
  },
  "unexpected-file": {
    meaning: "A package contains an entry that is not a file, directory or symlink.",
    remedy: "Omit the package from the sample, or build on another machine.",
  },
  "unknown-artifact": {
    meaning: "`task update` was given a name that is neither in the lists nor in the lock.",
    remedy: "Check the spelling. Without names `task update` checks all artifacts.",
  },
  "unknown-extension": {
    meaning: "A list names an extension that the mirror does not have.",
    remedy: "Check the name, and that this release of the mirror has the extension.",
  },
  "unknown-gem": {
    meaning: "The gem, or the version of it, does not exist on the gem server.",
    remedy: "Check the name. If the server has a newer parent gem, run `npx task update {gem}`.",
  },
  "unknown-kernel": {
    meaning:
      "An extension depends on the kernel release, but the Core ISO's initrd has no lib/modules/{release}.",
    remedy: "Use the ISO of a Tiny Core release.",
  },
  "unknown-package": {
    meaning: "The distribution does not have the Debian package.",
    remedy: "Check the name with `apt-cache policy NAME`, and run `apt-get update` as root.",
  },
  "unsupported-architecture": {
    meaning: "The sample source exists for x86_64 only.",
    remedy: "Build on an amd64 machine, or use a mirror with `--source URL`.",
  },
  "util-linux-missing": {
    meaning: "The extension util-linux.tcz does not contain a file that its list names.",
    remedy: "Check the path. It is relative to the root of the image.",
  },
  "wrong-gem": {
    meaning: "The gem server sent another gem than the requested one.",
    remedy: "Use another gem server.",
  },
} satisfies ErrorArea;
