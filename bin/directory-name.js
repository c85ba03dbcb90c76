// Refuses directories from which Node cannot load modules.
const { existsSync } = require("node:fs");
const { startFailure } = require("./start-failure.js");

/**
 * @param {string} current The current directory, as Node gives it.
 * @param {readonly (string | undefined)[]} directories Absolute paths of the project and of the program.
 * @returns {string | undefined} A message, with what to do.
 */
function refuseDirectoryName(current, directories) {
  // Node decodes the name, and what is not UTF-8 is lost.
  if (current.includes("\uFFFD") && !existsSync(current)) {
    const what = "the name of the current directory is not valid UTF-8";
    return startFailure("directory-name", what, "rename the directory", current);
  }
  // https://nodejs.org/api/esm.html, "Resolution Algorithm Specification": a path with an encoded backslash is refused.
  const refused = directories.find((directory) => directory?.includes("\\"));
  if (refused === undefined) return undefined;
  const what = "Node cannot load modules from a directory with a backslash (\\) in its path";
  return startFailure("directory-name", what, "rename the directory", refused);
}

module.exports = { refuseDirectoryName };
