// A failure of a set-up script that its message explains; it is printed without a stack.
import startFailure from "./start-failure.js";

/** @typedef {import("../src/errors/codes/index.ts").ErrorCode} ErrorCode */

export class SetupFailure extends Error {
  /**
   * @param {ErrorCode} code
   * @param {string} message What failed, and why.
   * @param {string} hint What to do about it.
   * @param {number} [status] The exit status of the script.
   */
  constructor(code, message, hint, status = 1) {
    super(message);
    this.code = code;
    this.hint = hint;
    this.status = status;
  }

  /** The failure as it is printed, with a final line feed. */
  get text() {
    const lead = this.status === 1 ? "error: " : "";
    // Output of a program may follow the first line.
    const [first = "", ...more] = this.message.split("\n");
    const lines = [
      `${lead}${first} ${startFailure.shownCode(this.code)}`,
      ...more,
      `  hint: ${this.hint}`,
      "",
    ];
    return lines.join("\n");
  }
}
