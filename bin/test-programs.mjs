// The host programs that test files declare with `usesPrograms`, in themselves or in modules that they import.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";

/**
 * @param {string} directory Absolute path of the tests.
 * @returns {ReadonlyMap<string, readonly string[]>} Sorted names of programs, by the test file's absolute path.
 */
export function programsOfTests(directory) {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".test.ts"))
    .map((entry) => path.join(entry.parentPath, entry.name));
  return new Map(files.sort().map((file) => [file, [...programsOf(file, directory)].sort()]));
}

/**
 * The programs that a module and what it imports of the tests declare.
 * @param {string} file Absolute path.
 * @param {string} directory Absolute path of the tests.
 * @returns {ReadonlySet<string>}
 */
export function programsOf(file, directory) {
  const modules = new Set([file]);
  /** @type {Set<string>} */
  const programs = new Set();
  for (const module of modules) {
    const text = readFileSync(module, "utf8");
    for (const [, names = ""] of text.matchAll(/^usesPrograms\(([^)]*)\)/gm))
      for (const [, name = ""] of names.matchAll(/"([^"]+)"/g)) programs.add(name);
    for (const [, name = ""] of text.matchAll(/^(?:import|export)\b[^;]*?from "(\.[^"]+\.ts)"/gm)) {
      const imported = path.resolve(path.dirname(module), name);
      // Tests write modules, too, whose imports are found elsewhere.
      if (imported.startsWith(`${directory}/`) && existsSync(imported)) modules.add(imported);
    }
  }
  return programs;
}

/**
 * The test files that cannot run without some programs.
 * @param {ReadonlyMap<string, readonly string[]>} programs What `programsOfTests` returned.
 * @param {readonly string[]} missing Names of programs that are not installed.
 * @param {string} checkout Absolute path.
 * @returns {readonly import("./test-run.mjs").Skipped[]}
 */
export function testsWithout(programs, missing, checkout) {
  const calls = [...programs].map(([file, names]) => ({
    file: path.relative(checkout, file),
    programs: names.filter((name) => missing.includes(name)),
  }));
  return calls.filter((call) => call.programs.length > 0);
}
