/** The files that define the tasks, and which of them have another content than when they were last looked at. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { digestOfBytes } from "../digest.ts";
import type { Digest } from "../names.ts";

export class SourceFiles {
  readonly #known: Map<string, Digest | undefined>;
  /** The folders that hold them, absolute. */
  readonly folders: ReadonlySet<string>;
  /** What they say could not be used: a file that was missing may come into being. */
  #broken = false;

  /** Absolute paths; what stands there now is what is known. */
  constructor(files: readonly string[]) {
    this.#known = new Map(files.map((file) => [file, digestOf(file)]));
    this.folders = new Set(files.map((file) => path.dirname(file)));
  }

  /** Those among the paths that are different, absolute; what they are now is known from here on. */
  changed(paths: ReadonlySet<string>): readonly string[] {
    const changed: string[] = [];
    for (const file of paths.size > this.#known.size ? this.#known.keys() : paths) {
      const known = this.#known.has(file);
      if (!known && !(this.#broken && this.folders.has(path.dirname(file)))) continue;
      const now = digestOf(file);
      if (this.#known.get(file) === now) continue;
      this.#known.set(file, now);
      changed.push(file);
    }
    return changed;
  }

  /** They were read as they are, and something was wrong. */
  markBroken(): void {
    this.#broken = true;
  }
}

function digestOf(file: string): Digest | undefined {
  try {
    return digestOfBytes(readFileSync(file));
  } catch {
    return undefined;
  }
}
