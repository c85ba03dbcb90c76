// The record of the compiled program, `manifest.json`, and the check that what is run is what was compiled here.
//
// The record is sealed with a key that never leaves this workspace, together with that key file's inode number and time of
// change: a cache that was unpacked or copied from elsewhere has another one, even when the key came with it.
const { createHash, createHmac, randomBytes, timingSafeEqual } = require("node:crypto");
const {
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} = require("node:fs");
const path = require("node:path");

/** @typedef {import("./compile.mjs").Manifest} Manifest */

/** Raised with every change of what a record contains: another version's record is as good as none. */
const format = 2;

const keyBytes = 32;
/** The key's file, in the directory of all that is compiled. */
const keyName = "seal.key";
const sealBytes = 32;

/** The record of one workspace's compiled program. */
class CompiledRecord {
  /** @param {string} workspace Absolute path. */
  constructor(workspace) {
    /** Absolute path of all that is compiled. */
    this.cache = path.join(workspace, ".buildcache", "compiled");
    this.file = path.join(this.cache, "manifest.json");
    this.keyFile = path.join(this.cache, keyName);
  }

  /**
   * What was recorded, unless its seal is not this workspace's, or another version of the program recorded it.
   * @returns {Manifest | "absent" | "damaged"}
   */
  read() {
    const record = readIfThere(this.file);
    if (record === undefined) return statusOf(this.file) === undefined ? "absent" : "damaged";
    // The unsealed format of earlier versions.
    if (record[0] === 0x7b) return "absent";
    const key = this.#key();
    const end = record.indexOf(10);
    if (key === undefined || end === -1) return "damaged";
    const text = record.subarray(end + 1);
    const seal = Buffer.from(record.toString("latin1", 0, end), "hex");
    if (!isEqual(seal, sealOf(key, "manifest", text))) return "damaged";
    const recorded = JSON.parse(text.toString("utf8"));
    return recorded.format === format ? recorded.manifest : "absent";
  }

  /**
   * Records it for the next start; where there can be no key, the next start compiles again.
   * @param {Manifest} manifest
   */
  write(manifest) {
    const key = this.#key() ?? this.#makeKey();
    if (key === undefined) return;
    const text = Buffer.from(JSON.stringify({ format, manifest }));
    const seal = `${sealOf(key, "manifest", text).toString("hex")}\n`;
    replaceFile(this.file, Buffer.concat([Buffer.from(seal), text]));
  }

  /**
   * V8's cache of a program's compiled form. V8 itself does not check it: a damaged one would be run.
   * @param {string} file Absolute path.
   * @param {string} digest The program's.
   * @returns {Buffer | undefined}
   */
  readCode(file, digest) {
    const found = readIfThere(file);
    const key = found === undefined ? undefined : this.#key();
    if (found === undefined || key === undefined) return undefined;
    const data = found.subarray(sealBytes);
    return isEqual(found.subarray(0, sealBytes), sealOf(key, `v8 ${digest}`, data)) ? data : undefined;
  }

  /**
   * @param {string} file
   * @param {string} digest
   * @param {Buffer} data
   */
  writeCode(file, digest, data) {
    const key = this.#key();
    if (key !== undefined) replaceFile(file, Buffer.concat([sealOf(key, `v8 ${digest}`, data), data]));
  }

  /** The sealing key of this workspace; undefined where there is none. */
  #key() {
    const status = statusOf(this.keyFile);
    const key = status?.isFile() ? readIfThere(this.keyFile) : undefined;
    if (status === undefined || key?.length !== keyBytes) return undefined;
    return createHmac("sha256", key).update(`compiled ${status.ino} ${status.ctimeNs}`).digest();
  }

  /** Makes the workspace's key; undefined where it cannot be written. */
  #makeKey() {
    const beside = `${this.keyFile}.${process.pid}.tmp`;
    try {
      dropLink(path.dirname(this.keyFile));
      mkdirSync(path.dirname(this.keyFile), { recursive: true });
      if (statusOf(this.keyFile) !== undefined) rmSync(this.keyFile, { recursive: true });
      writeNew(beside, randomBytes(keyBytes), 0o600);
      // Fails when another process was first; then its key counts.
      linkSync(beside, this.keyFile);
    } catch {
      // The key is looked up again below.
    }
    rmSync(beside, { force: true });
    return this.#key();
  }
}

/**
 * The bytes of a compiled file, when they are those that were recorded.
 * @param {string} file Absolute path.
 * @param {string | undefined} digest
 * @returns {Buffer | undefined}
 */
function readVerified(file, digest) {
  const bytes = readIfThere(file);
  return bytes !== undefined && digestOf(bytes) === digest ? bytes : undefined;
}

/** @param {string | Uint8Array} bytes */
function digestOf(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}

/**
 * `size:mtime:ctime:inode` of what is at a path, links not followed; `absent` where nothing is.
 * @param {string} file Absolute path.
 */
function statusText(file) {
  const status = statusOf(file);
  return status === undefined ? "absent" : textOf(status);
}

/** @param {import("node:fs").BigIntStats} status */
function textOf(status) {
  return `${status.size}:${status.mtimeNs}:${status.ctimeNs}:${status.ino}`;
}

/** @param {string} file */
function statusOf(file) {
  try {
    return lstatSync(file, { bigint: true, throwIfNoEntry: false });
  } catch {
    // Below a file, or where one may not look.
    return undefined;
  }
}

/**
 * @param {Buffer} key
 * @param {string} use
 * @param {Buffer} bytes
 */
function sealOf(key, use, bytes) {
  return createHmac("sha256", key).update(`${use}\0`).update(bytes).digest();
}

/**
 * @param {Buffer} one
 * @param {Buffer} other
 */
function isEqual(one, other) {
  return one.length === other.length && timingSafeEqual(one, other);
}

/**
 * Writes beside and renames, also over a directory.
 * @param {string} file Absolute path.
 * @param {string | Uint8Array} contents
 */
function replaceFile(file, contents) {
  const beside = `${file}.${process.pid}.tmp`;
  try {
    writeNew(beside, contents);
    if (statusOf(file)?.isDirectory()) rmSync(file, { recursive: true });
    renameSync(beside, file);
  } catch (error) {
    rmSync(beside, { force: true });
    throw error;
  }
}

/**
 * Removes a link that stands for a directory of the cache, and leaves what it leads to: a cache may come from elsewhere, and
 * what is made or tidied in the directory would be in one of the user's.
 * @param {string} directory Absolute path.
 */
function dropLink(directory) {
  if (statusOf(directory)?.isSymbolicLink()) rmSync(directory);
}

/**
 * Writes a file that is not there, whatever is in its place, and never through a link.
 * @param {string} file Absolute path.
 * @param {string | Uint8Array} contents
 * @param {number} [mode]
 */
function writeNew(file, contents, mode = 0o666) {
  rmSync(file, { recursive: true, force: true });
  writeFileSync(file, contents, { flag: "wx", mode });
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
  keyName,
  CompiledRecord,
  digestOf,
  dropLink,
  readIfThere,
  readVerified,
  replaceFile,
  statusOf,
  statusText,
  textOf,
  writeNew,
};
