/**
 * Giving back the memory of what has been received. Buffers lie outside of V8's heap, which therefore sees little
 * reason to collect them: on a quick line tens of megabytes would wait to be freed.
 */
import { openMinorCollector } from "../../host/index.ts";

/** Bytes after which what was used is collected: some milliseconds' work for a gigabyte. */
const step = 2 * 1024 * 1024;

export class Reclaimer {
  #pending = 0;
  #collect: (() => void) | undefined;

  /** To be told of bytes that were received and written. */
  received(bytes: number): void {
    this.#pending += bytes;
    if (this.#pending < step) return;
    this.#pending = 0;
    this.#collect ??= openMinorCollector();
    this.#collect();
  }
}
