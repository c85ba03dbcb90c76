/** Contents that are kept as the list of their parts, and the blobs that they are made of. */
import { existsSync, readFileSync } from "node:fs";
import { type AbsolutePath, type Digest, isDigest } from "../define/names.ts";

/** Maximum nesting of parts: an image holds an initrd that was joined too. A deeper list was not written by a join. */
const deepestParts = 8;
/** Maximum number of blobs of one joined content. */
const mostParts = 65_536;

/** Ends the name of a content that is kept as the list of its parts. */
export const partsSuffix = ".parts";

export class BlobParts {
  readonly #pathOf: (digest: Digest) => AbsolutePath;

  constructor(pathOf: (digest: Digest) => AbsolutePath) {
    this.#pathOf = pathOf;
  }

  /**
   * The blobs of a content, in order; undefined where one is missing, and for lists that no join can have written: with
   * a cycle, or nested so deeply that they expand without bound.
   */
  whole(digest: Digest): readonly Digest[] | undefined {
    const blobs: Digest[] = [];
    const collect = (content: Digest, depth: number): boolean => {
      if (blobs.length >= mostParts) return false;
      if (existsSync(this.#pathOf(content))) {
        blobs.push(content);
        return true;
      }
      if (depth === deepestParts) return false;
      return this.of(content)?.every((part) => collect(part, depth + 1)) ?? false;
    };
    return collect(digest, 0) ? blobs : undefined;
  }

  /** The digests of the parts that a content is kept as; undefined for what is kept whole, or not at all. */
  of(digest: Digest): readonly Digest[] | undefined {
    const list = `${this.#pathOf(digest)}${partsSuffix}`;
    // An error costs more than a look, and nearly nothing is kept in parts.
    if (!existsSync(list)) return undefined;
    let text: string;
    try {
      text = readFileSync(list, "utf8");
    } catch {
      return undefined;
    }
    const lines = text.split("\n").slice(0, -1);
    // A damaged list names nothing; a part is never the whole.
    const parts = lines.filter(isDigest);
    return parts.length === lines.length && !parts.includes(digest) ? parts : undefined;
  }
}
