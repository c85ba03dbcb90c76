/** Libraries are loaded from one file each, and always the ones that are installed. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, expect, it } from "vitest";
import { bundleLibraries } from "../../bin/libraries.mjs";

const checkout = path.resolve(import.meta.dirname, "../..");
const roots: string[] = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true });
});

/** A package with a library of two files in this version. */
function packageWith(version: string, root = mkdtempSync(path.join(tmpdir(), "libraries "))): string {
  roots.push(root);
  const directory = path.join(root, "node_modules/yaml");
  mkdirSync(directory, { recursive: true });
  const description = { name: "yaml", version, main: "index.js" };
  writeFileSync(path.join(directory, "package.json"), JSON.stringify(description));
  writeFileSync(path.join(directory, "index.js"), `exports.parse = () => require("./part.js");\n`);
  writeFileSync(path.join(directory, "part.js"), `module.exports = ${JSON.stringify(version)};\n`);
  return root;
}

async function load(root: string): Promise<unknown> {
  const { directory, files } = await bundleLibraries(root, path.join(root, "cache"));
  const file = path.join(directory, files.yaml ?? "none");
  return createRequire(import.meta.url)(file)
    .yaml()
    .parse();
}

it("a library is one file, and another version of it another one", async () => {
  const root = packageWith("1.0.0");
  expect(await load(root)).toBe("1.0.0");
  packageWith("2.0.0", root);
  expect(await load(root)).toBe("2.0.0");
  expect(readdirSync(path.join(root, "cache")).sort()).toEqual([
    expect.stringMatching(/^libraries-[0-9a-f]{16}$/),
    expect.stringMatching(/^libraries-[0-9a-f]{16}$/),
  ]);
});

it("a library that is not installed is left out, and the others work", async () => {
  const root = packageWith("1.0.0");
  const { files, sources } = await bundleLibraries(root, path.join(root, "cache"));
  expect(files).toEqual({ yaml: "yaml.cjs" });
  expect(sources.map((source) => source.path)).toEqual([
    path.join(root, "node_modules/yaml/package.json"),
    path.join(checkout, "bin/libraries.mjs"),
  ]);
});

it("all of them give what their imports give", async () => {
  const cache = mkdtempSync(path.join(tmpdir(), "libraries "));
  roots.push(cache);
  const { directory, files } = await bundleLibraries(checkout, cache);
  expect(Object.keys(files).length).toBeGreaterThanOrEqual(5);
  // In a process of its own, which sees the files and nothing of this one's modules.
  const program = `
    const path = require("node:path");
    (async () => {
      for (const [name, file] of Object.entries(${JSON.stringify(files)})) {
        const made = require(path.join(${JSON.stringify(directory)}, file))[name]();
        const own = await import(name);
        const names = Object.keys(own).filter((key) => key !== "default" && key !== "module.exports");
        const missing = names.filter((key) => typeof made[key] !== typeof own[key]);
        console.log(name, names.length > 0 || typeof made === typeof own.default, missing.join());
      }
    })();`;
  const said = execFileSync(process.execPath, ["-e", program], { cwd: checkout, encoding: "utf8" });
  expect(said).toBe(
    Object.keys(files)
      .map((name) => `${name} true \n`)
      .join(""),
  );
});
