/** Whether the modules that a task's code came from are still what was compiled. */
import { readFileSync } from "node:fs";
import { digestOfBytes } from "./digest.ts";
import { signatureAt } from "./file-table.ts";
import type { AbsolutePath, Digest } from "./names.ts";

/** Shared by the tasks of a build: most of their modules are the same. */
export class CodeCheck {
  /** By absolute path, the status under which a file was seen to hold what was compiled. */
  readonly #right = new Map<AbsolutePath, string>();

  /** Those of the modules, each with the digest of what was compiled, that hold something else now. */
  moved(sources: readonly (readonly [AbsolutePath, Digest])[]): readonly AbsolutePath[] {
    return sources.flatMap(([file, digest]) => {
      const signature = signatureAt(file);
      if (signature !== undefined && this.#right.get(file) === signature) return [];
      if (signature === undefined || digestAt(file) !== digest) return [file];
      this.#right.set(file, signature);
      return [];
    });
  }
}

function digestAt(file: string): Digest | undefined {
  try {
    return digestOfBytes(readFileSync(file));
  } catch {
    return undefined;
  }
}
