// Makes one file of each library that a build loads: dozens of small ones take several times as long to find and to
// read.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { digestOf, readVerified } from "./compiled-record.js";
import { placeDirectory } from "./placement.mjs";
import { SourceReader } from "./source-reader.mjs";

/**
 * What is made one file of: by its name, the modules as they are imported. Modules of one package stand together, for
 * they share their parts.
 * @type {Readonly<Record<string, readonly string[]>>}
 */
const libraries = {
  zx: ["zx/core"],
  yaml: ["yaml"],
  "fast-glob": ["fast-glob"],
  undici: ["undici/lib/dispatcher/client.js", "undici/lib/api/api-request.js", "undici/lib/core/connect.js"],
};

/**
 * @typedef {object} Libraries
 * @property {string} directory Absolute path of the files.
 * @property {Readonly<Record<string, string>>} files For each module that is imported the name of its file, which exports
 *   a function for each module in it, by the same name.
 * @property {Readonly<Record<string, string>>} digests For each file its digest.
 * @property {readonly { path: string, status: string }[]} sources The files that say which libraries these are.
 */

/**
 * What is known of libraries that were made earlier.
 * @typedef {Pick<import("./compile.mjs").Manifest, "libraryDirectory" | "libraryDigests" | "librarySources">} Earlier
 */

/**
 * The libraries of the package at `packageRoot`, made below `cache` unless the earlier ones are whole and still the installed ones;
 * both are absolute paths. What is not installed is left out: Node says so to the module that imports it.
 * @param {string} packageRoot
 * @param {string} cache
 * @param {Earlier} [earlier]
 * @returns {Promise<Libraries>}
 */
export async function bundleLibraries(packageRoot, cache, earlier) {
  const installed = Object.entries(libraries).flatMap(([name, modules]) => {
    const description = findDescription(packageRoot, name);
    return description === undefined ? [] : [{ name, modules, description }];
  });
  // Read before the libraries are: what is installed meanwhile is noticed at the next start.
  const reader = new SourceReader();
  for (const { description } of installed) reader.read(description);
  reader.read(fileURLToPath(import.meta.url));
  const sources = reader.sources.map(({ path, status }) => ({ path, status }));
  const kept = keptFrom(cache, sources, earlier);
  const { directory, digests } = kept ?? (await make(packageRoot, cache, installed));
  return {
    directory,
    files: Object.fromEntries(
      installed.flatMap(({ name, modules }) => modules.map((module) => [module, `${name}.cjs`])),
    ),
    digests,
    sources,
  };
}

/**
 * The earlier libraries, if they may be used.
 * @param {string} cache
 * @param {Libraries["sources"]} sources
 * @param {Earlier | undefined} earlier
 */
function keptFrom(cache, sources, earlier) {
  if (earlier === undefined || path.dirname(earlier.libraryDirectory) !== cache) return undefined;
  const { libraryDirectory: directory, libraryDigests: digests, librarySources } = earlier;
  const same = JSON.stringify(sources) === JSON.stringify(librarySources);
  if (!same || sources.some(({ status }) => status === "")) return undefined;
  const whole = Object.entries(digests).every(([name, digest]) =>
    readVerified(path.join(directory, name), digest),
  );
  return whole ? { directory, digests } : undefined;
}

/**
 * @param {string} packageRoot
 * @param {string} cache
 * @param {readonly { name: string, modules: readonly string[] }[]} installed
 */
async function make(packageRoot, cache, installed) {
  const { build } = await import("esbuild");
  const made = await Promise.all(
    installed.map(({ name, modules }) =>
      build({
        stdin: { contents: entry(modules), resolveDir: packageRoot, sourcefile: `${name}.js` },
        outfile: path.join(cache, "next", `${name}.cjs`),
        bundle: true,
        format: "cjs",
        platform: "node",
        target: "node20",
        legalComments: "inline",
        write: false,
        logLevel: "silent",
      }),
    ),
  );
  const files = made.flatMap(({ outputFiles }) => outputFiles);
  const digests = Object.fromEntries(
    files.map((file) => [path.basename(file.path), digestOf(file.contents)]),
  );
  const all = digestOf(JSON.stringify(digests));
  const directory = path.join(cache, `libraries-${all.slice(0, 16)}`);
  placeDirectory(directory, files);
  return { directory, digests };
}

/** @param {readonly string[]} modules */
function entry(modules) {
  return modules
    .map((name) => JSON.stringify(name))
    .map((name) => `exports[${name}] = () => require(${name});\n`)
    .join("");
}

/**
 * The package.json of a package as the one at `packageRoot` would find it.
 * @param {string} packageRoot
 * @param {string} name
 */
function findDescription(packageRoot, name) {
  const directories = createRequire(path.join(packageRoot, "package.json")).resolve.paths(name) ?? [];
  return directories
    .map((directory) => path.join(directory, name, "package.json"))
    .find((file) => existsSync(file));
}
