/** Packages that an image needs no extension for: what serves only Debian's own installation, and what Core has. */
import type { FileTree } from "../../src/formats/index.ts";

/** Debian's own machinery: nothing is configured when an extension is loaded. */
export const debianMachinery = [
  "adduser",
  "base-files",
  "debconf",
  "debconf-2.0",
  "debianutils",
  "dpkg",
  "init-system-helpers",
  "install-info",
  "lsb-base",
  "lsb-release",
  "passwd",
  "runit-helper",
  "sensible-utils",
  "systemd-sysusers",
  "sysvinit-utils",
  "ucf",
] as const;

/** Packages whose programs busybox has. */
export const busyboxPackages = [
  "awk",
  "coreutils",
  "grep",
  "login",
  "mount",
  "procps",
  "sed",
  "util-linux",
  "util-linux-extra",
] as const;

/** The C library and what every Core is linked with. */
const runtime = ["libc6", "libc-bin", "libgcc-s1", "libgcc1"] as const;

const always: ReadonlySet<string> = new Set([...debianMachinery, ...busyboxPackages, ...runtime]);

/** Names of library packages that do not follow from the library's. */
const otherNames: Readonly<Record<string, string>> = { libz1: "zlib1g" };

/** Tells whether an image has what a package is for; `core` is what Core's initrd holds. */
export function presenceIn(core: FileTree): (name: string) => boolean {
  const libraries = new Set(core.paths().flatMap((path) => packagesOfLibrary(path)));
  const programs = programsIn(core.paths());
  return (name) =>
    always.has(name) || /^gcc-\d+-base$/.test(name) || libraries.has(name) || programs.has(name);
}

/**
 * What Debian calls the package of a shared library (Debian Policy, 8.1: the name and version of its soname, with a hyphen after
 * a digit; `t64` since the change of time_t); nothing for a path that is none.
 */
function packagesOfLibrary(path: string): readonly string[] {
  const [, library, version] = /(?:^|\/)(lib[^/]+?)\.so\.([\w.]+)$/.exec(path) ?? [];
  if (library === undefined || version === undefined) return [];
  const name = library.toLowerCase().replaceAll("_", "-");
  const usual = `${name}${/\d$/.test(name) ? "-" : ""}${version}`;
  return [otherNames[usual] ?? usual, `${usual}t64`];
}

/** Names of the files in directories of programs; of a link the name counts. */
export function programsIn(paths: Iterable<string>): ReadonlySet<string> {
  const names = new Set<string>();
  for (const path of paths) {
    const name = /^(?:usr\/(?:local\/)?)?s?bin\/([^/]+)$/.exec(path)?.[1];
    if (name !== undefined) names.add(name);
  }
  return names;
}
