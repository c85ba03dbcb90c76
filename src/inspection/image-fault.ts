/** One thing that would go wrong on the booted machine. */
export interface ImageFault {
  /** `error`: it fails at boot, or whenever it is used; `warning`: it probably does. */
  readonly severity: "error" | "warning";
  /** One clause without a full stop. */
  readonly message: string;
  /** What to do about it. */
  readonly hint: string;
  /** Paths of the image that it concerns, in byte order. */
  readonly paths: readonly string[];
}

/** Values by the key that several paths share, keys and paths in byte order. */
export class PathsByKey {
  readonly #paths = new Map<string, string[]>();

  add(key: string, path: string): void {
    const paths = this.#paths.get(key);
    if (paths === undefined) this.#paths.set(key, [path]);
    else paths.push(path);
  }

  *[Symbol.iterator](): IterableIterator<readonly [key: string, paths: readonly string[]]> {
    const keys = [...this.#paths.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    for (const key of keys) yield [key, this.#paths.get(key) ?? []];
  }
}
