// Loads the compiled program: verifies its recorded digest, and uses V8's code cache.
const { createRequire } = require("node:module");
const path = require("node:path");
const { Script } = require("node:vm");
const { readVerified, statusText } = require("./compiled-record.js");

/**
 * @typedef {import("./compile.mjs").Manifest} Manifest
 * @typedef {InstanceType<typeof import("./compiled-record.js").CompiledRecord>} CompiledRecord
 */

/** Milliseconds of processor time: a longer run does not profit from a code cache. */
const quickRun = 1000;

/**
 * The recorded program, if every source still has the file status that it was compiled with, and every compiled file is
 * unchanged.
 * @param {CompiledRecord} record
 * @param {string} packageRoot
 * @returns {{ readonly manifest: Manifest, readonly program: Buffer } | "outdated" | "damaged"}
 */
function readCurrent(record, packageRoot) {
  const manifest = record.read();
  if (manifest === "damaged") return "damaged";
  if (manifest === "absent" || manifest.packageRoot !== packageRoot) return "outdated";
  const isAsRecorded = (/** @type {{ path: string, status: string }} */ file) =>
    statusText(file.path) === file.status;
  if (!manifest.sources.every(isAsRecorded) || !manifest.librarySources.every(isAsRecorded))
    return "outdated";
  const program = readVerified(path.join(manifest.directory, "program.cjs"), manifest.program);
  if (program === undefined || !manifest.made.every(isAsRecorded)) return "damaged";
  return { manifest, program };
}

/**
 * Runs the compiled program, from V8's cache where there is one: one for each first word of the command line, since
 * each runs other code. It is written after a quick run, when V8 holds just what such a run needs; one of another Node
 * is refused by V8 and written again.
 * @param {Manifest} manifest
 * @param {Buffer} program
 * @param {CompiledRecord} record
 * @param {() => Promise<Manifest>} makeLibraries Makes the libraries again when one of them is damaged.
 */
function loadProgram({ directory, program: digest, ...manifest }, program, record, makeLibraries) {
  const file = path.join(directory, "program.cjs");
  const word = /^[a-z][a-z-]*$/.test(process.argv[2] ?? "") ? process.argv[2] : "menu";
  const cacheFile = path.join(directory, `${word}.v8`);
  const cachedData = record.readCode(cacheFile, digest);
  // On one line, so that the source's line numbers stay as they are.
  const source = `(function (exports, require, module, __import) {${program.toString("utf8")}\n})`;
  const script = new Script(source, { filename: file, ...(cachedData === undefined ? {} : { cachedData }) });
  const module = { exports: /** @type {any} */ ({}) };
  let { libraryDirectory, libraryDigests } = manifest;
  /** @type {Map<string, any>} */
  const loaded = new Map();
  const read = (/** @type {string} */ name) =>
    readVerified(path.join(libraryDirectory, name), libraryDigests[name]);
  const load = async (/** @type {string} */ name) => {
    const library = manifest.libraries[name];
    if (library === undefined) return import(name);
    if (!loaded.has(library)) {
      let bytes = read(library);
      if (bytes === undefined) {
        ({ libraryDirectory, libraryDigests } = await makeLibraries());
        bytes = read(library);
      }
      if (bytes === undefined)
        throw new Error(`the library ${library} cannot be read in ${libraryDirectory}`);
      if (!loaded.has(library)) loaded.set(library, evaluate(path.join(libraryDirectory, library), bytes));
    }
    return asModule(loaded.get(library)[name]());
  };
  script.runInThisContext()(module.exports, require, module, load);
  const remember = () => {
    const { user, system } = process.cpuUsage();
    if ((user + system) / 1000 > quickRun || (cachedData !== undefined && script.cachedDataRejected !== true))
      return;
    try {
      record.writeCode(cacheFile, digest, script.createCachedData());
    } catch {
      // A cache that cannot be written costs some milliseconds at the next start, and nothing else.
    }
  };
  return { exports: module.exports, remember };
}

/**
 * What a CommonJS file exports.
 * @param {string} file Absolute path, for stacks.
 * @param {Buffer} bytes
 */
function evaluate(file, bytes) {
  const source = `(function (exports, require, module) {${bytes.toString("utf8")}\n})`;
  const module = { exports: /** @type {any} */ ({}) };
  new Script(source, { filename: file }).runInThisContext()(module.exports, createRequire(file), module);
  return module.exports;
}

/**
 * What Node's import gives of a CommonJS module: its exports by name, and all of them as the default.
 * @param {any} exports
 */
function asModule(exports) {
  return exports.__esModule === true ? exports : Object.assign({ default: exports }, exports);
}

module.exports = { loadProgram, readCurrent };
