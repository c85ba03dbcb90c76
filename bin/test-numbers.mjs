// Counts of tests: how they are read from what a script prints, added, and said in a closing line.

/**
 * @typedef {object} Numbers
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 */

/**
 * The counts of the last closing line, `N passed, N failed, N skipped`. All are 0 where there is none.
 * @param {string} output
 * @returns {Numbers}
 */
export function numbersIn(output) {
  const line = output.split("\n").findLast((text) => /^\d+ passed, \d+ failed(, \d+ skipped)?$/.test(text));
  const count = (/** @type {string} */ word) =>
    Number(new RegExp(`(\\d+) ${word}`).exec(line ?? "")?.[1] ?? 0);
  return { passed: count("passed"), failed: count("failed"), skipped: count("skipped") };
}

/**
 * @param {readonly Numbers[]} all
 * @returns {Numbers}
 */
export function addNumbers(all) {
  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const { passed, failed, skipped } of all) {
    sum.passed += passed;
    sum.failed += failed;
    sum.skipped += skipped;
  }
  return sum;
}

/** @param {Numbers} numbers */
export function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`;
}
