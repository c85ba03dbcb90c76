// The fast up-to-date check: a build that found everything fresh writes down the status of every path that it looked
// at and what it said (`up-to-date-record.js`); the same command then only compares statuses, and says the same. It is
// loaded before the program, instead of the program, so it knows nothing of tasks and imports next to nothing.
//
// A record is believed only while every status is the same in every field. That no change can hide behind an equal
// status follows from when it is written: each change time in it is older, by more than any clock's grain, than the
// process that looked (git's racy-file rule), so whatever changes later, or changed meanwhile, has another one.
const { fstatSync, lstatSync, readFileSync, statSync, writeSync } = require("node:fs");

/**
 * A status as Node's file system code holds it before it makes a `Stats` object of it.
 * @typedef {ArrayLike<number>} Status
 */
// Where in it the numbers are that count here; a time has seconds, and nanoseconds behind them.
const modeAt = 1;
const inodeAt = 7;
const sizeAt = 8;
const modifiedAt = 12;
const changedAt = 14;
/** The places whose numbers stand in a record, in their order there. */
const noted = [changedAt, changedAt + 1, modifiedAt, modifiedAt + 1, sizeAt, inodeAt, modeAt];
const fields = noted.length;
/**
 * In place of the first of them where nothing is. A damaged name has another status, unless nothing is there: so a
 * checksum of the name stands behind this.
 */
const absent = -1;
const billion = 1_000_000_000n;
/** Bytes before the header: the header's checksum, the sizes of header and names. */
const prefixSize = 12;

/** @typedef {readonly [stream: 1 | 2, text: string]} Said Text for standard output (1) or error (2); a NUL stands for
 *   the time that it took. */

/**
 * @typedef {object} Header
 * @property {string} identity What `identityOf` said.
 * @property {readonly string[]} environment
 * @property {string} values What `valuesOf` said.
 * @property {number} own For how many of the names, the first ones, links are not followed.
 * @property {readonly Said[]} said
 */

/** The record of one command line in one workspace. */
class UpToDateRecord {
  /** @param {string} workspace Absolute path. */
  constructor(workspace) {
    this.state = `${workspace}/.buildcache/v1`;
    this.folder = `${this.state}/up-to-date`;
    this.identity = identityOf();
    this.file = `${this.folder}/${checksumOf(Buffer.from(this.identity)).toString(16)}`;
  }

  /**
   * Says what the build would say, when nothing that it would look at has changed.
   * @returns {boolean} False when there is no such record, or it does not hold any more.
   */
  replay() {
    const record = readIfThere(this.file);
    if (record === undefined || record.length < prefixSize) return false;
    const [sum, headerSize = 0, namesSize = 0] = new Uint32Array(copyOf(record, 0, prefixSize));
    const namesAt = prefixSize + headerSize;
    const statusesAt = namesAt + namesSize;
    if (sum !== checksumOf(record.subarray(prefixSize, namesAt))) return false;
    const header = headerIn(record.toString("utf8", prefixSize, namesAt));
    if (header === undefined) return false;
    if (header.identity !== this.identity || header.values !== valuesOf(header.environment)) return false;
    const names = record.toString("utf8", namesAt, statusesAt).split("\0");
    if (record.length !== statusesAt + names.length * fields * 8) return false;
    const known = new Float64Array(copyOf(record, statusesAt, record.length));
    if (!this.#isBound(names, header.own, known)) return false;
    const look = quickLook();
    for (let index = 0; index < names.length; index += 1) {
      const name = names[index] ?? "";
      const status = index < header.own ? look(name) : statusOf(name, true);
      if (!isKnown(name, status, known, index * fields)) return false;
    }
    return say(header.said);
  }

  /** The paths that each record begins with: the lock, which must not be there, and the logs, which must. */
  get base() {
    return ["lock", "stamps.log", "files.log"].map((name) => `${this.state}/${name}`);
  }

  /**
   * Whether a record rests on this workspace's own logs. Their change times and inodes come into being on this machine, and
   * nobody who brings a cache along can have written them down: without this, a record that names no path would always hold.
   * @param {readonly string[]} names
   * @param {number} own
   * @param {Float64Array} known
   */
  #isBound(names, own, known) {
    const { base } = this;
    return (
      own >= base.length &&
      base.every((name, index) => names[index] === name && (index === 0 || known[index * fields] !== absent))
    );
  }

  /**
   * Leaves the record of a build that had nothing to do, for the next one.
   * @param {import("./up-to-date-record.js").Evidence} evidence
   */
  write(evidence) {
    // Only now: who replays a record has no use for it.
    require("./up-to-date-record.js").write(this, evidence);
  }
}

/**
 * The header of a record; undefined for a text that is none.
 * @param {string} text
 * @returns {Header | undefined}
 */
