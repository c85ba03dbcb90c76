// The fast up-to-date check: a build that found everything fresh writes down the status of every path that it looked
// at and what it said (`up-to-date-record.js`); the same command then only compares statuses, and says the same. It is
// loaded before the program, often instead of it, and so imports next to nothing.
//
// A record is believed only while every status is the same in every field. That no change can hide behind an equal
// status follows from when it is written: each change time in it is older, by more than any clock's grain, than the
// process that looked (git's racy-file rule), so whatever changes later, or changed meanwhile, has another one.
const { fstatSync, readFileSync, writeSync } = require("node:fs");
const { quickLook, statusOf } = require("./path-status.js");

/** @typedef {import("./path-status.js").Status} Status */

/** Numbers that a record holds for each name: change time, modification time (both in ms), size, inode, mode. */
const fields = 5;
/**
 * In place of the change time where nothing is; a checksum of the name follows it. A damaged name would otherwise pass
 * for another path where nothing is.
 */
const absent = -1;
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
    this.directory = `${this.state}/up-to-date`;
    this.identity = identityOf();
    this.file = `${this.directory}/${checksumOf(Buffer.from(this.identity)).toString(16)}`;
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
    const look = quickLook(this.file);
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
   * Whether a record contains the statuses of this workspace's own logs. Their change times and inodes are set by this machine,
   * so a cache from elsewhere cannot contain them: without this check a record that names no path would always hold.
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
   * @param {import("./up-to-date-record.js").Dependencies} dependencies
   */
  write(dependencies) {
    // Only now: who replays a record has no use for it.
    require("./up-to-date-record.js").write(this, dependencies);
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
 * @param {readonly string[]} names A name with a star at its end stands for all that begin so.
 */
function valuesOf(names) {
  const prefixes = ["GIT_", ...names.filter((name) => name.endsWith("*")).map((name) => name.slice(0, -1))];
  const begun = Object.keys(process.env).filter((name) => prefixes.some((prefix) => name.startsWith(prefix)));
  return JSON.stringify([...names, ...begun.sort()].map((name) => [name, process.env[name] ?? null]));
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
 * The numbers that a record holds for a name.
 * @param {string} name
 * @param {Status | undefined} status
 */
function noteOf(name, status) {
  if (status === undefined) return Float64Array.of(absent, checksumOf(Buffer.from(name)), 0, 0, 0);
  return Float64Array.of(status.ctimeMs, status.mtimeMs, status.size, status.ino, status.mode);
}

/**
 * Whether `noteOf` of this name is what the record holds.
 * @param {string} name
 * @param {Status | undefined} status
 * @param {Float64Array} known
 * @param {number} at
 */
function isKnown(name, status, known, at) {
  if (status === undefined)
    return noteOf(name, status).every((number, index) => known[at + index] === number);
  // Number by number, because a loop would take longer than the lstat itself.
  return (
    known[at] === status.ctimeMs &&
    known[at + 1] === status.mtimeMs &&
    known[at + 2] === status.size &&
    known[at + 3] === status.ino &&
    known[at + 4] === status.mode
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
      // The reader may have seen enough. A pipe that is full for now is the stream's business.
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

module.exports = { UpToDateRecord, checksumOf, fields, noteOf, valuesOf };
