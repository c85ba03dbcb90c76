/** Checks whether source modules still have the content that was compiled. */
import { readFileSync } from "node:fs";
import type { AbsolutePath, Digest } from "../define/names.ts";
import { digestOfBytes } from "../files/digest.ts";
import { signatureAt } from "../files/stat-cache.ts";

/** Milliseconds for which modules that were right are not looked at again: many short tasks come from the same ones. */
const recent = 20;

/** Shared by the tasks of a build: most of their modules are the same. */
export class CodeCheck {
  /** When each list of modules was last found unchanged; a monotonic time in milliseconds. */
  readonly #checked = new WeakMap<object, number>();
  /** By absolute path, the file status with which the compiled content was last seen. */
  readonly #right = new Map<AbsolutePath, string>();

  /**
   * The modules whose content is no longer what was compiled; each is given with the digest of its compiled content. A change within
   * the last `recent` milliseconds may be missed: a result is recorded under the digest of what was compiled, so it stays true, and
   * the next start compiles the new content.
   */
  moved(sources: readonly (readonly [AbsolutePath, Digest])[]): readonly AbsolutePath[] {
    const now = performance.now();
    if (now - (this.#checked.get(sources) ?? Number.NEGATIVE_INFINITY) < recent) return [];
    const moved = this.#movedNow(sources);
    if (moved.length === 0) this.#checked.set(sources, now);
    return moved;
  }

  #movedNow(sources: readonly (readonly [AbsolutePath, Digest])[]): readonly AbsolutePath[] {
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
