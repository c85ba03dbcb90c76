/**
 * Which source a piece of the running, compiled program came from: needed for fingerprints (the digest of a task's
 * code) and for messages (`file:line`). Knows the compiler's manifest, not the tasks.
 */

import { readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import {
  type AbsolutePath,
  absolutePath,
  type CodeIndex,
  type Digest,
  digestOfParts,
  isDigest,
  type SourceFile,
  type SourceLocation,
} from "../../engine/index.ts";

/** What `bin/compile.mjs` wrote down, as far as this module needs it. */
export interface Manifest {
  /** Absolute path of the directory that the program is in. */
  readonly packageRoot: string;
  readonly directory: string;
  readonly sources: readonly SourceFile[];
  readonly code: Readonly<Record<string, string>>;
  readonly imports: Readonly<Record<string, readonly string[]>>;
  readonly lines: Readonly<Record<string, readonly (readonly [line: number, module: string])[]>>;
}

export function codeIndexOf(manifest: Manifest, workspace: string): CodeIndex {
  /** By file and line: a loop may define thousands of tasks at one place. */
  const modules = new Map<string, string | undefined>();
  const moduleAt = ({ module: file, line }: SourceLocation): string | undefined => {
    const place = `${file}:${line}`;
    if (modules.has(place)) return modules.get(place);
    const lines = manifest.lines[path.basename(file)] ?? [];
    const module = lines.findLast(([first]) => first <= line)?.[1];
    modules.set(place, module);
    return module;
  };
  /**
   * The modules between the definition and the level of a module: a factory's caller counts too, since it decides what
   * the task that it makes will do. A module that imports that one does not. esbuild wraps a module into a function of its
   * name.
   */
  const defining = (locations: readonly SourceLocation[]): readonly string[] => {
    const modules = new Set<string>();
    for (const location of locations) {
      const module = moduleAt(location);
      if (module !== undefined) modules.add(module);
      if (location.function === undefined || location.function === module) break;
    }
    return [...modules].sort();
  };
  const reach = (locations: readonly SourceLocation[]): readonly string[] => {
    const reached = new Set(defining(locations));
    // A set grows while it is walked: every module that is reached is followed too.
    for (const module of reached)
      for (const imported of manifest.imports[module] ?? []) reached.add(imported);
    return [...reached];
  };
  // What was looked for and is no source has no digest.
  const compiled = new Map(
    manifest.sources.flatMap(({ path: file, digest }) => (isDigest(digest) ? [[file, digest] as const] : [])),
  );
  /** Digests by list of modules: hundreds of tasks may be defined in one module. */
  const digests = new Map<string, Digest>();
  const digestOf = (modules: readonly string[]): Digest => {
    const key = modules.join("\n");
    const known = digests.get(key);
    if (known !== undefined) return known;
    const digest = digestOfParts(modules.map((module) => `${module} ${manifest.code[module] ?? ""}`));
    digests.set(key, digest);
    return digest;
  };
  /** By the modules too: the same list each time, so that callers that look at the files can tell that it is unchanged. */
  const sourceLists = new Map<string, readonly (readonly [AbsolutePath, Digest])[]>();
  const sourcesOf: CodeIndex["sourcesOf"] = (locations) => {
    const key = defining(locations).join("\n");
    const known = sourceLists.get(key);
    if (known !== undefined) return known;
    const sources = reach(locations).flatMap((module): readonly (readonly [AbsolutePath, Digest])[] => {
      const file = absolutePath(path.resolve(workspace, module));
      const digest = compiled.get(file);
      return digest === undefined ? [] : [[file, digest]];
    });
    sourceLists.set(key, sources);
    return sources;
  };
  return {
    digestOf: (locations) => digestOf(defining(locations)),
    modulesOf: reach,
    sourcesOf,
    sources: manifest.sources.map((source) => source.path),
    // Beside the program are its libraries.
    program: path.dirname(manifest.directory),
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
