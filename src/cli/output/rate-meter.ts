/** Measures a rate over a sliding window. */

interface Sample {
  /** Seconds of any clock that does not go back. */
  readonly at: number;
  readonly done: number;
}

/** Length of the window in seconds: long enough not to jump, short enough to follow a connection that became slower. */
const window = 5;
/** Minimum of seconds between the first and the last sample. */
const least = 0.5;

export class RateMeter {
  #samples: readonly Sample[] = [];

  /** Adds a sample: the amount `done` at the time `at`. */
  add(at: number, done: number): void {
    // A smaller amount means a restart, which clears the samples.
    const before = done < (this.#samples.at(-1)?.done ?? 0) ? [] : this.#samples;
    const recent = before.findIndex((sample) => sample.at > at - window);
    // The last sample before the window is kept as its start.
    this.#samples = [...before.slice(Math.max(0, recent - 1)), { at, done }];
  }

  /** Units a second over the last seconds; undefined while nothing grows, or where it is not yet known. */
  get rate(): number | undefined {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last === undefined || last.at - first.at < least) return undefined;
    return last.done > first.done ? (last.done - first.done) / (last.at - first.at) : undefined;
  }
}
