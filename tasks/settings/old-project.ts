/**
 * Projects with the layout of the scripts that this replaces: scripts at the top, lists in a directory of their own. How
 * their files are mapped into the image is not known here.
 */
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";

/** Directories of a project that nothing is taken from. */
export const unusedDirectories = [".git", "iso-build-files", "tmp-build-dir", "build-files"] as const;

/** RubyGems' settings of the image, in a project whose controller installs its gems from a mirror in the image. */
export const gemSettings = "rz_mk_gemrc.yaml";

/** Whether the directory (absolute) is such a project, and not one laid out as the image's root. */
export function isOldProject(directory: string): boolean {
  const isSign = (name: string): boolean =>
    ["razor_microkernel", "additional-build-files"].includes(name) || /^rz_mk_.*\.rb$/.test(name);
  // What is listed is what an input of the whole directory means; a question for a single name would be one more.
  return existsSync(directory) && readdirSync(directory).some(isSign);
}

/** Absolute path of a file of an old project; undefined where the directory is none, or has no such file. */
export function findInOldProject(directory: string, name: string): string | undefined {
  const file = path.join(directory, name);
  return existsSync(file) && isOldProject(directory) ? file : undefined;
}
