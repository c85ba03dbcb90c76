// The tests nearest to a change: those that changed, those named after a changed module or its directory, then those that use a
// name which a changed module exports. It reads files and runs nothing.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/**
 * @param {string} root Absolute path of the checkout.
 * @param {readonly string[]} changed Paths relative to it; those that are gone count by their names.
 * @returns {readonly string[]} Test files relative to the checkout, the nearest first.
 */
export function nearestTests(root, changed) {
  const modules = changed.filter((name) => /\.(ts|js|mjs)$/.test(name));
  const names = new Set(modules.flatMap(namesOf));
  const exported = modules.flatMap((name) => exportsOf(path.join(root, name)));
  const use = exported.length === 0 ? undefined : new RegExp(`\\b(${exported.join("|")})\\b`);
  const tests = readdirSync(path.join(root, "test"), { recursive: true, encoding: "utf8" })
    .map((name) => path.join("test", name))
    .filter((name) => name.endsWith(".test.ts"))
    .sort();
  const own = tests.filter((name) => modules.includes(name) || names.has(path.basename(name, ".test.ts")));
  const users = tests.filter((name) => use?.test(readFileSync(path.join(root, name), "utf8")) === true);
  return [...new Set([...own, ...users])];
}

/**
 * `init` and `dependency` of `src/cli/init/dependency.ts`: a test of either name is about it. A directory of several rooms does
 * not count: tests of `cli` are about all of it.
 * @param {string} name
 */
function namesOf(name) {
  const own = path.basename(name).replace(/\.(test\.)?\w+$/, "");
  const directories = path.dirname(name).split("/");
  const room = directories.length > 2 ? [directories.at(-1) ?? ""] : [];
  return own === "index" ? room : [own, ...room];
}

/**
 * The functions, classes and constants that a module itself exports, neither types nor what an index passes on. A name of
 * one word says too little: `overlay` is in many texts.
 * @param {string} file
 */
function exportsOf(file) {
  if (!existsSync(file)) return [];
  const found = readFileSync(file, "utf8").matchAll(
    /^export (?:async )?(?:function\*?|class|const) ([A-Za-z]*[a-z][A-Z]\w*)/gm,
  );
  return [...found].map(([, name = ""]) => name);
}
