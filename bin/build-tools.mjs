// Lists the host programs of a build, from the output of `doctor`.
import path from "node:path";
import { runChild } from "./child.mjs";
import { root } from "./setup.mjs";

/**
 * Names of the programs that a build with these words runs, always or where they are installed. None where the words are
 * wrong or the project is broken: the build itself will say so.
 * @param {readonly string[]} words Target and options.
 * @param {{ readonly all?: boolean }} [how] With `all`, every program that the project knows, for whatever options.
 * @returns {Promise<readonly string[]>}
 */
export async function toolsOfBuild(words, { all = false } = {}) {
  const args = [path.join(root, "bin/task.js"), "doctor", "--json", "--offline", ...words];
  const { output } = await runChild(process.execPath, args, { cwd: root, output: "kept" });
  /** @type {readonly { readonly check: string, readonly tool?: { readonly use: string } }[]} */
  let lines;
  try {
    lines = JSON.parse(output.slice(output.indexOf("[\n"), output.lastIndexOf("\n]") + 2));
  } catch {
    return [];
  }
  return lines.flatMap(({ check, tool }) =>
    tool !== undefined && (all || tool.use !== "unused") ? [check] : [],
  );
}
