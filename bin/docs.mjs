// Writes the documents that are made from the program itself: the manual page, and the catalogue of errors.
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { collectErrors } from "./error-catalogue.mjs";
import { renderErrors } from "./error-page.mjs";
import { root } from "./setup.mjs";

/** @param {string} name @param {string} text */
function write(name, text) {
  const file = path.join(root, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  process.stdout.write(`wrote ${name}\n`);
}

const program = path.join(root, "bin/task.js");
write("man/razor-mk.1", execFileSync(process.execPath, [program, "manual"], { cwd: root, encoding: "utf8" }));
write("docs/errors.md", renderErrors(collectErrors(root)));
