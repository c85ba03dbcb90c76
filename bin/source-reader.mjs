// Reads the sources for the compiler, and remembers of each the bytes that were compiled.
import path from "node:path";
import { digestOf, readIfThere, statusOf, textOf } from "./compiled-record.js";

/** Nanoseconds within which two writes may leave the same time stamp on any file system in use. */
const clockGrain = 2_000_000_000n;
/** Nanoseconds by which the time stamps of files may be behind the clock: the kernel takes them from its last tick. */
const tick = 20_000_000n;

/**
 * A file as it was when it was read.
 * @typedef {object} Source
 * @property {string} path Absolute path.
 * @property {string} status `size:mtime:ctime:inode` before it was read, or `absent`; empty when it was so young that a later
 *   write might not change it.
 * @property {string} digest sha256 of its bytes; empty where there was no file.
 */

/** The files that one compilation reads. */
export class SourceReader {
  /** Nanoseconds since the epoch. */
  #startedAt = BigInt(Date.now()) * 1_000_000n;
  /** @type {Map<string, Source>} */
  #sources = new Map();
  /** @type {Map<string, { readonly source: Source, readonly facts: string }>} */
  #packages = new Map();
  /** Whether a file that the compiler reads by itself was written during the compilation. */
  #disturbed = false;
  /** Absolute paths that imports may have meant which were not found. @type {Set<string>} */
  #missing = new Set();

  /**
   * Hands each file to the compiler and keeps its digest: a file that is saved a moment later counts as what was compiled.
   * @type {import("esbuild").Plugin}
   */
  plugin = {
    name: "sources",
    setup: (build) => {
      build.onLoad({ filter: /.*/, namespace: "file" }, ({ path: file }) => {
        const contents = this.read(file);
        // For an unreadable file the compiler's own message is used.
        return contents === undefined ? undefined : { contents, loader: "default" };
      });
    },
  };

  /**
   * The bytes of a file, which from here on are known to have been read; undefined where it cannot be read.
   * @param {string} file Absolute path.
   */
  read(file) {
    const { source, contents } = this.#look(file);
    this.#sources.set(file, source);
    return contents;
  }

  /** Everything that was read, and where no package.json was. @returns {readonly Source[]} */
  get sources() {
    return [...this.#sources.values(), ...[...this.#packages.values()].map(({ source }) => source)];
  }

  /** Absolute paths of imports that were not found. @returns {readonly string[]} */
  get missing() {
    return [...this.#missing];
  }

  /** Whether the compiler may have read other bytes than this reader, so that it has to compile again. */
  get disturbed() {
    return this.#disturbed;
  }

  /**
   * The digest of a module that was compiled: of its bytes, and of what its package.json says of how to compile it.
   * @param {string} file Absolute path.
   */
  digestOf(file) {
    const source = this.#sources.get(file);
    // The compiler could read what we could not: it changed in between.
    if (source === undefined || source.digest === "") this.#disturbed = true;
    return digestOf(`${source?.digest}\n${this.#packageFacts(file)}`);
  }

  /**
   * Records failed imports: creating one of these files may repair them.
   * @param {readonly import("esbuild").Message[]} errors
   * @param {string} workspace Absolute path.
   */
  noteMissing(errors, workspace) {
    for (const { text, location } of errors) {
      const [, name] = /^Could not (?:resolve|read from file:?) "(.*)"/.exec(text) ?? [];
      if (name === undefined) continue;
      const from = location === null ? workspace : path.dirname(path.resolve(workspace, location.file));
      for (const ending of ["", ".ts", ".js", ".mjs", ".json", "/index.ts", "/index.js"])
        this.#missing.add(path.resolve(from, name) + ending);
    }
  }

  /**
   * What the nearest package.json of a module says of its code: the compiler reads these by itself, before the module.
   * @param {string} file
   */
  #packageFacts(file) {
    for (let directory = path.dirname(file); ; directory = path.dirname(directory)) {
      const { source, facts } = this.#packageAt(path.join(directory, "package.json"));
      if (source.digest !== "" || directory === path.dirname(directory)) return facts;
    }
  }

  /** @param {string} file */
  #packageAt(file) {
    const known = this.#packages.get(file);
    if (known !== undefined) return known;
    const { source, contents, changedAt } = this.#look(file);
    // The ctime, since a program can set the mtime.
    if (changedAt >= this.#startedAt - tick) this.#disturbed = true;
    const found = { source, facts: factsOf(contents) };
    this.#packages.set(file, found);
    return found;
  }

  /** @param {string} file */
  #look(file) {
    const status = statusOf(file);
    const changes = status === undefined ? [0n] : [status.mtimeNs, status.ctimeNs];
    const settled = changes.every((time) => time + clockGrain <= this.#startedAt);
    const contents = readIfThere(file);
    const source = {
      path: file,
      status: status === undefined ? "absent" : settled ? textOf(status) : "",
      digest: contents === undefined ? "" : digestOf(contents),
    };
    return { source, contents, changedAt: status?.ctimeNs ?? 0n };
  }
}

/**
 * The fields by which a package.json changes how a module of its package is compiled; what imports lead to stands in the
 * names of the modules.
 * @param {Buffer | undefined} contents
 */
function factsOf(contents) {
  try {
    const { type = null, sideEffects = null } = JSON.parse(String(contents));
    return JSON.stringify([type, sideEffects]);
  } catch {
    return "none";
  }
}
