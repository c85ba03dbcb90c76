/** The settings of V8 that save memory, all of which are set here: they hold for the whole process. */
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Bytes of a heap that may grow as V8 likes. */
const smallHeap = 32 * 1024 * 1024;

/** Looking at the heap costs a little, so it is done once in so many calls. */
const callsPerLook = 8;

/**
 * How far the heap may grow before V8 collects garbage: by default to several times of what is in use, which with a hundred
 * thousand files is as much memory again as they need.
 */
export class HeapGrowth {
  #calls = 0;
  #isLimited = false;

  /** Limits the growth once the heap is large. To be called now and then while a build runs. */
  look(): void {
    if (this.#isLimited || this.#calls++ % callsPerLook !== 0) return;
    if (getHeapStatistics().total_heap_size < smallHeap) return;
    // V8 reads it each time it decides when to collect next, so it may be set while V8 runs.
    setFlagsFromString("--heap-growing-percent=50");
    keepYoungSpaceSmall();
    this.#isLimited = true;
  }
}

/** Returns the collection of young objects, for who knows of memory outside of the heap that they hold. */
export function openMinorCollector(): () => void {
  // V8 offers collection only to contexts made while this flag is set.
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  setFlagsFromString("--no-expose-gc");
  keepYoungSpaceSmall();
  return typeof collect === "function" ? () => void collect({ type: "minor" }) : () => undefined;
}

/** Collected often, young space need not grow; V8 would let it grow to some thirty megabytes. */
function keepYoungSpaceSmall(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
}
