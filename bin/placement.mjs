// Puts a folder of files in its place as a whole, however many processes do it at once. It knows nothing of what they hold.
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

/**
 * @param {string} folder Absolute path, where nothing is unless another process was first with the same bytes.
 * @param {readonly { readonly path: string, readonly contents: string | Uint8Array }[]} files Of a path the last name counts.
 */
export function placeFolder(folder, files) {
  const beside = `${folder}.${process.pid}.tmp`;
  try {
    mkdirSync(beside, { recursive: true });
    for (const file of files) writeFileSync(path.join(beside, path.basename(file.path)), file.contents);
    renameSync(beside, folder);
  } catch (error) {
    rmSync(beside, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
}
