/** The extensions that the sample source offers, as data: which packages make them and what is added to them. */
import { busyboxPackages, debianMachinery } from "../debian/present-packages.ts";
import { opensshFiles, opensshInstalled } from "./openssh.ts";

export interface ExtensionEntry {
  /** Without `.tcz`. */
  readonly name: string;
  /** Package wishes (see package-closure.ts); the first one gives the extension its version and description. */
  readonly packages: readonly string[];
  /** Files of our own: path inside the extension → text. A path in a directory of programs or scripts is executable. */
  readonly files?: Readonly<Record<string, string>>;
  /** Shell text that runs as root each time the extension is loaded, after its files are linked. */
  readonly installed?: string;
}

/** Extensions of more than one package, or by another name than the package's: the names of Tiny Core's repository. */
export const catalogue: readonly ExtensionEntry[] = [
  { name: "bash", packages: ["bash"] },
  // Under the name of Tiny Core's own collection: a C compiler, make and the C library's headers.
  {
    name: "compiletc",
    packages: ["gcc", "make", "libc6-dev", "coreutils"],
    // On a Debian system an alternative.
    files: { "usr/local/bin/cc": '#!/bin/sh\nexec gcc "$@"\n' },
    // The compiler looks for its parts below the directory that it lies in itself.
    installed: `mkdir -p /usr/local/lib
[ -e /usr/local/lib/gcc ] || ln -s /usr/lib/gcc /usr/local/lib/gcc
[ ! -d /usr/libexec/gcc ] || { mkdir -p /usr/local/libexec && ln -sfn /usr/libexec/gcc /usr/local/libexec/gcc; }
`,
  },
  { name: "dmidecode", packages: ["dmidecode"] },
  { name: "lshw", packages: ["lshw"] },
  {
    name: "openssh",
    packages: ["openssh-server", "openssh-client", "openssh-sftp-server"],
    files: opensshFiles,
    installed: opensshInstalled,
  },
  { name: "openssl", packages: ["openssl"] },
  { name: "ruby", packages: ["ruby", "ruby-rubygems | rubygems", "rubygems-integration"] },
  { name: "util-linux", packages: ["util-linux", "fdisk"] },
  { name: "fuse", packages: ["fuse | fuse3"] },
  { name: "gcc_libs", packages: ["libstdc++6"] },
  { name: "glib2", packages: ["libglib2.0-0t64 | libglib2.0-0"] },
  { name: "libffi", packages: ["libffi8 | libffi7"] },
  { name: "ncurses", packages: ["ncurses-bin"] },
  { name: "ncurses-common", packages: ["ncurses-base"] },
  { name: "perl5", packages: ["perl", "perl-base"] },
  { name: "procps", packages: ["procps"] },
];

/**
 * Packages that count as present wherever another one depends on them. They configure a Debian system
 * (debconf, adduser, init scripts), hold nothing but documents or defaults, or busybox does their work.
 * A package named in the catalogue is still made into an extension.
 */
export const satisfiedPackages: ReadonlySet<string> = new Set([
  ...debianMachinery,
  ...busyboxPackages,
  // Empty but for documents, or settings that its library does without.
  "gcc-12-base",
  "gcc-13-base",
  "gcc-14-base",
  "gcc-15-base",
  "libaudit-common",
  "media-types",
  "readline-common",
  // For C++, Fortran, OpenMP, sanitizers and profiles, and the rest of what a compiler of C can do without.
  ...["libasan6", "libasan8", "libhwasan0", "libtsan0", "libtsan2", "liblsan0", "libubsan1", "libitm1"],
  ...["libatomic1", "libgomp1", "libquadmath0", "libcc1-0", "libgprofng0", "libc-dev-bin"],
  ...["rpcsvc-proto", "libtirpc-dev", "libnsl-dev"],
  // sshd runs with `UsePAM no`: the library is linked, its modules are never loaded.
  "libpam-modules",
  "libpam-runtime",
  // Gems are installed from files, not fetched: no certificates, and none of the gems that Debian split from Ruby.
  "ca-certificates",
  "rake",
  "ruby-net-telnet",
  "ruby-sdbm",
  "ruby-webrick",
  "ruby-xmlrpc",
]);

/** What no extension carries, as patterns of paths inside a package: documents and settings of Debian's services. */
export const droppedPaths: readonly RegExp[] = [
  /^usr\/share\/(doc|doc-base|man|menu|lintian|locale|info|bash-completion|zsh|fish|apport|bug|runit)(\/|$)/,
  /^usr\/share\/(initramfs-tools|gdb|systemtap|pixmaps|applications|icons|metainfo|polkit-1|reportbug)(\/|$)/,
  /^(usr\/)?lib\/(systemd|udev|tmpfiles\.d|sysusers\.d|modules-load\.d|modprobe\.d|initramfs-tools)(\/|$)/,
  /^usr\/share\/(initramfs|sysctl\.d|dbus-1|debianutils|debconf|ruby-rubygems)(\/|$)/,
  /^etc\/(init\.d|init|default|pam\.d|ufw|logrotate\.d|apparmor\.d|bash_completion\.d|runit|sv|skel)(\/|$)/,
  /^etc\/(cron\.[a-z]+|update-motd\.d|dpkg|apt|systemd|udev|insserv\.conf\.d|initramfs-tools|sysctl\.d)(\/|$)/,
  /^var\/log(\/|$)/,
  // Optimisation across files, and libraries of sanitizers: most of a compiler's size.
  /^usr\/(lib|libexec)\/gcc\/[^/]+\/\d+\/(lto1|g\+\+-mapper-server)$/,
  /^usr\/lib\/gcc\/[^/]+\/\d+\/lib(asan|hwasan|tsan|ubsan|lsan|itm|quadmath|gomp|caf_single)[^/]*$/,
  // Gems for developing Ruby programs: a third of Ruby's files, and each is a link made at boot.
  /^usr\/lib\/ruby\/gems\/[^/]+\/(gems|specifications)\/(rbs|typeprof|debug|test-unit|minitest|power_assert)-/,
  /^usr\/lib\/ruby\/gems\/[^/]+\/extensions\/[^/]+\/[^/]+\/(rbs|debug)-/,
];

/** Programs that scripts name in their first line: these keep a link where Debian's scripts look for them. */
export const interpreters = /^(usr\/)?bin\/(bash|perl|ruby[0-9.]*)$/;
