/**
 * Giving back the memory of what has been received. Buffers lie outside of V8's heap, which therefore sees little
 * reason to collect them: on a quick line tens of megabytes would wait to be freed.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Bytes after which what was used is collected: some milliseconds' work for a gigabyte. */
const step = 2 * 1024 * 1024;

export class Reclaimer {
  #pending = 0;
  #collect: ((options: { readonly type: "minor" }) => void) | undefined;

  /** To be told of bytes that were received and written. */
  received(bytes: number): void {
    this.#pending += bytes;
    if (this.#pending < step) return;
    this.#pending = 0;
    this.#collect ??= openCollector();
    this.#collect({ type: "minor" });
  }
}

/** V8 only offers collecting where it is asked to, and then to contexts that are made afterwards. */
function openCollector(): (options: { readonly type: "minor" }) => void {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  setFlagsFromString("--no-expose-gc");
  // Collected often, young space stays small; V8 would let it grow to some thirty megabytes all the same. It stays so: a large
  // build sets the same flag for itself.
  setFlagsFromString("--semi-space-growth-factor=1");
  return typeof collect === "function" ? (options) => void collect(options) : () => undefined;
}
