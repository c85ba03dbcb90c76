/** Detects downloads that make progress, but too slowly. */
import { TransientFailure } from "./retry.ts";

interface RateLimits {
  /** Minimum rate in bytes a second, on average over `rateMs`; 0 for none. */
  readonly leastRate: number;
  /** Milliseconds. */
  readonly rateMs: number;
}

export interface SlowDownload {
  /** Bytes a second. */
  readonly rate: number;
  readonly leastRate: number;
  readonly seconds: number;
}

/** Measures the body of one response; a server that sends nothing at all runs into the idle timeout instead. */
export class RateWatch {
  readonly #limits: RateLimits;
  readonly #now: () => number;
  readonly #onSlow: (slow: SlowDownload) => void;
  #since: number;
  #bytes = 0;
  #isTold = false;

  /** `now` is in milliseconds; `onSlow` is called once, half way to giving up. */
  constructor(limits: RateLimits, now: () => number, onSlow: (slow: SlowDownload) => void) {
    this.#limits = limits;
    this.#now = now;
    this.#onSlow = onSlow;
    this.#since = now();
  }

  /** Adds received bytes. Throws a TransientFailure when the average rate is too low: another connection may be faster. */
  received(bytes: number): void {
    this.#bytes += bytes;
    const { leastRate, rateMs } = this.#limits;
    const elapsed = this.#now() - this.#since;
    if (leastRate === 0 || elapsed < rateMs / 2) return;
    const rate = (this.#bytes * 1000) / elapsed;
    const slow = { rate: Math.round(rate), leastRate, seconds: Math.round(rateMs / 1000) };
    if (elapsed < rateMs) {
      if (rate < leastRate && !this.#isTold) this.#onSlow(slow);
      this.#isTold ||= rate < leastRate;
      return;
    }
    if (rate < leastRate) {
      throw new TransientFailure(
        `the rate was only ${slow.rate} bytes per second over ${slow.seconds} s, below the minimum of ${leastRate}`,
        { code: "too-slow" },
      );
    }
    this.#since = this.#now();
    this.#bytes = 0;
  }
}
