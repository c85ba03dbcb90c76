/** How fast something has grown over the last seconds. */

interface Sample {
  /** Seconds of any clock that does not go back. */
  readonly at: number;
  readonly done: number;
}

/** Seconds that are looked back: long enough not to jump, short enough to follow a line that has become slower. */
const window = 5;
/** Seconds without which there is no rate yet. */
const least = 0.5;

export class RateMeter {
  #samples: readonly Sample[] = [];

  /** Takes in how much there is at a time. */
  add(at: number, done: number): void {
    // What is begun anew is measured anew.
    const before = done < (this.#samples.at(-1)?.done ?? 0) ? [] : this.#samples;
    const recent = before.findIndex((sample) => sample.at > at - window);
    // The last sample of before the window is where it begins.
    this.#samples = [...before.slice(Math.max(0, recent - 1)), { at, done }];
  }

  /** Units a second over the last seconds; undefined while nothing grows, or where it is not yet known. */
  get rate(): number | undefined {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last === undefined || last.at - first.at < least) return undefined;
    return last.done > first.done ? (last.done - first.done) / (last.at - first.at) : undefined;
  }
}
