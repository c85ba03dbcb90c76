// Puts a directory of files in its place as a whole, however many processes do it at once, and replaces one that is damaged.
import { lstatSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { replaceFile } from "./compiled-record.js";

/**
 * @param {string} directory Absolute path; what is there has its name from these bytes, but may have been damaged since.
 * @param {readonly { readonly path: string, readonly contents: string | Uint8Array }[]} files Of a path the last name counts.
 */
export function placeDirectory(directory, files) {
  if (!isDirectory(directory)) {
    rmSync(directory, { force: true });
    const beside = `${directory}.${process.pid}.tmp`;
    try {
      mkdirSync(beside, { recursive: true });
      for (const file of files) writeFileSync(path.join(beside, path.basename(file.path)), file.contents);
      renameSync(beside, directory);
      return;
    } catch (error) {
      rmSync(beside, { recursive: true, force: true });
      // Another process may have been first.
      if (!isDirectory(directory)) throw error;
    }
  }
  // Another process may be running from it: what is right is left alone, and nothing is ever missing.
  for (const file of files) {
    const place = path.join(directory, path.basename(file.path));
    if (!holds(place, Buffer.from(file.contents))) replaceFile(place, file.contents);
  }
}

/** @param {string} directory */
function isDirectory(directory) {
  return lstatSync(directory, { throwIfNoEntry: false })?.isDirectory() === true;
}

/**
 * @param {string} file
 * @param {Buffer} contents
 */
function holds(file, contents) {
  try {
    return lstatSync(file).isFile() && readFileSync(file).equals(contents);
  } catch {
    return false;
  }
}
