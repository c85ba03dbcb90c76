// The fast up-to-date check: a build that found everything fresh writes down the status of every path that it looked
// at and what it said; the same command then only compares statuses, and says the same. It is loaded before the
// program, instead of the program, so it knows nothing of tasks and imports next to nothing.
//
// A record is believed only while every status is the same in every field. That no change can hide behind an equal
// status follows from when it is written: each change time in it is older, by more than any clock's grain, than the
// process that looked (git's racy-file rule), so whatever changes later, or changed meanwhile, has another one.
const {
  fstatSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
} = require("node:fs");
const { writeFileSync, writeSync } = require("node:fs");
const path = require("node:path");

/** Nanoseconds within which two writes may leave the same time stamp on any file system in use. */
const clockGrain = 2_000_000_000n;
/**
 * Numbers that make a status: times of change and of modification in nanoseconds, size, inode, mode. A damaged name has
 * another status, unless nothing is there: then a checksum of the name stands behind the mark.
 */
const fields = 5;
/** In place of the first of them where nothing is. */
const absent = -1n;
/** Bytes before the header: the header's checksum, the sizes of header and names. */
const prefixSize = 12;
const recordsKept = 32;

/**
 * What a build without anything to do leaves for the next one.
 * @typedef {object} Evidence
 * @property {readonly string[]} environment Names of the variables that were asked for.
 * @property {ReadonlyMap<string, boolean>} looks Absolute paths whose own status matters, links not followed; and
 *   whether something was there.
 * @property {readonly string[]} followed Absolute paths for which the status behind links matters.
 * @property {readonly Said[]} said What was printed, in order.
 */

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
    this.state = path.join(workspace, ".buildcache", "v1");
    this.folder = path.join(this.state, "up-to-date");
    this.identity = identityOf();
    this.file = path.join(this.folder, checksumOf(Buffer.from(this.identity)).toString(16));
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
    /** @type {Header} */
    const header = JSON.parse(record.toString("utf8", prefixSize, namesAt));
    if (header.identity !== this.identity || header.values !== valuesOf(header.environment)) return false;
    const names = record.toString("utf8", namesAt, statusesAt).split("\0");
    if (record.length !== statusesAt + names.length * fields * 8) return false;
    const known = new BigInt64Array(copyOf(record, statusesAt, record.length));
    for (let index = 0; index < names.length; index += 1) {
      const name = names[index] ?? "";
      const status = statusOf(name, index >= header.own);
      if (!isKnown(name, status, known, index * fields)) return false;
    }
    say(header.said);
    return true;
  }

  /**
   * Writes the record of a build that had nothing to do; nothing at all when something that it looked at is too young.
   * @param {Evidence} evidence
   */
  write({ environment, looks, followed, said }) {
    // Another build may be at work when its lock is there.
    const seen = new Map([[path.join(this.state, "lock"), false], ...looks]);
    // What is no link has one status only, followed or not.
    const links = followed.filter((name) => statusOf(name, false)?.isSymbolicLink() === true);
    const own = new Set([...seen.keys(), ...followed]);
    for (const link of links) if (!seen.has(link)) own.delete(link);
    const names = [...own, ...links];

    const statuses = new BigInt64Array(names.length * fields);
    const limit = BigInt(Math.floor(performance.timeOrigin)) * 1_000_000n - clockGrain;
    for (const [index, name] of names.entries()) {
      const status = statusOf(name, index >= own.size);
      const present = status !== undefined;
      if (present && (status.ctimeNs >= limit || status.mtimeNs >= limit)) return;
      if (index < own.size && (seen.get(name) ?? present) !== present) return;
      statuses.set(present ? numbersOf(status) : numbersOfNothing(name), index * fields);
    }

    const values = valuesOf(environment);
    /** @type {Header} */
    const header = { identity: this.identity, environment, values, own: own.size, said };
    const texts = /** @type {const} */ ([Buffer.from(JSON.stringify(header)), Buffer.from(names.join("\0"))]);
    const prefix = Uint32Array.of(checksumOf(texts[0]), ...texts.map((text) => text.length));
    const beside = `${this.file}.${process.pid}.tmp`;
    try {
      mkdirSync(this.folder, { recursive: true });
      const parts = [Buffer.from(prefix.buffer), ...texts, Buffer.from(statuses.buffer)];
      writeFileSync(beside, Buffer.concat(parts), { mode: 0o600 });
      renameSync(beside, this.file);
      this.#sweep();
    } catch {
      // Without a record the next build takes a closer look, and nothing else.
    }
  }

  /** Of many command lines, the latest are kept. */
  #sweep() {
    const files = readdirSync(this.folder).map((name) => path.join(this.folder, name));
    if (files.length <= recordsKept) return;
    const ages = files.map((file) => ({ file, time: Number(statusOf(file, false)?.mtimeMs ?? 0n) }));
    ages.sort((a, b) => b.time - a.time);
    for (const { file } of ages.slice(recordsKept)) unlinkSync(file);
  }
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
 * @param {string} name
 * @param {boolean} follow
 */
function statusOf(name, follow) {
  const options = /** @type {const} */ ({ bigint: true, throwIfNoEntry: false });
  try {
    return follow ? statSync(name, options) : lstatSync(name, options);
  } catch {
    // Behind a file, or a link that leads round in a circle: nothing is there.
    return undefined;
  }
}

/** @param {import("node:fs").BigIntStats} status */
function numbersOf({ ctimeNs, mtimeNs, size, ino, mode }) {
  return [ctimeNs, mtimeNs, size, ino, mode];
}

/** @param {string} name */
function numbersOfNothing(name) {
  return [absent, BigInt(checksumOf(Buffer.from(name)))];
}

/**
 * @param {string} name
 * @param {import("node:fs").BigIntStats | undefined} status
 * @param {BigInt64Array} known
 * @param {number} at
 */
function isKnown(name, status, known, at) {
  if (status === undefined) {
    const [mark, sum] = numbersOfNothing(name);
    return known[at] === mark && known[at + 1] === sum;
  }
  return (
    known[at] === status.ctimeNs &&
    known[at + 1] === status.mtimeNs &&
    known[at + 2] === status.size &&
    known[at + 3] === status.ino &&
    known[at + 4] === status.mode
  );
}

/** @param {readonly Said[]} said */
function say(said) {
  const seconds = `${(performance.now() / 1000).toFixed(2)} s`;
  for (const [stream, text] of said) {
    const bytes = Buffer.from(text.replaceAll("\0", seconds));
    let done = 0;
    try {
      // Quicker than to open the stream of it.
      while (done < bytes.length) done += writeSync(stream, bytes, done);
    } catch (error) {
      const { code } = /** @type {NodeJS.ErrnoException} */ (error);
      // Whoever read may have seen enough. A pipe that is full for now is the stream's business.
      if (code === "EPIPE") return;
      if (code !== "EAGAIN") throw error;
      (stream === 1 ? process.stdout : process.stderr).write(bytes.subarray(done));
    }
  }
}

/** @param {string} file */
function readIfThere(file) {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

module.exports = { UpToDateRecord };
