/**
 * Where things are on a Tiny Core mirror. It makes locations out of names and opens none.
 *
 * Layout as on the project's own mirrors: `<mirror>/<release>.x/<arch>/release/Core-current.iso` and
 * `<mirror>/<release>.x/<arch>/tcz/NAME.tcz`, with `.md5.txt`, `.dep`, `.info` and `.list` beside each.
 */
import { UserError } from "../../errors/index.ts";
import { joinLocation, parseDirectoryLocation } from "../http/location.ts";

export type Architecture = "x86" | "x86_64";

export interface Mirror {
  /** URL or absolute path above the release directories. */
  readonly base: string;
  /** The directory name, as `4.x`. */
  readonly release: string;
  readonly arch: Architecture;
}

/** File names that depend on the architecture. */
export interface CoreFiles {
  readonly iso: string;
  /** In the ISO's `boot` directory. */
  readonly kernel: string;
  readonly initrd: string;
}

const coreFilesByArch: Readonly<Record<Architecture, CoreFiles>> = {
  x86: { iso: "Core-current.iso", kernel: "vmlinuz", initrd: "core.gz" },
  x86_64: { iso: "CorePure64-current.iso", kernel: "vmlinuz64", initrd: "corepure64.gz" },
};

/**
 * A mirror from what a user configured: `base` is a URL or an absolute path, `release` a major version (`4`,
 * `4.x`), `arch` one of the two architectures. Throws a UserError for anything else; `where` says in which file or option
 * the base stands.
 */
export function defineMirror(base: string, release: string, arch: string, where?: string): Mirror {
  parseDirectoryLocation(base, where);
  const major = /^(\d{1,4})(\.x)?$/.exec(release)?.[1];
  if (major === undefined) {
    throw new UserError(`"${release}" is not a Tiny Core release`, {
      code: "bad-release",
      hint: "write the major version, such as 4.x",
    });
  }
  if (arch !== "x86" && arch !== "x86_64") {
    throw new UserError(`"${arch}" is not a supported architecture`, {
      code: "bad-arch",
      hint: "use x86 or x86_64",
    });
  }
  return { base, release: `${major}.x`, arch };
}

export function coreFiles(arch: Architecture): CoreFiles {
  return coreFilesByArch[arch];
}

/** The place of a file beside the Core ISO. */
export function releaseLocation(mirror: Mirror, name: string): string {
  return joinLocation(mirror.base, mirror.release, mirror.arch, "release", name);
}

/** The place of an extension, of a file beside it or of an index. */
export function extensionLocation(mirror: Mirror, name: string): string {
  return joinLocation(mirror.base, mirror.release, mirror.arch, "tcz", name);
}
