// Generates docs/errors.md and the manual page from the program.
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { build } from "esbuild";
import { renderErrors } from "./error-page.mjs";
import { root } from "./setup.mjs";

/** @param {string} name @param {string} text */
function write(name, text) {
  const file = path.join(root, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  process.stdout.write(`wrote ${name}\n`);
}

/** The table of error codes, which is TypeScript. @returns {Promise<typeof import("../src/errors/codes/index.ts")>} */
async function errorTable() {
  const entryPoints = [path.join(root, "src/errors/codes/index.ts")];
  const { outputFiles } = await build({ entryPoints, bundle: true, format: "esm", write: false });
  const [{ text } = { text: "" }] = outputFiles;
  return await import(`data:text/javascript,${encodeURIComponent(text)}`);
}

const program = path.join(root, "bin/task.js");
const { errorAreas } = await errorTable();
write("docs/errors.md", renderErrors(errorAreas));
write("man/razor-mk.1", execFileSync(process.execPath, [program, "manual"], { cwd: root, encoding: "utf8" }));
