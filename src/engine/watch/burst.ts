/**
 * Many events become one change: a save is several of them, a checkout thousands. A burst is over when nothing has
 * happened for a while, and the while is longer where an editor seems to be half-way.
 */
import { lstatSync } from "node:fs";

/** What happened since the last burst. */
export interface Burst {
  /** Absolute paths. */
  readonly paths: ReadonlySet<string>;
  /** When the first event came, in milliseconds as `performance.now` counts. */
  readonly startedAt: number;
  /** A name may have come or gone, of a directory for instance. */
  readonly entries: boolean;
  /** So much happened that events may have been lost: anything may be different. */
  readonly flood: boolean;
}

/** Milliseconds without an event that end a burst. */
const quiet = { usual: 8, halfWay: 60, many: 150 };
/** From here on it is no longer a person who saves files. */
const manyPaths = 30;
const floodPaths = 200;
/** A program that writes without end does not delay the build without end. */
const longest = 3000;

export class BurstCollector {
  readonly #wasThere: (file: string) => boolean;
  #paths = new Set<string>();
  #startedAt = 0;
  #lastAt = 0;
  #entries = false;
  #wake: (() => void) | undefined;

  /** `wasThere` tells whether something stood at a path when it was last looked at. */
  constructor(wasThere: (file: string) => boolean) {
    this.#wasThere = wasThere;
  }

  add(file: string, entries: boolean): void {
    const now = performance.now();
    if (this.#paths.size === 0) this.#startedAt = now;
    this.#lastAt = now;
    this.#paths.add(file);
    this.#entries ||= entries;
    this.#wake?.();
  }

  /** Takes back what could not be dealt with: it is part of the next burst. */
  putBack(burst: Burst): void {
    const later = this.#paths;
    this.#startedAt = burst.startedAt;
    this.#lastAt = Math.max(this.#lastAt, burst.startedAt);
    this.#paths = new Set([...burst.paths, ...later]);
    this.#entries ||= burst.entries;
    this.#wake?.();
  }

  /** The next burst, once it is over; undefined when the signal fires first, and then nothing is lost. */
  async next(signal: AbortSignal): Promise<Burst | undefined> {
    for (;;) {
      if (signal.aborted) return undefined;
      const left = this.#left();
      if (left <= 0) return this.#take();
      await this.#pause(left, signal);
    }
  }

  /** Milliseconds until the burst is over, if nothing more happens. */
  #left(): number {
    if (this.#paths.size === 0) return Number.POSITIVE_INFINITY;
    const now = performance.now();
    const since = now - this.#lastAt;
    if (since < quiet.usual) return quiet.usual - since;
    if (now - this.#startedAt > longest) return 0;
    if (this.#paths.size > manyPaths) return quiet.many - since;
    return [...this.#paths].some((file) => this.#isHalfWay(file)) ? quiet.halfWay - since : 0;
  }

  /** Gone for a moment, new for a moment, or empty for a moment: that is how a file looks while an editor writes it. */
  #isHalfWay(file: string): boolean {
    try {
      const status = lstatSync(file);
      if (status.isDirectory()) return false;
      return !this.#wasThere(file) || (status.isFile() && status.size === 0);
    } catch {
      return this.#wasThere(file);
    }
  }

  #take(): Burst {
    const burst: Burst = {
      paths: this.#paths,
      startedAt: this.#startedAt,
      entries: this.#entries,
      flood: this.#paths.size > floodPaths,
    };
    this.#paths = new Set();
    this.#entries = false;
    return burst;
  }

  /** Until the time is over, an event comes or the signal fires. */
  #pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === Number.POSITIVE_INFINITY ? undefined : setTimeout(() => done(), Math.ceil(ms));
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        this.#wake = undefined;
        resolve();
      };
      signal.addEventListener("abort", done, { once: true });
      this.#wake = done;
    });
  }
}
