// What is wrong with the names of the folders that a project is in, where nothing could be built there.
const { existsSync } = require("node:fs");

/**
 * @param {string} current The current folder, as Node gives it.
 * @param {readonly (string | undefined)[]} folders Absolute paths of the project and of the program.
 * @returns {string | undefined} A message, with what to do.
 */
function refuseFolderName(current, folders) {
  // Node decodes the name, and what is not UTF-8 is lost.
  if (current.includes("\uFFFD") && !existsSync(current)) {
    return `error: the name of the current folder is not UTF-8\n  where: ${current}\n  hint: rename the folder\n`;
  }
  // https://nodejs.org/api/esm.html, "Resolution Algorithm Specification": a path with an encoded backslash is refused.
  const refused = folders.find((folder) => folder?.includes("\\"));
  if (refused === undefined) return undefined;
  return `error: the folder's path has a backslash (\\) in it, and Node loads no modules from there\n  where: ${refused}\n  hint: rename the folder\n`;
}

module.exports = { refuseFolderName };
