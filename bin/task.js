#!/usr/bin/env node
// Starts the program: finds the workspace and, unless there is nothing to do, makes sure that the compiled form of its
// sources is current and hands over. On a normal start nothing is compiled: a look at each source's status is enough.
// It knows nothing of targets.
// It is CommonJS, as package.json beside it says: Node starts that in less time than a module.
const { existsSync, lstatSync, readFileSync, renameSync, writeFileSync } = require("node:fs");
const path = require("node:path");
const { UpToDateRecord } = require("./up-to-date.js");

const packageRoot = path.dirname(__dirname);

/** The current folder; undefined when somebody has removed it. */
function currentFolder() {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}

/**
 * The nearest folder, from `current` upwards, that holds a Taskfile.ts.
 * @param {string} current
 */
function findWorkspace(current) {
  for (let folder = current; ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, "Taskfile.ts"))) return folder;
    if (folder === path.dirname(folder)) return undefined;
  }
}

/**
 * The manifest of the compiled program, when every source still has the status it was compiled with.
 * @param {string} folder
 * @returns {import("./compile.mjs").Manifest | undefined}
 */
function readCurrentManifest(folder) {
  try {
    /** @type {import("./compile.mjs").Manifest} */
    const manifest = JSON.parse(readFileSync(path.join(folder, "manifest.json"), "utf8"));
    if (manifest.packageRoot !== packageRoot) return undefined;
    for (const source of [...manifest.sources, ...manifest.librarySources]) {
      const status = lstatSync(source.path, { bigint: true });
      if (`${status.size}:${status.mtimeNs}:${status.ctimeNs}:${status.ino}` !== source.status)
        return undefined;
    }
    return manifest;
  } catch {
    return undefined;
  }
}

/** Commands that need no project: outside of any, the program's own Taskfile stands in for one. */
const needNoProject = ["init", "doctor", "completion"];

async function start() {
  const current = currentFolder();
  if (current === undefined) {
    process.stderr.write(
      "error: the current folder is not there any more\n  hint: change into the project's folder first\n",
    );
    return 2;
  }
  const project = findWorkspace(current);
  const command = process.argv[2] ?? "";
  // A new project is made of the program's own files, wherever the command is given.
  const outside = command === "init" || (project === undefined && needNoProject.includes(command));
  const workspace = outside ? packageRoot : project;
  if (workspace === undefined) {
    process.stderr.write(
      "error: no Taskfile.ts in this folder or any above it\n  hint: change into the project's folder first\n",
    );
    return 2;
  }
  const record = new UpToDateRecord(workspace);
  if (record.replay()) return 0;
  const cache = path.join(workspace, ".buildcache", "compiled");
  let manifest = readCurrentManifest(cache);
  if (manifest === undefined) {
    if (!isInstalled("esbuild")) {
      process.stderr.write(
        "error: the project's node modules are not installed\n  hint: run `npm run quickstart`, or `npm ci`\n",
      );
      return 1;
    }
    const { compile } = await import("./compile.mjs");
    const result = await compile({ workspace, packageRoot, cache });
    if (typeof result === "string") {
      process.stderr.write(result);
      return 1;
    }
    manifest = result;
  }
  const program = load(manifest);
  const start = { argv: process.argv.slice(2), workspace, outside, record };
  /** @param {import("./compile.mjs").Manifest} current @param {ReturnType<typeof load>} loaded */
  const startOf = (current, { exports }) => ({
    ...start,
    manifest: current,
    loadTaskfile: exports.loadTaskfile,
    reload,
  });
  /** For a program that outlives its sources: it goes on with the one that is made of them as they are now. */
  const reload = async () => {
    const { compile } = await import("./compile.mjs");
    const current = await compile({ workspace, packageRoot, cache });
    if (typeof current === "string") return current;
    const next = load(current);
    return { main: next.exports.main, check: next.exports.check, start: startOf(current, next) };
  };
  const status = await program.exports.main(startOf(manifest, program));
  program.remember();
  return status;
}

/**
 * Whether a package can be loaded: npm may have put it beside the program, or above it.
 * @param {string} name
 */
function isInstalled(name) {
  try {
    require.resolve(name);
    return true;
  } catch {
    return false;
  }
}

/** Milliseconds of processor time: what takes longer than this has work to do, and no use for a quick start. */
const quickRun = 1000;

/**
 * Runs the compiled program, from V8's cache where there is one: one for each first word of the command line, since
 * each runs other code. It is written after a quick run, when V8 holds just what such a run needs; one of another Node
 * is refused by V8 itself and written anew.
 * @param {import("./compile.mjs").Manifest} manifest
 */
function load({ folder, libraryFolder, libraries }) {
  const { Script } = require("node:vm");
  const file = path.join(folder, "program.cjs");
  const word = /^[a-z][a-z-]*$/.test(process.argv[2] ?? "") ? process.argv[2] : "menu";
  const cacheFile = path.join(folder, `${word}.v8`);
  const cachedData = readIfThere(cacheFile);
  // On one line, so that the source's line numbers stay as they are.
  const source = `(function (exports, require, module, __import) {${readFileSync(file, "utf8")}\n})`;
  const script = new Script(source, { filename: file, ...(cachedData === undefined ? {} : { cachedData }) });
  const module = { exports: /** @type {any} */ ({}) };
  const load = (/** @type {string} */ name) => {
    const library = libraries[name];
    if (library === undefined) return import(name);
    return Promise.resolve().then(() => asModule(require(path.join(libraryFolder, library))[name]()));
  };
  script.runInThisContext()(module.exports, require, module, load);
  const remember = () => {
    const { user, system } = process.cpuUsage();
    if ((user + system) / 1000 > quickRun || (cachedData !== undefined && script.cachedDataRejected !== true))
      return;
    const beside = `${cacheFile}.${process.pid}.tmp`;
    try {
      writeFileSync(beside, script.createCachedData());
      renameSync(beside, cacheFile);
    } catch {
      // A cache that cannot be written costs some milliseconds at the next start, and nothing else.
    }
  };
  return { exports: module.exports, remember };
}

/**
 * What Node's import gives of a CommonJS module: its exports by name, and all of them as the default.
 * @param {any} exports
 */
function asModule(exports) {
  return exports.__esModule === true ? exports : Object.assign({ default: exports }, exports);
}

/** @param {string} file */
function readIfThere(file) {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

start().then((status) => {
  process.exitCode = status;
});
