// The modules that a compiled program is made of, as esbuild tells them: what each contains, imports, and became which
// lines of.
import { createHash } from "node:crypto";
import { SourceMap } from "node:module";
import path from "node:path";

/** @typedef {{ readonly path: string, readonly text: string }} CompiledFile */

/**
 * The files that were compiled; the entry is made up here and is none.
 * @param {import("esbuild").Metafile} metafile
 */
export function modulesOf(metafile) {
  return Object.keys(metafile.inputs).filter((name) => name !== "entry.js");
}

/**
 * @param {import("esbuild").Metafile} metafile
 * @param {(name: string) => string} digestOf The digest of a module by itself, as it was compiled.
 */
export function codeDigests(metafile, digestOf) {
  const own = new Map(modulesOf(metafile).map((name) => [name, digestOf(name)]));
  /** @type {Record<string, string>} */
  const digests = {};
  for (const name of own.keys()) {
    const reached = [...reach(name, metafile)].sort();
    const parts = reached.map((module) => `${module}\0${own.get(module)}\n`);
    digests[name] = createHash("sha256").update(parts.join("")).digest("hex");
  }
  return digests;
}

/** @param {import("esbuild").Metafile} metafile */
export function importsOf(metafile) {
  return Object.fromEntries(
    modulesOf(metafile).map((name) => {
      const imports = metafile.inputs[name]?.imports ?? [];
      return [name, imports.filter(({ external }) => external !== true).map((imported) => imported.path)];
    }),
  );
}

/**
 * @param {string} start
 * @param {import("esbuild").Metafile} metafile
 */
function reach(start, metafile) {
  const reached = new Set([start]);
  for (const name of reached) {
    for (const { path: imported, external } of metafile.inputs[name]?.imports ?? []) {
      if (external !== true) reached.add(imported);
    }
  }
  return reached;
}

/**
 * @param {CompiledFile} file
 * @param {readonly CompiledFile[]} all
 * @param {string} workspace
 */
export function moduleLines(file, all, workspace) {
  const text = all.find((other) => other.path === `${file.path}.map`)?.text;
  if (text === undefined) return [];
  const payload = JSON.parse(text);
  const map = new SourceMap(payload);
  const lines = file.text.split("\n");
  /** @type {[number, string][]} */
  const changes = [];
  for (let line = 0; line < lines.length; line += 1) {
    const entry = map.findEntry(line, (lines[line] ?? "").search(/\S/));
    if (!("originalSource" in entry) || entry.originalSource === undefined) continue;
    const source = path.resolve(path.dirname(file.path), entry.originalSource);
    const module = path.relative(workspace, source);
    if (changes.at(-1)?.[1] !== module) changes.push([line + 1, module]);
  }
  return changes;
}
