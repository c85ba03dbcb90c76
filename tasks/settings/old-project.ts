/**
 * Projects with the layout of the scripts that this replaces: scripts at the top, lists in a folder of their own. How
 * their files are mapped into the image is not known here.
 */
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";

/** Whether the folder (absolute) is such a project, and not one laid out as the image's root. */
export function isOldProject(folder: string): boolean {
  if (["razor_microkernel", "additional-build-files"].some((name) => existsSync(path.join(folder, name))))
    return true;
  return existsSync(folder) && readdirSync(folder).some((name) => /^rz_mk_.*\.rb$/.test(name));
}

/** Absolute path of a file of an old project; undefined where the folder is none, or has no such file. */
export function findInOldProject(folder: string, name: string): string | undefined {
  const file = path.join(folder, name);
  return existsSync(file) && isOldProject(folder) ? file : undefined;
}
