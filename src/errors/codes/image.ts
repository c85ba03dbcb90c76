import type { ErrorArea } from "./explanation.ts";

/** The image, its settings, bundles, and the commands that look into an image. */
export const imageErrors = {
  edits: {
    meaning:
      "An edit of `lists/edits.yaml` cannot be read, or does not fit the file that it changes: the base may have changed.",
    remedy: "Compare the file of the image (`task cat`) with the edit, and adapt the edit.",
  },
  owners: {
    meaning:
      "A line of `lists/owners.lst` cannot be read, or names an owner or a path that the image does not have.",
    remedy: "Correct the line that the message names.",
  },
  "own-extension": {
    meaning: "An extension in `extensions/` has a file or a value that cannot work on the booted machine.",
    remedy: "Correct the file that the message names.",
  },
  "image-fault": {
    meaning: "A file or a boot code of the image would certainly fail on the booted machine.",
    remedy: "Correct it as the hint says. `task check` finds more in an image that is built.",
  },
  "image-names": {
    meaning: "A name in `lists/image.yaml` is not accepted, or longer than an ISO has room for.",
    remedy: "Correct the line that the message names.",
  },
  recipe: {
    meaning: "A `recipe.yaml` cannot be read, does not fit what it builds, or one of its steps failed.",
    remedy: "Correct the line that the message names.",
  },
  "build-namespace": {
    meaning: "Recipes are built in namespaces, and this machine does not let users make them.",
    remedy: "Allow them as the hint says, or build on another machine.",
  },
  "extension-usage": {
    meaning: "`task extension` takes names of the project's own extensions, `task extensions` needs `--to`.",
    remedy: "Run `task extension NAME`, or `task extensions --to DIRECTORY`.",
  },
  accounts: {
    meaning:
      "`lists/accounts.yaml` has a value that is not accepted, or that the image's accounts contradict.",
    remedy: "Correct the line that the message names.",
  },
  "check-usage": {
    meaning: "`task check` takes one image, or none for the newest in `build-files/`.",
    remedy: "Run `task check IMAGE`.",
  },
  "boot-failed": {
    meaning: "QEMU cannot run the machine, or the machine ended too early.",
    remedy: "Read QEMU's message, or the console's last lines.",
  },
  "boot-image": {
    meaning: "The image does not boot in the requested way.",
    remedy: "Name an ISO, or use another `--as`.",
  },
  "boot-menu": {
    meaning: "The boot menu of the Core ISO starts nothing that loads Core's kernel and initrd.",
    remedy: "Use the ISO of a Tiny Core release, or make a label that loads them the default.",
  },
  "boot-program": {
    meaning: "The firmware or the network boot code for QEMU is not installed.",
    remedy: "Install the package that the hint names.",
  },
  "boot-timeout": {
    meaning: "The console of the machine did not show the text of `--until` in time.",
    remedy: "Set another time with `--timeout`.",
  },
  "boot-usage": {
    meaning: "`task boot` takes at most one image, and an option has an invalid value.",
    remedy: "Run `task boot [IMAGE]`.",
  },
  "bundle-missing": {
    meaning: "The bundle does not exist.",
    remedy: "Check the name. `task bundle` makes one in build-files/.",
  },
  "bundle-variant": {
    meaning: "The bundle is for another variant than the requested one.",
    remedy: "Omit the variant's option, or name another bundle.",
  },
  "bundle-variant-unknown": {
    meaning: "The bundle does not tell which variant it is: neither its scripts nor its name do.",
    remedy: "Name the file razor-microkernel-bundle-VARIANT.tar.gz, where VARIANT is dev, prod or debug.",
  },
  "cat-usage": {
    meaning: "`task cat` needs an image and one path.",
    remedy: "Run `task cat IMAGE PATH`.",
  },
  "disk-fat": {
    meaning:
      "Something of the disk cannot be on FAT, which has no owners and no links: `home=`, `opt=`, a symlink, a file of 4 GiB.",
    remedy: "Use `--disk-fs ext4`, or omit it.",
  },
  "disk-loader": {
    meaning: "The disk cannot start under the requested firmware.",
    remedy: "Install the GRUB that the message names, or choose another `--firmware`.",
  },
  "disk-size": {
    meaning: "The size of the disk is no size, or too small for what is on the disk.",
    remedy: "Set another one with `--disk-size`; the message says how much is needed.",
  },
  "grub-image": {
    meaning: "A file of the host's GRUB for BIOS is not what it has to be, or does not fit.",
    remedy: "Install the GRUB of your distribution again.",
  },
  "diff-usage": {
    meaning: "`task diff` needs exactly two files.",
    remedy: "Run `task diff A.iso B.iso`.",
  },
  "epoch-invalid": {
    meaning: "The time of the image is not a number of seconds from 0 to 4294967295.",
    remedy: "Write it as `date +%s` prints it.",
  },
  "extension-places": {
    meaning:
      "An extension is requested for two places of a remastered Core: `cde/`, the initrd's `/tmp/builtin`, or extracted into the initrd.",
    remedy: "Remove one of the two lines: an extension that is extracted must not be mounted, too.",
  },
  "extract-conflict": {
    meaning: "`task extract` would replace a file.",
    remedy: "Extract into an empty directory, or remove the file.",
  },
  "extract-script": {
    meaning:
      "An extension that is to be extracted into the initrd has a start script, which would never run.",
    remedy:
      "Load the extension from `cde/` or `/tmp/builtin`, or set `extract_tcz_script = ignore` (`--extract-scripts ignore`).",
  },
  "extract-usage": {
    meaning: "`task extract` needs an image and a directory.",
    remedy: "Run `task extract IMAGE [PATH...] --to DIR`.",
  },
  "find-usage": {
    meaning: "`task find` needs an image and a name.",
    remedy: "Run `task find IMAGE NAME`.",
  },
  firmware: {
    meaning: "The ISO cannot start on the requested firmware.",
    remedy: "Install the boot loader that the hint names, or build with `--firmware bios`.",
  },
  "foreign-library": {
    meaning: "This machine's ldconfig does not support libraries of the image's architecture.",
    remedy: "Build on a machine of the image's architecture, or put etc/ld.so.cache into the overlay.",
  },
  "git-failed": {
    meaning: "Git cannot determine the version.",
    remedy: "Repair the repository, or set the version and the time with options.",
  },
  "git-missing": {
    meaning: "The project is a git checkout, but git is not installed.",
    remedy: "Install git, or set the version and the time with options.",
  },
  "git-ownership": {
    meaning: "Git refuses to read the repository because another user owns it.",
    remedy: "If you trust it, run the `git config` command of the hint.",
  },
  "image-clash": {
    meaning: "A path of the image comes from two sources.",
    remedy: "Remove one of them.",
  },
  "iso-missing": {
    meaning: "`task size` without an image found no ISO of this variant in build-files/.",
    remedy: "Build one with `task iso`, or name an image.",
  },
  "kernel-release": {
    meaning: "The initrd has no lib/modules/{release}, or more than one.",
    remedy: "Use the initrd of a Tiny Core release.",
  },
  "layer-conflict": {
    meaning: "Layers of a bundle give a path different types, so one cannot be unpacked over the other.",
    remedy:
      "Change overlay-src so that the path keeps the type that it has in Core, or build the ISO: `task iso`.",
  },
  "layer-unknown": {
    meaning: "The image has no layer of that name.",
    remedy: "Use a name that the hint lists.",
  },
  "limit-invalid": {
    meaning: "The value of a limit is not a size or number.",
    remedy: "Write it as in the example of the hint.",
  },
  "ls-usage": {
    meaning: "`task ls` needs an image.",
    remedy: "Run `task ls IMAGE [PATH...]`.",
  },
  "mcollective-layout": {
    meaning: "The MCollective tarball does not have exactly one top-level directory.",
    remedy: "Use the tarball of a release.",
  },
  "mcollective-secret": {
    meaning: "An MCollective credential is empty, or has blanks or control characters.",
    remedy: "Use printable ASCII without blanks.",
  },
  "mcollective-settings": {
    meaning:
      "A key or value of `lists/mcollective.yaml` is missing or not valid, or the image's MCollective lacks the connector.",
    remedy: "Correct the line that the message names; docs/microkernel.md lists keys and values.",
  },
  "microkernel-settings": {
    meaning: "A key or value of `lists/microkernel.yaml` is not one that the Microkernel knows.",
    remedy: "Correct the line that the message names; docs/microkernel.md lists keys and values.",
  },
  "no-boot-loader": {
    meaning: "The Core ISO has no valid isolinux files: none, too large ones, or those of GRUB only.",
    remedy: "Use the ISO of a Tiny Core release, or add isolinux.bin and isolinux.cfg in boot/isolinux.",
  },
  "not-a-bundle": {
    meaning: "The file is not a bundle, or an incomplete one.",
    remedy: "Name a razor-microkernel-bundle-….tar.gz, or build it again.",
  },
  "not-a-core-iso": {
    meaning: "The ISO does not contain a Core kernel and initrd.",
    remedy: "Use the ISO of a Tiny Core release: Core or CorePure64.",
  },
  "not-an-image": {
    meaning: "The file is not an ISO, initrd, tarball or extension.",
    remedy: "Name an image; the message says what the file is.",
  },
  "overlay-line": {
    meaning: "A file of the overlay lacks the line in which the variants differ.",
    remedy: "Restore the file.",
  },
  "password-in-prod": {
    meaning: "A production image would have a password, or accept an empty one.",
    remedy: "Omit `--tc-passwd`, or build a dev or debug image.",
  },
  "password-invalid": {
    meaning: "The password is empty or has a line break.",
    remedy: "Write it on one line.",
  },
  "path-missing": {
    meaning: "The image has no entry at that path.",
    remedy: "List the entries with `task ls IMAGE`.",
  },
  "remaster-config": {
    meaning: "A line of the `ezremaster.cfg` is wrong, or it names a file that does not exist.",
    remedy: "Correct the line that the message names; [remaster.md](remaster.md) has the grammar.",
  },
  "remaster-file": {
    meaning: "A file or directory that an option of `task remaster` names does not exist.",
    remedy: "Check the name, or omit the option.",
  },
  "report-usage": {
    meaning: "`task report` accepts at most one image.",
    remedy: "Run `task report [IMAGE]`.",
  },
  "sbom-usage": {
    meaning: "`task sbom` accepts at most one image.",
    remedy: "Run `task sbom [IMAGE]`.",
  },
  "serve-address": {
    meaning:
      "The boot server cannot listen there: another program has the port, the machine does not have the address, or the port is for root.",
    remedy: "Choose another `--port` or `--host`; `ss -ltnp` lists who listens.",
  },
  "serve-program": {
    meaning: "The boot programs of iPXE, which dnsmasq gives to machines, are not installed.",
    remedy: "Install what the message names, or omit `--dnsmasq` and use the DHCP server that is there.",
  },
  "serve-usage": {
    meaning: "An option of `task serve` has an invalid value, or contradicts another one.",
    remedy: "Run `task serve [--host ADDRESS] [--port PORT] [--checkin] [-w]`.",
  },
  "several-systems": {
    meaning:
      "The boot menu of the Core ISO starts more than one Core, such as one for 32 and one for 64 bits.",
    remedy: "Use the ISO of one of them, or remove the labels of the other from boot/isolinux/isolinux.cfg.",
  },
  "size-usage": {
    meaning: "`task size` accepts at most one ISO.",
    remedy: "Run `task size [ISO]`.",
  },
  "version-invalid": {
    meaning:
      "The version cannot become part of a file name, or `version --bump` finds no number in it that it could raise.",
    remedy:
      "Use at most 64 letters, digits and `. + _ ~ -`, such as `0.9.3.1`; `task version --set` sets one.",
  },
  "version-unknown": {
    meaning: "Neither VERSION, git, package.json nor the bundle tells the version.",
    remedy: "Set it: `task version --set 0.9.3`, or `--iso-version 0.9.3` for one build.",
  },
} satisfies ErrorArea;
