/** Checks whether source modules still have the content that was compiled. */
import { readFileSync } from "node:fs";
import { digestOfBytes } from "./digest.ts";
import { signatureAt } from "./file-table.ts";
import type { AbsolutePath, Digest } from "./names.ts";

/** Shared by the tasks of a build: most of their modules are the same. */
export class CodeCheck {
  /** By absolute path, the file status with which the compiled content was last seen. */
  readonly #right = new Map<AbsolutePath, string>();

  /** The modules whose content is no longer what was compiled; each is given with the digest of its compiled content. */
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
