#!/usr/bin/env node
// Starts the program: finds the workspace and, unless there is nothing to do, makes sure that the compiled form of its
// sources is current and hands over. On a normal start nothing is compiled: a look at each source's status is enough.
// It is CommonJS, as package.json beside it says: Node starts that in less time than a module.
const { existsSync } = require("node:fs");
const path = require("node:path");
const { refuseDirectoryName } = require("./directory-name.js");
const { shownCode, startFailure } = require("./start-failure.js");
const { UpToDateRecord } = require("./up-to-date.js");

const packageRoot = path.dirname(__dirname);

/** The current directory; undefined when somebody has removed it. */
function currentDirectory() {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}

/**
 * The nearest directory, from `current` upwards, that holds a Taskfile.ts.
 * @param {string} current
 */
function findWorkspace(current) {
  for (let directory = current; ; directory = path.dirname(directory)) {
    if (existsSync(path.join(directory, "Taskfile.ts"))) return directory;
    if (directory === path.dirname(directory)) return undefined;
  }
}

async function start() {
  // Nothing in the cache may be writable by others, so the umask may only be stricter.
  process.umask(process.umask() | 0o022);
  const current = currentDirectory();
  if (current === undefined) {
    process.stderr.write(
      startFailure(
        "directory-missing",
        "the current directory no longer exists",
        "change into the project's directory",
      ),
    );
    return 2;
  }
  const project = findWorkspace(current);
  const refusal = refuseDirectoryName(current, [project, packageRoot]);
  if (refusal !== undefined) {
    process.stderr.write(refusal);
    return 2;
  }
  // A new project is made of the program's own files, wherever the command is given. Outside of any project the program's
  // own Taskfile stands in for one; what needs a project is refused by the program.
  const outside = project === undefined || process.argv[2] === "init";
  const workspace = outside ? packageRoot : project;
  const record = new UpToDateRecord(workspace);
  if (record.replay()) return 0;
  // Loaded only now, since replaying a record does not need them.
  const { CompiledRecord } = require("./compiled-record.js");
  const { loadProgram, readCurrent } = require("./program.js");
  const compiled = new CompiledRecord(workspace);
  const where = { workspace, packageRoot, record: compiled };
  let ready = readCurrent(compiled, packageRoot);
  if (ready === "damaged") {
    process.stderr.write(
      "note: the compiled program is damaged, or comes from another directory; compiling it again\n",
    );
  }
  if (typeof ready === "string") {
    if (!isInstalled("esbuild")) {
      process.stderr.write(
        startFailure(
          "modules-missing",
          "the project's npm packages are not installed",
          "run `npm run quickstart` or `npm ci`",
        ),
      );
      return 1;
    }
    const made = await compileAnew(where);
    if ("text" in made) {
      process.stderr.write(made.text);
      return 1;
    }
    ready = made;
  }
  /** @param {Compiled} made */
  const load = ({ manifest, program }) =>
    loadProgram(manifest, program, compiled, async () => {
      process.stderr.write("note: a compiled library is damaged; compiling it again\n");
      const again = await compileAnew(where);
      return "text" in again ? manifest : again.manifest;
    });
  const program = load(ready);
  const start = { argv: process.argv.slice(2), workspace, outside, record };
  /** The same program for other machines. @param {Compiled["manifest"]} manifest */
  const jobProgramOf = (manifest) => async () =>
    (await import("./job-program.mjs")).compileForJobs(where, manifest);
  /** @param {Compiled} made @param {ReturnType<typeof load>} loaded */
  const startOf = ({ manifest }, { exports }) => ({
    ...start,
    manifest,
    loadTaskfile: exports.loadTaskfile,
    reload,
    jobProgram: jobProgramOf(manifest),
  });
  /** For a program that outlives its sources: it goes on with the one that is made of them as they are now. */
  const reload = async () => {
    const made = await compileAnew(where);
    if ("text" in made) return made;
    const next = load(made);
    return { main: next.exports.main, check: next.exports.check, start: startOf(made, next) };
  };
  const begin = startOf(ready, program);
  strayText = (error) => program.exports.strayText(begin, error);
  const status = await program.exports.main(begin);
  program.remember();
  return status;
}

/** @typedef {{ readonly manifest: import("./compile.mjs").Manifest, readonly program: Buffer }} Compiled */

/**
 * Compiles the sources as they are now.
 * @param {import("./compile.mjs").Where} where
 * @returns {Promise<Compiled | import("./compile.mjs").CompileFailure>}
 */
async function compileAnew(where) {
  const { compile } = await import("./compile.mjs");
  const { readVerified } = require("./compiled-record.js");
  const manifest = await compile(where);
  if ("text" in manifest) return manifest;
  const file = path.join(manifest.directory, "program.cjs");
  const program = readVerified(file, manifest.program);
  if (program !== undefined) return { manifest, program };
  return {
    text: startFailure(
      "compile-unwritable",
      "the compiled program changed while it started",
      "run the command again",
      file,
    ),
    sources: [],
  };
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

/** Milliseconds after which the process exits even if something still runs, such as an abandoned task. */
const lingerMs = 1000;

// Failure until success is known: a process that ends because its event loop is empty has failed.
process.exitCode = 1;
let isOver = false;
/** The text of a stray error. @type {(error: unknown) => string} */
let strayText = (error) => `error: ${error instanceof Error ? error.stack : error}\n`;
const onStray = (/** @type {unknown} */ error) => {
  // A listener that was added later knows which task the error belongs to.
  if (process.listeners("uncaughtException").at(-1) !== onStray) return;
  // The failure was already reported.
  if (isOver && process.exitCode !== 0) return;
  process.stderr.write(strayText(error));
  process.exit(1);
};
process.on("uncaughtException", onStray);
const onEmpty = () => {
  if (isOver || process.listeners("beforeExit").at(-1) !== onEmpty) return;
  const code = shownCode("build-never-settled");
  process.stderr.write(`error: the program waits for something that can no longer happen ${code}\n`);
};
process.on("beforeExit", onEmpty);

start().then(
  (status) => {
    isOver = true;
    process.exitCode = status;
    setTimeout(() => process.exit(), lingerMs).unref();
  },
  (error) => {
    isOver = true;
    process.stderr.write(strayText(error));
    process.exit(1);
  },
);
