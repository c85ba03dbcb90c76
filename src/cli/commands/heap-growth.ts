/**
 * How far the heap may grow before V8 looks what of it is still of use: by default to several times of that, which
 * with a hundred thousand files is as much memory again as they need.
 */
import { getHeapStatistics, setFlagsFromString } from "node:v8";

/** Bytes: a heap that is smaller may grow as it likes. */
const large = 32 * 1024 * 1024;

/** Looking at the heap costs a little: it is done once in so many events. */
const everySo = 8;

export class HeapGrowth {
  #events = 0;
  #limited = false;

  /** To be called now and then while a build goes on. */
  look(): void {
    if (this.#limited || this.#events++ % everySo !== 0 || getHeapStatistics().total_heap_size < large)
      return;
    // Read each time that V8 decides when to collect next, so that they may be set while it runs.
    setFlagsFromString("--heap-growing-percent=50");
    setFlagsFromString("--semi-space-growth-factor=1");
    this.#limited = true;
  }
}
