/**
 * Where the image's Ruby looks for libraries: found in its extension, as each release of Tiny Core has another Ruby. The
 * Microkernel's own library stays where Ruby 1.8 of Tiny Core 4 looks for it, and is linked for other Rubies.
 */
import { readdir } from "node:fs/promises";
import path from "node:path";
import { type FileTree, listSquashfs } from "../../src/formats/index.ts";
import type { Shell } from "../../src/host/index.ts";

const libraries = "usr/local/lib/ruby";
const own = `${libraries}/1.8/razor_microkernel`;

/** Every Ruby has it in the directory of its version (`RbConfig::CONFIG["rubylibdir"]`): Tiny Core's, and Debian's. */
const ownFile = /^usr\/(local\/)?lib\/ruby\/(\d+(?:\.\d+)+)\/optparse\.rb$/;

/** A Ruby in the image: the version in the path of its libraries, such as 3.4.0, and whether it is in Tiny Core's place. */
export interface ImageRuby {
  readonly version: string;
  readonly inPlace: boolean;
}

/** The Ruby in the extensions in `directory` (absolute); undefined where none of them has one. */
export async function findRuby($: Shell, directory: string): Promise<ImageRuby | undefined> {
  const names = (await readdir(directory)).filter((name) => /^(lib)?ruby.*\.tcz$/.test(name)).sort();
  for (const name of names) {
    for (const entry of await listSquashfs($, path.join(directory, name), name)) {
      const [, place, version] = ownFile.exec(entry.path) ?? [];
      if (version !== undefined) return { version, inPlace: place !== undefined };
    }
  }
  return undefined;
}

/** Adds the link to an overlay with a library of its own; `mtime` is seconds since 1970. */
export function linkRubyLibrary(tree: FileTree, version: string, mtime: number): void {
  const link = `${libraries}/${version}/razor_microkernel`;
  if (version === "" || link === own || tree.has(link) || tree.below(own).length === 0) return;
  tree.addSymlink(link, "../1.8/razor_microkernel", { mtime });
}
