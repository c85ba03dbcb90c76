// Compiles the program, the Taskfile and the tasks into the cache, and writes down what the result depends on. Loaded
// only when a source changed.
import { createHash } from "node:crypto";
import { readFileSync, realpathSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { removeOldDirectories, writableDirectory } from "./compiled-directory.mjs";
import { digestOf, statusText } from "./compiled-record.js";
import { entryPoints } from "./entry-points.mjs";
import { bundleLibraries } from "./libraries.mjs";
import { codeDigests, importsOf, moduleLines } from "./modules.mjs";
import { placeDirectory } from "./placement.mjs";
import { SourceReader } from "./source-reader.mjs";
import startFailures from "./start-failure.js";

const { shownCode, startFailure } = startFailures;

/**
 * @typedef {object} Manifest
 * @property {string} packageRoot Absolute path of the package that compiled it.
 * @property {string} directory Absolute path of the compiled files.
 * @property {string} program The digest of the program itself.
 * @property {string} libraryDirectory Absolute path of the libraries that are one file each.
 * @property {Readonly<Record<string, string>>} libraries For each module in them the name of its file.
 * @property {Readonly<Record<string, string>>} libraryDigests For each of these files its digest.
 * @property {readonly { path: string, status: string }[]} librarySources What tells that they are the installed ones.
 * @property {readonly import("./source-reader.mjs").Source[]} sources Every file it was compiled from, with what tells that
 *   it is unchanged; an empty status proves nothing.
 * @property {readonly { path: string, status: string }[]} made The compiled files that are read only later.
 * @property {Readonly<Record<string, string>>} code For each local module (path relative to the workspace) the digest
 *   of its content and that of every local module it imports, directly or not.
 * @property {Readonly<Record<string, readonly string[]>>} imports For each local module those that it imports itself.
 * @property {Readonly<Record<string, readonly (readonly [line: number, module: string])[]>>} lines For each compiled
 *   file, the lines at which another module's code begins.
 */

/**
 * Why the sources could not be compiled.
 * @typedef {object} CompileFailure
 * @property {string} text
 * @property {readonly Pick<import("./source-reader.mjs").Source, "path" | "digest">[]} sources The files to watch, as they were
 *   compiled: a change of one of them may repair it.
 */

/**
 * @typedef {object} Where
 * @property {string} workspace Absolute path.
 * @property {string} packageRoot Absolute path.
 * @property {InstanceType<typeof import("./compiled-record.js").CompiledRecord>} record
 */

/**
 * @param {Where} where
 * @returns {Promise<Manifest | CompileFailure>}
 */
export async function compile(where) {
  try {
    for (let attempt = 1; ; attempt += 1) {
      const reader = new SourceReader();
      const made = await compileSources(where, reader);
      if (!reader.disturbed || attempt === attempts) return made;
    }
  } catch (error) {
    const { code = "", path: place = where.record.cache } = /** @type {NodeJS.ErrnoException} */ (error);
    const reason = diskFailures[code];
    if (reason === undefined) throw error;
    return {
      text: startFailure(
        "compile-unwritable",
        `the program cannot be compiled: ${reason}`,
        "free disk space and run the command again",
        place,
      ),
      sources: [],
    };
  }
}

/** Maximum number of compilations while a package.json keeps changing. */
const attempts = 5;

/** The modules that decide how it is compiled. */
const compilers = [
  "compile.mjs",
  "compiled-directory.mjs",
  "compiled-record.js",
  "entry-points.mjs",
  "libraries.mjs",
  "modules.mjs",
  "placement.mjs",
  "source-reader.mjs",
].map((name) => fileURLToPath(new URL(name, import.meta.url)));

/** @type {Readonly<Record<string, string>>} */
const diskFailures = { ENOSPC: "no space left on the device", EDQUOT: "the disk quota is exceeded" };

/**
 * @param {Where} where
 * @param {SourceReader} reader
 * @returns {Promise<Manifest | CompileFailure>}
 */
async function compileSources({ workspace, packageRoot, record }, reader) {
  const { build, formatMessages } = await import("esbuild");
  const directory = writableDirectory(record.cache);
  const before = record.read();
  // The compiling code is a source of the result too.
  for (const file of compilers) reader.read(file);
  let result;
  try {
    result = await build({
      absWorkingDir: workspace,
      stdin: { contents: entry, resolveDir: workspace, sourcefile: "entry.js" },
      outfile: path.join(directory, "next", "program.cjs"),
      bundle: true,
      // CommonJS, because only such code can be loaded together with V8's cache of its compiled form.
      format: "cjs",
      platform: "node",
      target: "node20",
      define: { PACKAGE_DIRECTORY: JSON.stringify(packageDirectory(workspace, packageRoot)) },
      sourcemap: "external",
      metafile: true,
      write: false,
      plugins: [
        entryPoints({
          "entry:program": path.join(packageRoot, "src/cli/main.ts"),
          "entry:taskfile": path.join(workspace, "Taskfile.ts"),
        }),
        reader.plugin,
      ],
      // A tsconfig.json must not influence what runs, as where Node strips types: it is for editors and type checkers.
      tsconfigRaw: "{}",
      logLevel: "silent",
      // Loaded where they are used, some from files of their own (libraries.mjs): as parts of it they would make every
      // start longer.
      external: [
        "zx",
        "undici",
        "tar",
        "chokidar",
        "fast-glob",
        "hasha",
        "yaml",
        "esbuild",
        "picomatch",
        "@viz-js/viz",
        "@clack/core",
        "@bufbuild/protobuf",
        "@cyclonedx/cyclonedx-library",
        "d3-scale",
        "packageurl-js",
        "spdx-expression-parse",
      ],
    });
  } catch (error) {
    if (!(error instanceof Error && "errors" in error)) throw error;
    const errors = /** @type {import("esbuild").BuildFailure} */ (error).errors;
    const messages = await formatMessages(errors, { kind: "error", color: process.stderr.isTTY === true });
    reader.noteMissing(errors, workspace);
    return {
      text: `error: the Taskfile or a task does not compile ${shownCode("compile-failed")}\n\n${messages.join("")}`,
      sources: [...reader.sources, ...reader.missing.map((file) => ({ path: file, digest: "" }))],
    };
  }

  const files = result.outputFiles.map((file) => ({
    path: file.path,
    // Code from V8's cache cannot import by itself; the launcher does it for it, from the package's own modules.
    text: file.path.endsWith(".cjs")
      ? file.text.replace(/\bimport\(("[^"\n]+")\)/g, "__import($1)")
      : file.text,
  }));
  const digest = createHash("sha256");
  for (const file of files) digest.update(`${path.basename(file.path)}\n`).update(file.text);
  const target = path.join(directory, digest.digest("hex").slice(0, 16));
  placeDirectory(
    target,
    files.map(({ path: name, text }) => ({ path: name, contents: text })),
  );
  const libraries = await bundleLibraries(
    packageRoot,
    directory,
    typeof before === "string" ? undefined : before,
  );
  removeOldDirectories(directory, [target, libraries.directory]);

  // Each module that was compiled is looked up before the sources are listed.
  const code = codeDigests(result.metafile, (name) => reader.digestOf(path.resolve(workspace, name)));
  const later = [
    path.join(target, "program.cjs.map"),
    ...Object.keys(libraries.digests).map((name) => path.join(libraries.directory, name)),
  ];
  /** @type {Manifest} */
  const manifest = {
    packageRoot,
    directory: target,
    program: digestOf(files.find((file) => file.path.endsWith(".cjs"))?.text ?? ""),
    libraryDirectory: libraries.directory,
    libraries: libraries.files,
    libraryDigests: libraries.digests,
    librarySources: libraries.sources,
    sources: reader.sources,
    made: later.map((file) => ({ path: file, status: statusText(file) })),
    code,
    imports: importsOf(result.metafile),
    lines: Object.fromEntries(
      files
        .filter((file) => file.path.endsWith(".cjs"))
        .map((file) => [path.basename(file.path), moduleLines(file, files, workspace)]),
    ),
  };
  if (directory === record.cache) record.write(manifest);
  return manifest;
}

/** One module with the program and a function that loads the Taskfile, so that both share one engine. */
const entry =
  'export { check, main, strayText } from "entry:program";\nexport const loadTaskfile = () => import("entry:taskfile");\n';

/**
 * The package's directory as the workspace names it: by the link that npm made, where there is one, so that what is recorded
 * is the same on every machine.
 * @param {string} workspace
 * @param {string} packageRoot
 */
export function packageDirectory(workspace, packageRoot) {
  const { name } = JSON.parse(readFileSync(path.join(packageRoot, "package.json"), "utf8"));
  const link = path.join("node_modules", name);
  try {
    if (realpathSync(path.join(workspace, link)) === packageRoot) return link;
  } catch {
    // Not installed there: it is reached by the path to it.
  }
  return path.relative(workspace, packageRoot);
}
