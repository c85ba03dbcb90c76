// A failure of the set-up that its message explains; whoever started it prints it without a stack.

export class SetupFailure extends Error {
  /**
   * @param {string} message What failed, and why.
   * @param {string} hint What to do about it.
   * @param {number} [status] The exit status that it ends with.
   */
  constructor(message, hint, status = 1) {
    super(message);
    this.hint = hint;
    this.status = status;
  }
}
