// Leaves a record of a build that had nothing to do for `up-to-date.js`, which says why it may be believed. It knows
// nothing of tasks, and is loaded only when there is something to write.
const { mkdirSync, readdirSync, renameSync, unlinkSync, writeFileSync } = require("node:fs");
const path = require("node:path");
const { statusOf } = require("./path-status.js");
const { checksumOf, fields, noteOf, valuesOf } = require("./up-to-date.js");

/** Milliseconds within which two writes may leave the same time stamp on any file system in use. */
const clockGrain = 2000;
/** Of a mode, inode(7). */
const kindMask = 0o170000;
const linkKind = 0o120000;
const recordsKept = 32;

/**
 * What a build without anything to do leaves for the next one.
 * @typedef {object} Dependencies
 * @property {readonly string[]} environment Names of the variables that were asked for.
 * @property {ReadonlyMap<string, boolean>} looks Absolute paths whose own status matters, links not followed; and
 *   whether something was there.
 * @property {readonly string[]} followed Absolute paths for which the status behind links matters.
 * @property {readonly import("./up-to-date.js").Said[]} said What was printed, in order.
 */

/**
 * The record to be written.
 * @typedef {object} Place
 * @property {readonly string[]} base Absolute paths that each record begins with: the lock, then the engine's logs.
 * @property {string} directory Absolute path of all records.
 * @property {string} file Absolute path of this one.
 * @property {string} identity What was asked.
 */

/**
 * Writes the record; nothing at all when something that was looked at is too young.
 * @param {Place} record
 * @param {Dependencies} dependencies
 */
function write({ base, directory, file, identity }, { environment, looks, followed, said }) {
  // Another build may be at work when its lock is there.
  const seen = new Map(base.map((name, index) => /** @type {const} */ ([name, index > 0])));
  for (const [name, present] of looks) seen.set(name, present);
  // What is no link has one status only, followed or not.
  const links = followed.filter(isLink);
  const own = new Set([...seen.keys(), ...followed]);
  for (const link of links) if (!seen.has(link)) own.delete(link);
  const names = [...own, ...links];

  const statuses = new Float64Array(names.length * fields);
  const limit = performance.timeOrigin - clockGrain;
  for (const [index, name] of names.entries()) {
    const status = statusOf(name, index >= own.size);
    const present = status !== undefined;
    if (present && (status.ctimeMs >= limit || status.mtimeMs >= limit)) return;
    if (index < own.size && (seen.get(name) ?? present) !== present) return;
    statuses.set(noteOf(name, status), index * fields);
  }

  const values = valuesOf(environment);
  /** @type {import("./up-to-date.js").Header} */
  const header = { identity, environment, values, own: own.size, said };
  const texts = /** @type {const} */ ([Buffer.from(JSON.stringify(header)), Buffer.from(names.join("\0"))]);
  const prefix = Uint32Array.of(checksumOf(texts[0]), ...texts.map((text) => text.length));
  const beside = `${file}.${process.pid}.tmp`;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const parts = [Buffer.from(prefix.buffer), ...texts, Buffer.from(statuses.buffer)];
    writeFileSync(beside, Buffer.concat(parts), { mode: 0o600, flag: "wx" });
    renameSync(beside, file);
    sweep(directory);
  } catch {
    // Without a record the next build takes a closer look, and nothing else.
  }
}

/** @param {string} name */
function isLink(name) {
  return ((statusOf(name, false)?.mode ?? 0) & kindMask) === linkKind;
}

/**
 * Of many command lines, the latest are kept.
 * @param {string} directory
 */
function sweep(directory) {
  const files = readdirSync(directory).map((name) => path.join(directory, name));
  if (files.length <= recordsKept) return;
  const ages = files.map((file) => ({ file, time: statusOf(file, false)?.mtimeMs ?? 0 }));
  ages.sort((a, b) => b.time - a.time);
  for (const { file } of ages.slice(recordsKept)) unlinkSync(file);
}

module.exports = { write };
