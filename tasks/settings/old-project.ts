/**
 * Projects with the layout of the scripts that this replaces: scripts at the top, lists in a folder of their own. How
 * their files are mapped into the image is not known here.
 */
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";

/** Directories of a project that nothing is taken from. */
export const unusedDirectories = [".git", "iso-build-files", "tmp-build-dir", "build-files"] as const;

/** Whether the folder (absolute) is such a project, and not one laid out as the image's root. */
export function isOldProject(folder: string): boolean {
  const isSign = (name: string): boolean =>
    ["razor_microkernel", "additional-build-files"].includes(name) || /^rz_mk_.*\.rb$/.test(name);
  // What is listed is what an input of the whole folder means; a question for a single name would be one more.
  return existsSync(folder) && readdirSync(folder).some(isSign);
}

/** Absolute path of a file of an old project; undefined where the folder is none, or has no such file. */
export function findInOldProject(folder: string, name: string): string | undefined {
  const file = path.join(folder, name);
  return existsSync(file) && isOldProject(folder) ? file : undefined;
}
