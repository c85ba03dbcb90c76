/**
 * Which source a piece of the running, compiled program came from: needed for fingerprints (the digest of a task's
 * code) and for messages (`file:line`). Knows the compiler's manifest, not the tasks.
 */
import { readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { type CodeIndex, digestOfParts, type SourceLocation } from "../engine/index.ts";

/** What `bin/compile.mjs` wrote down, as far as this module needs it. */
export interface Manifest {
  readonly folder: string;
  readonly code: Readonly<Record<string, string>>;
  readonly imports: Readonly<Record<string, readonly string[]>>;
  readonly lines: Readonly<Record<string, readonly (readonly [line: number, module: string])[]>>;
}

export function codeIndexOf(manifest: Manifest, workspace: string): CodeIndex {
  const moduleAt = (location: SourceLocation): string | undefined => {
    const lines = manifest.lines[path.basename(location.module)] ?? [];
    return lines.findLast(([line]) => line <= location.line)?.[1];
  };
  return {
    digestOf: (locations) => {
      // A factory's caller counts too: it decides what the task it makes will do.
      const modules = locations.map(moduleAt).filter((module) => module !== undefined);
      const digests = [...new Set(modules)].map((module) => `${module} ${manifest.code[module] ?? ""}`);
      return digestOfParts(digests.sort());
    },
    modulesOf: (locations) => {
      const reached = new Set(locations.map(moduleAt).filter((module) => module !== undefined));
      // A set grows while it is walked: every module that is reached is followed too.
      for (const module of reached)
        for (const imported of manifest.imports[module] ?? []) reached.add(imported);
      return [...reached];
    },
    locate: (location) => (location === undefined ? "unknown place" : locate(location, workspace)),
  };
}

function locate(location: SourceLocation, workspace: string): string {
  const file = location.module.startsWith("file:") ? fileURLToPath(location.module) : location.module;
  try {
    const map = new SourceMap(JSON.parse(readFileSync(`${file}.map`, "utf8")));
    const entry = map.findEntry(location.line - 1, location.column - 1);
    if ("originalSource" in entry) {
      const source = path.resolve(path.dirname(file), entry.originalSource);
      return `${path.relative(workspace, source)}:${entry.originalLine + 1}`;
    }
  } catch {
    // Without a map the compiled place is still better than none.
  }
  return `${path.relative(workspace, file)}:${location.line}`;
}