function headerIn(text) {
  let header;
  try {
    header = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { identity, environment, values, own, said } = header ?? {};
  const isText = (/** @type {unknown} */ one) => typeof one === "string";
  const isSaid = (/** @type {unknown} */ one) =>
    Array.isArray(one) && (one[0] === 1 || one[0] === 2) && isText(one[1]);
  return isText(identity) &&
    isText(values) &&
    Number.isInteger(own) &&
    Array.isArray(environment) &&
    environment.every(isText) &&
    Array.isArray(said) &&
    said.every(isSaid)
    ? header
    : undefined;
}

/** What was asked: the command line, where, by which Node, and what kind of thing each stream is (a terminal, a pipe). */
function identityOf() {
  const streams = [1, 2].map((stream) => {
    const { mode, rdev } = fstatSync(stream);
    // Of a device its driver: terminals have many, the null device has another.
    return [mode & 0o170000, rdev >>> 8];
  });
  return JSON.stringify([process.version, process.argv.slice(2), process.cwd(), streams]);
}

/**
 * The values of the variables, and of all that git listens to.
 * @param {readonly string[]} names
 */
function valuesOf(names) {
  const git = Object.keys(process.env).filter((name) => name.startsWith("GIT_"));
  return JSON.stringify([...names, ...git.sort()].map((name) => [name, process.env[name] ?? null]));
}

/**
 * FNV-1a over words of four bytes: it finds damage, and is not meant against malice.
 * @param {Buffer} bytes
 */
function checksumOf(bytes) {
  const whole = bytes.length - (bytes.length % 4);
  const words = new Uint32Array(copyOf(bytes, 0, whole));
  let sum = 0x811c9dc5 ^ bytes.length;
  for (let index = 0; index < words.length; index += 1)
    sum = Math.imul(sum ^ (words[index] ?? 0), 0x01000193);
  for (let index = whole; index < bytes.length; index += 1)
    sum = Math.imul(sum ^ (bytes[index] ?? 0), 0x01000193);
  return sum >>> 0;
}

/**
 * A part of a buffer as memory of its own, which typed arrays want aligned.
 * @param {Buffer} bytes
 * @param {number} from
 * @param {number} to
 */
function copyOf(bytes, from, to) {
  return bytes.buffer.slice(bytes.byteOffset + from, bytes.byteOffset + to);
}

/**
 * What looks at a path without following links, and says undefined where nothing is.
 *
 * The public `lstatSync` makes of each status an object with eighteen numbers and four dates, which takes five times as
 * long as the look itself; a thousand times that was half of an up-to-date check. So here stands the call that it makes,
 * for the versions of which it is known. A version in which it means something else does no harm: what it says differs
 * from the record, which is written with the public call, and so the build itself takes a look.
 * @returns {(name: string) => Status | undefined}
 */
function quickLook() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > 24 || major < 20 || (major === 20 && minor < 19)) return statusOf;
  try {
    const { lstat } = /** @type {any} */ (process).binding("fs");
    return (name) => {
      try {
        return lstat(name, false, undefined, false);
      } catch {
        return undefined;
      }
    };
  } catch {
    // Under Node's permission model there is no such thing.
    return statusOf;
  }
}

/**
 * The same, asked in public.
 * @param {string} name
 * @param {boolean} [follow] Whether the status behind links is meant.
 * @returns {Status | undefined}
 */
function statusOf(name, follow) {
  const options = /** @type {const} */ ({ bigint: true, throwIfNoEntry: false });
  try {
    const status = follow ? statSync(name, options) : lstatSync(name, options);
    if (status === undefined) return undefined;
    const numbers = new Float64Array(16);
    numbers[modeAt] = Number(status.mode);
    numbers[inodeAt] = Number(status.ino);
    numbers[sizeAt] = Number(status.size);
    numbers.set([Number(status.mtimeNs / billion), Number(status.mtimeNs % billion)], modifiedAt);
    numbers.set([Number(status.ctimeNs / billion), Number(status.ctimeNs % billion)], changedAt);
    return numbers;
  } catch {
    // Behind a file, or a link that leads round in a circle: nothing is there.
    return undefined;
  }
}

/**
 * What stands in a record for a name.
 * @param {string} name
 * @param {Status | undefined} status
 */
function noteOf(name, status) {
  const note = new Float64Array(fields);
  if (status === undefined) note.set([absent, checksumOf(Buffer.from(name))]);
  else for (const [index, at] of noted.entries()) note[index] = status[at] ?? 0;
  return note;
}

/**
 * Whether `noteOf` would note for this name what stands in the record.
 * @param {string} name
 * @param {Status | undefined} status
 * @param {Float64Array} known
 * @param {number} at
 */
function isKnown(name, status, known, at) {
  if (status === undefined)
    return noteOf(name, status).every((number, index) => known[at + index] === number);
  // Number by number, for a loop here takes longer than the look.
  return (
    known[at] === status[changedAt] &&
    known[at + 1] === status[changedAt + 1] &&
    known[at + 2] === status[modifiedAt] &&
    known[at + 3] === status[modifiedAt + 1] &&
    known[at + 4] === status[sizeAt] &&
    known[at + 5] === status[inodeAt] &&
    known[at + 6] === status[modeAt]
  );
}

/** @param {readonly Said[]} said */
function say(said) {
  // Since the process began; `performance` would say the same, but has to be loaded first.
  const seconds = `${process.uptime().toFixed(2)} s`;
  for (const [stream, text] of said) {
    const bytes = Buffer.from(text.replaceAll("\0", seconds));
    let done = 0;
    try {
      // Quicker than to open the stream of it.
      while (done < bytes.length) done += writeSync(stream, bytes, done);
    } catch (error) {
      const { code } = /** @type {NodeJS.ErrnoException} */ (error);
      // Whoever read may have seen enough. A pipe that is full for now is the stream's business.
      if (code === "EPIPE") return true;
      // The program itself knows how to say that, should anybody listen.
      if (code !== "EAGAIN") return false;
      (stream === 1 ? process.stdout : process.stderr).write(bytes.subarray(done));
    }
  }
  return true;
}

/** @param {string} file */
function readIfThere(file) {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

module.exports = {
  UpToDateRecord,
  checksumOf,
  fields,
  modeAt,
  modifiedAt,
  noteOf,
  quickLook,
  statusOf,
  valuesOf,
};
