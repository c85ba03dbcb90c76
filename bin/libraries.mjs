// Makes one file of each library that a build loads: dozens of small ones take several times as long to find and to read.
// It knows nothing of what the libraries are for.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { placeFolder } from "./placement.mjs";

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
 * @property {string} folder Absolute path of the files.
 * @property {Readonly<Record<string, string>>} files For each module that is imported the name of its file, which exports
 *   a function for each module in it, by the same name.
 * @property {readonly string[]} sources Absolute paths of the files that say which libraries these are.
 */

/**
 * The libraries of the package at `packageRoot`, made below `cache` unless they are there; both are absolute paths.
 * What is not installed is left out: who imports it is told so by Node.
 * @param {string} packageRoot
 * @param {string} cache
 * @returns {Promise<Libraries>}
 */
export async function bundleLibraries(packageRoot, cache) {
  const { build, version } = await import("esbuild");
  const installed = Object.entries(libraries).flatMap(([name, modules]) => {
    const description = findDescription(packageRoot, name);
    return description === undefined ? [] : [{ name, modules, description }];
  });
  const digest = createHash("sha256").update(`${version}\n${readFileSync(new URL(import.meta.url))}`);
  for (const { description } of installed) digest.update(readFileSync(description));
  const folder = path.join(cache, `libraries-${digest.digest("hex").slice(0, 16)}`);
  if (!existsSync(folder)) {
    const made = await Promise.all(
      installed.map(({ name, modules }) =>
        build({
          stdin: { contents: entry(modules), resolveDir: packageRoot, sourcefile: `${name}.js` },
          outfile: path.join(folder, `${name}.cjs`),
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
    placeFolder(
      folder,
      made.flatMap(({ outputFiles }) => outputFiles),
    );
  }
  return {
    folder,
    files: Object.fromEntries(
      installed.flatMap(({ name, modules }) => modules.map((module) => [module, `${name}.cjs`])),
    ),
    sources: installed.map(({ description }) => description),
  };
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
  const folders = createRequire(path.join(packageRoot, "package.json")).resolve.paths(name) ?? [];
  return folders.map((folder) => path.join(folder, name, "package.json")).find((file) => existsSync(file));
}
