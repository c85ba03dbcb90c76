// The text of an error that the launcher prints before the program is loaded, in the form that the program itself uses.

/**
 * @param {import("../src/errors/codes/index.ts").ErrorCode} code
 * @param {string} message What failed, and why.
 * @param {string} hint What to do about it.
 * @param {string} [where] Absolute path of the file or directory.
 */
function startFailure(code, message, hint, where) {
  const place = where === undefined ? "" : `  where: ${where}\n`;
  return `error: ${message} ${shownCode(code)}\n${place}  hint: ${hint}\n`;
}

/**
 * The code as it follows a message: dim on a terminal, plain elsewhere.
 * @param {import("../src/errors/codes/index.ts").ErrorCode} code
 */
function shownCode(code) {
  const { FORCE_COLOR: forced = "0", NO_COLOR: none = "" } = process.env;
  const isColoured = forced !== "0" || (process.stderr.isTTY === true && none === "");
  return isColoured ? `\u001b[2m[${code}]\u001b[22m` : `[${code}]`;
}

module.exports = { shownCode, startFailure };
