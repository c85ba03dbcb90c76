/**
 * Where in the sources an error came up that nobody expected: its stack is the compiled program's. It knows the compiler's maps,
 * and nothing of what the code does.
 */
import { readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import path from "node:path";
import type { Manifest } from "./code-index.ts";

interface SourcePlace {
  /** `tasks/overlay.ts:12`, relative to the workspace. */
  readonly where: string;
  /** It is the program's own code, and not the project's. */
  readonly isOurs: boolean;
}

export class SourceStack {
  readonly #manifest: Pick<Manifest, "directory" | "packageRoot">;
  readonly #workspace: string;
  /** By compiled file; undefined where there is no map. */
  readonly #maps = new Map<string, SourceMap | undefined>();

  /** `workspace`: absolute path. */
  constructor(manifest: Pick<Manifest, "directory" | "packageRoot">, workspace: string) {
    this.#manifest = manifest;
    this.#workspace = workspace;
  }

  /** The innermost place of the sources; undefined where the stack has none. */
  placeOf(error: Error): SourcePlace | undefined {
    for (const line of (error.stack ?? "").split("\n")) {
      const found = this.#find(line);
      if (found === undefined) continue;
      const library = path.join(this.#manifest.packageRoot, "src") + path.sep;
      return { where: this.#shown(found), isOurs: found.source.startsWith(library) };
    }
    return undefined;
  }

  /** The stack with places of the sources instead of those of the compiled program. */
  textOf(error: Error): string {
    const lines = (error.stack ?? error.message).split("\n");
    return lines
      .map((line) => {
        const found = this.#find(line);
        return found === undefined ? line : line.replace(found.compiled, this.#shown(found));
      })
      .join("\n");
  }

  #shown({ source, line }: { readonly source: string; readonly line: number }): string {
    return `${path.relative(this.#workspace, source)}:${line}`;
  }

  /** What a line of a stack, `at run (/directory/program.cjs:12:34)`, means. */
  #find(text: string) {
    const start = text.indexOf(`${this.#manifest.directory}${path.sep}`);
    const [, name = "", line = "1", column = "1"] =
      /^([^/:]+):(\d+):(\d+)/.exec(text.slice(start + this.#manifest.directory.length + 1)) ?? [];
    if (start === -1 || name === "") return undefined;
    const entry = this.#mapOf(name)?.findEntry(Number(line) - 1, Number(column) - 1);
    if (entry === undefined || !("originalSource" in entry)) return undefined;
    return {
      compiled: `${path.join(this.#manifest.directory, name)}:${line}:${column}`,
      source: path.resolve(this.#manifest.directory, entry.originalSource),
      line: entry.originalLine + 1,
    };
  }

  #mapOf(name: string): SourceMap | undefined {
    if (!this.#maps.has(name))
      this.#maps.set(name, readMap(path.join(this.#manifest.directory, `${name}.map`)));
    return this.#maps.get(name);
  }
}

function readMap(file: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    // The compiled places are still better than none.
    return undefined;
  }
}
