/** The files that define the tasks, and which of them changed since they were compiled. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { digestOfBytes } from "../files/digest.ts";

/** A file that defines tasks, as it was when it was compiled. */
export interface SourceFile {
  /** Absolute. */
  readonly path: string;
  /** sha256 of the bytes that were compiled; empty for a path where a new file would count. */
  readonly digest: string;
}

export class SourceFiles {
  readonly #known: Map<string, string>;
  constructor(files: readonly SourceFile[]) {
    const present = files.filter(({ digest }) => digest !== "");
    this.#known = new Map(present.map((file) => [file.path, file.digest]));
  }

  /** Absolute paths of the existing directories that hold them. */
  directories(): ReadonlySet<string> {
    return new Set(
      [...new Set([...this.#known.keys()].map((file) => path.dirname(file)))].filter(existsSync),
    );
  }

  /** Those among the paths that are different, absolute; what they are now is known from here on. */
  changed(paths: ReadonlySet<string>): readonly string[] {
    const changed: string[] = [];
    for (const file of paths.size >= this.#known.size ? this.#known.keys() : paths) {
      const known = this.#known.get(file);
      if (known === undefined) continue;
      const now = digestOf(file);
      if (known === now) continue;
      this.#known.set(file, now);
      changed.push(file);
    }
    return changed;
  }

  /** Absolute paths that were looked for and do not exist. */
  absent(): readonly string[] {
    return [...this.#known].flatMap(([file, digest]) => (digest === "" ? [file] : []));
  }

  /** Absolute paths of files that differ now from what was compiled. */
  stale(): readonly string[] {
    return [...this.#known].flatMap(([file, digest]) => (digestOf(file) === digest ? [] : [file]));
  }

  /** These files define the tasks too. A file that was not there may come into being, wherever it is looked for. */
  add(files: readonly SourceFile[]): void {
    for (const { path: file, digest } of files) this.#known.set(file, digest);
  }
}

/** sha256 of a file; empty where it cannot be read. */
function digestOf(file: string): string {
  try {
    return digestOfBytes(readFileSync(file));
  } catch {
    return "";
  }
}
