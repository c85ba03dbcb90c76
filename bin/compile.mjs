// Compiles the program, the Taskfile and the tasks into the cache, and writes down what the result depends on.
// Loaded only when a source changed. It knows nothing of what the tasks do.
import { createHash } from "node:crypto";
import { existsSync, lstatSync, readFileSync, realpathSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { removeOldFolders, writableFolder } from "./compiled-folder.mjs";
import { entryPoints } from "./entry-points.mjs";
import { bundleLibraries } from "./libraries.mjs";
import { codeDigests, importsOf, moduleLines, modulesOf } from "./modules.mjs";
import { placeFolder } from "./placement.mjs";

/**
 * @typedef {object} Manifest
 * @property {string} packageRoot Absolute path of the package that compiled it.
 * @property {string} folder Absolute path of the compiled files.
 * @property {string} libraryFolder Absolute path of the libraries that are one file each.
 * @property {Readonly<Record<string, string>>} libraries For each module in them the name of its file.
 * @property {readonly { path: string, status: string }[]} librarySources What tells that they are the installed ones.
 * @property {readonly { path: string, status: string }[]} sources Every file it was compiled from, absolute, with
 *   the status (size:mtime:ctime:inode) that proves it unchanged; an empty status proves nothing.
 * @property {Readonly<Record<string, string>>} code For each local module (path relative to the workspace) the digest
 *   of its content and that of every local module it imports, directly or not.
 * @property {Readonly<Record<string, readonly string[]>>} imports For each local module those that it imports itself.
 * @property {Readonly<Record<string, readonly (readonly [line: number, module: string])[]>>} lines For each compiled
 *   file, the lines at which another module's code begins.
 */

/**
 * @param {{ workspace: string, packageRoot: string, cache: string }} where Absolute paths.
 * @returns {Promise<Manifest | string>} The manifest, or a message that says what is wrong with the sources or the disk.
 */
export async function compile(where) {
  try {
    return await compileSources(where);
  } catch (error) {
    const { code = "", path: place = where.cache } = /** @type {NodeJS.ErrnoException} */ (error);
    const reason = diskFailures[code];
    if (reason === undefined) throw error;
    return `error: the program cannot be compiled: ${reason}\n  where: ${place}\n  hint: free some space, and start again\n`;
  }
}

/** The modules that decide how it is compiled. */
const compilers = [
  "compile.mjs",
  "compiled-folder.mjs",
  "entry-points.mjs",
  "libraries.mjs",
  "modules.mjs",
  "placement.mjs",
].map((name) => fileURLToPath(new URL(name, import.meta.url)));

/** @type {Readonly<Record<string, string>>} */
const diskFailures = { ENOSPC: "no space left on the device", EDQUOT: "the disk quota is used up" };

/**
 * @param {{ workspace: string, packageRoot: string, cache: string }} where
 * @returns {Promise<Manifest | string>}
 */
async function compileSources({ workspace, packageRoot, cache }) {
  const startedAt = BigInt(Date.now()) * 1_000_000n;
  const { build, formatMessages } = await import("esbuild");
  const folder = writableFolder(cache);
  let result;
  try {
    result = await build({
      absWorkingDir: workspace,
      stdin: { contents: entry, resolveDir: workspace, sourcefile: "entry.js" },
      outfile: path.join(folder, "next", "program.cjs"),
      bundle: true,
      plugins: [
        entryPoints({
          "entry:program": path.join(packageRoot, "src/cli/main.ts"),
          "entry:taskfile": path.join(workspace, "Taskfile.ts"),
        }),
      ],
      // CommonJS, because only such code can be loaded together with V8's cache of its compiled form.
      format: "cjs",
      platform: "node",
      target: "node20",
      define: { PACKAGE_FOLDER: JSON.stringify(packageFolder(workspace, packageRoot)) },
      sourcemap: "external",
      metafile: true,
      write: false,
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
      ],
    });
  } catch (error) {
    if (!(error instanceof Error && "errors" in error)) throw error;
    const errors = /** @type {import("esbuild").BuildFailure} */ (error).errors;
    const messages = await formatMessages(errors, { kind: "error", color: process.stderr.isTTY === true });
    return `error: the Taskfile or a task does not compile\n\n${messages.join("")}`;
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
  const target = path.join(folder, digest.digest("hex").slice(0, 16));
  // A folder with this name holds these bytes already: another process may be running from it.
  if (!existsSync(target))
    placeFolder(
      target,
      files.map(({ path: name, text }) => ({ path: name, contents: text })),
    );
  const libraries = await bundleLibraries(packageRoot, folder);
  removeOldFolders(folder, [target, libraries.folder]);

  /** @type {Manifest} */
  const manifest = {
    packageRoot,
    folder: target,
    libraryFolder: libraries.folder,
    libraries: libraries.files,
    librarySources: libraries.sources.map((file) => ({ path: file, status: settledStatus(file, startedAt) })),
    // How it is compiled is a source of the result too.
    sources: [...modulesOf(result.metafile), ...compilers].map((name) => {
      const absolute = path.resolve(workspace, name);
      return { path: absolute, status: settledStatus(absolute, startedAt) };
    }),
    code: codeDigests(result.metafile, workspace),
    imports: importsOf(result.metafile),
    lines: Object.fromEntries(
      files
        .filter((file) => file.path.endsWith(".cjs"))
        .map((file) => [path.basename(file.path), moduleLines(file, files, workspace)]),
    ),
  };
  const manifestFile = path.join(folder, "manifest.json");
  writeFileSync(`${manifestFile}.${process.pid}.tmp`, JSON.stringify(manifest));
  renameSync(`${manifestFile}.${process.pid}.tmp`, manifestFile);
  return manifest;
}

/** The program and a way to load the Taskfile, in one module, so that both share one engine. */
const entry =
  'export { check, main } from "entry:program";\nexport const loadTaskfile = () => import("entry:taskfile");\n';

/**
 * The package's folder as the workspace names it: by the link that npm made, where there is one, so that what is recorded
 * is the same on every machine.
 * @param {string} workspace
 * @param {string} packageRoot
 */
function packageFolder(workspace, packageRoot) {
  const { name } = JSON.parse(readFileSync(path.join(packageRoot, "package.json"), "utf8"));
  const link = path.join("node_modules", name);
  try {
    if (realpathSync(path.join(workspace, link)) === packageRoot) return link;
  } catch {
    // Not installed there: it is reached by the path to it.
  }
  return path.relative(workspace, packageRoot);
}

/**
 * A status that may be believed next time: one that is younger than the clock's grain could hide a later write.
 * @param {string} file
 * @param {bigint} startedAt Nanoseconds since the epoch.
 */
function settledStatus(file, startedAt) {
  const status = lstatSync(file, { bigint: true });
  const grain = 2_000_000_000n;
  if (status.mtimeNs + grain > startedAt || status.ctimeNs + grain > startedAt) return "";
  return `${status.size}:${status.mtimeNs}:${status.ctimeNs}:${status.ino}`;
}
