// The table of the host's programs, and whether one is there. How they get there it does not know.
import { accessSync, constants, existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/**
 * @typedef {object} Tool
 * @property {string} for What it is needed for, to be read after "for".
 * @property {readonly string[]} [files] Absolute paths, one of which is there when the tool is: for what is no program in
 *   PATH, or of no use without its files.
 * @property {string} [apt]
 * @property {string} [dnf]
 * @property {string} [pacman]
 * @property {string} [brew]
 */

/** What only the tests run; the table of what the program itself runs is src/host/tools.json. */
const testTools = {
  readelf: {
    for: "ELF files in tests",
    apt: "binutils",
    dnf: "binutils",
    pacman: "binutils",
    brew: "binutils",
  },
  bzip2: { for: "tarballs in tests", apt: "bzip2", dnf: "bzip2", pacman: "bzip2", brew: "bzip2" },
  mount: { for: "full disks in tests", apt: "mount", dnf: "util-linux", pacman: "util-linux" },
  umount: { for: "full disks in tests", apt: "mount", dnf: "util-linux", pacman: "util-linux" },
  modprobe: { for: "module tables in tests", apt: "kmod", dnf: "kmod", pacman: "kmod" },
  genisoimage: {
    for: "ISOs of another maker in tests",
    apt: "genisoimage",
    dnf: "genisoimage",
    pacman: "cdrtools",
    brew: "cdrtools",
  },
  mdel: { for: "disk images in tests", apt: "mtools", dnf: "mtools", pacman: "mtools", brew: "mtools" },
  mdir: { for: "FAT volumes in tests", apt: "mtools", dnf: "mtools", pacman: "mtools", brew: "mtools" },
  "fsck.vfat": {
    for: "FAT volumes in tests",
    apt: "dosfstools",
    dnf: "dosfstools",
    pacman: "dosfstools",
    brew: "dosfstools",
  },
  e2fsck: {
    for: "the file systems of disks in tests",
    apt: "e2fsprogs",
    dnf: "e2fsprogs",
    pacman: "e2fsprogs",
    brew: "e2fsprogs",
  },
  truncate: {
    for: "images in tests",
    apt: "coreutils",
    dnf: "coreutils",
    pacman: "coreutils",
    brew: "coreutils",
  },
  cmp: { for: "images in tests", apt: "diffutils", dnf: "diffutils", pacman: "diffutils", brew: "diffutils" },
  minfo: { for: "FAT volumes in tests", apt: "mtools", dnf: "mtools", pacman: "mtools", brew: "mtools" },
  chromium: { for: "pages in tests", apt: "chromium", dnf: "chromium", pacman: "chromium", brew: "chromium" },
  "grub-syslinux2cfg": { for: "boot menus in tests", apt: "grub-common", pacman: "grub" },
  OVMF: {
    for: "booting under UEFI in tests",
    files: ["/usr/share/ovmf/OVMF.fd"],
    apt: "ovmf",
    dnf: "edk2-ovmf",
    pacman: "edk2-ovmf",
  },
  "ipxe-qemu": {
    for: "booting from the network in tests",
    files: ["/usr/lib/ipxe/qemu/pxe-virtio.rom", "/usr/share/ipxe/qemu/pxe-virtio.rom"],
    apt: "ipxe-qemu",
    dnf: "ipxe-roms-qemu",
  },
  nginx: {
    for: "a remote cache in tests",
    apt: "nginx-light",
    dnf: "nginx",
    pacman: "nginx",
    brew: "nginx",
  },
  munged: { for: "jobs of a cluster in tests", apt: "munge", dnf: "munge" },
  slurmctld: { for: "jobs of a cluster in tests", apt: "slurmctld", dnf: "slurm-slurmctld" },
  slurmd: { for: "jobs of a cluster in tests", apt: "slurmd", dnf: "slurm-slurmd" },
  scancel: { for: "jobs of a cluster in tests", apt: "slurm-client", dnf: "slurm" },
  srun: { for: "jobs of a cluster in tests", apt: "slurm-client", dnf: "slurm" },
  curl: {
    for: "credentials of a remote cache in tests",
    apt: "curl",
    dnf: "curl",
    pacman: "curl",
    brew: "curl",
  },
  bazel: { for: "another client of remote caches in tests", apt: "bazel-bootstrap" },
  buildstream: {
    for: "messages of remote caches in tests",
    files: [
      "/usr/lib/python3/dist-packages/buildstream/_protos/build/bazel/remote/execution/v2/remote_execution_pb2.py",
    ],
    apt: "python3-buildstream",
  },
  tinyproxy: {
    for: "downloads through a proxy in tests",
    apt: "tinyproxy",
    dnf: "tinyproxy",
    pacman: "tinyproxy",
    brew: "tinyproxy",
  },
  mandoc: { for: "the manual page in tests", apt: "mandoc", dnf: "mandoc", pacman: "mandoc", brew: "mandoc" },
  zsh: { for: "completion in tests", apt: "zsh", dnf: "zsh", pacman: "zsh", brew: "zsh" },
  fish: { for: "completion in tests", apt: "fish", dnf: "fish", pacman: "fish", brew: "fish" },
  // For the files, which localedef makes a locale of.
  locales: {
    for: "another language in tests",
    files: ["/usr/share/i18n/locales/tr_TR"],
    apt: "locales",
    dnf: "glibc-locale-source",
    pacman: "glibc",
  },
  "libatomic.so.1": {
    for: "the newest Node in tests",
    files: [
      "/usr/lib/x86_64-linux-gnu/libatomic.so.1",
      "/usr/lib/aarch64-linux-gnu/libatomic.so.1",
      "/usr/lib64/libatomic.so.1",
      "/usr/lib/libatomic.so.1",
    ],
    apt: "libatomic1",
    dnf: "libatomic",
    pacman: "gcc-libs",
  },
  sha256sum: {
    for: "digests of releases in tests",
    apt: "coreutils",
    dnf: "coreutils",
    pacman: "coreutils",
    brew: "coreutils",
  },
  python3: {
    for: "files of other programs in tests",
    apt: "python3",
    dnf: "python3",
    pacman: "python",
    brew: "python",
  },
  checkisomd5: { for: "ISOs of installers in tests", apt: "isomd5sum", dnf: "isomd5sum" },
  visudo: { for: "sudoers in tests", apt: "sudo", dnf: "sudo", pacman: "sudo" },
  skopeo: { for: "OCI images in tests", apt: "skopeo", dnf: "skopeo", pacman: "skopeo", brew: "skopeo" },
  umoci: { for: "OCI images in tests", apt: "umoci", dnf: "umoci", pacman: "umoci" },
  sshd: {
    for: "publishing over ssh in tests",
    files: ["/usr/sbin/sshd", "/usr/bin/sshd"],
    apt: "openssh-server",
    dnf: "openssh-server",
    pacman: "openssh",
  },
  gpgconf: { for: "keys in tests", apt: "gpgconf", dnf: "gnupg2", pacman: "gnupg", brew: "gnupg" },
  ruby: {
    for: "the Microkernel's programs in tests",
    apt: "ruby",
    dnf: "ruby",
    pacman: "ruby",
    brew: "ruby",
  },
  "ruby-parse": {
    for: "the grammar of Ruby 1.8 in tests",
    apt: "ruby-whitequark-parser",
    dnf: "rubygem-parser",
  },
  // A library, whose own files have its version in their paths.
  minitest: {
    for: "the Microkernel's unit tests",
    files: [
      "/usr/share/doc/ruby-minitest",
      "/usr/share/doc/rubygem-minitest",
      "/usr/share/licenses/ruby-minitest",
    ],
    apt: "ruby-minitest",
    dnf: "rubygem-minitest",
    pacman: "ruby-minitest",
  },
  // Its library, which the client comes with.
  mcollective: {
    for: "the Microkernel's MCollective agents in tests",
    files: ["/usr/lib/ruby/vendor_ruby/mcollective.rb"],
    apt: "mcollective-client",
  },
  mco: { for: "MCollective in tests", apt: "mcollective-client" },
  // Not the programs in PATH, which run as the service's own user.
  "rabbitmq-server": {
    for: "MCollective's broker in tests",
    files: ["/usr/lib/rabbitmq/bin/rabbitmq-server"],
    apt: "rabbitmq-server",
  },
  epmd: { for: "MCollective's broker in tests", apt: "erlang-base" },
  unzip: { for: "zip files in tests", apt: "unzip", dnf: "unzip", pacman: "unzip", brew: "unzip" },
  tmux: { for: "whole screens in tests", apt: "tmux", dnf: "tmux", pacman: "tmux", brew: "tmux" },
  script: { for: "terminals in tests", apt: "bsdutils", dnf: "util-linux-script", pacman: "util-linux" },
};

/** @returns {Readonly<Record<string, Tool>>} */
export function readTable() {
  const file = fileURLToPath(new URL("../src/host/tools.json", import.meta.url));
  return { ...testTools, ...JSON.parse(readFileSync(file, "utf8")) };
}

/**
 * Whether an executable file of this name is in PATH, or where administrators' tools are: Debian keeps those out of a
 * plain user's PATH, and the build looks there too.
 * @param {string} tool
 */
export function isInstalled(tool) {
  const files = readTable()[tool]?.files;
  if (files !== undefined) return files.some((file) => existsSync(file));
  const directories = [...(process.env.PATH ?? "").split(":"), "/usr/sbin", "/sbin"];
  return directories.some((directory) => {
    try {
      const file = path.join(directory, tool);
      accessSync(file, constants.X_OK);
      return directory !== "" && statSync(file).isFile();
    } catch {
      return false;
    }
  });
}
