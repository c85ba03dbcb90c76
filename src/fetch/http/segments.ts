/**
 * Fetching the end of a large file on other connections while its beginning streams in. It does not know how a
 * part is requested, nor when a connection is free.
 *
 * Approach: the main stream runs from the front; helpers claim parts from the back, one at a time, whenever
 * nothing else wants a connection, smaller ones as less is left so that all end together. Where the two meet the main
 * stream stops, and the parts, which are on disk by then, are hashed in order. A part that fails costs nothing: what follows is asked for again from there.
 */
import type { FileSink } from "./sink.ts";

export interface Part {
  /** Positions of the first byte and of the one behind the last. */
  readonly start: number;
  readonly end: number;
}

interface SegmentsOptions {
  readonly sink: FileSink;
  /** Bytes of the whole file, and of the smallest part. */
  readonly total: number;
  readonly partBytes: number;
  /** How many helpers wait for a connection at once. */
  readonly helpers: number;
  /** Runs `work` when a connection is free that nobody else wants; rejects when the signal is aborted before. */
  readonly whenFree: (signal: AbortSignal, work: () => Promise<void>) => Promise<void>;
  /** Fetches a part and writes it to its place in the sink's file; rejects when anything is not as it should be. */
  readonly fetchPart: (part: Part, signal: AbortSignal) => Promise<void>;
}

interface Claim {
  readonly part: Part;
  readonly fetched: Promise<boolean>;
}

/** The largest part, in smallest ones: what is lost when one fails. */
const maxParts = 16;

export class Segments {
  readonly #options: SegmentsOptions;
  readonly #waiting = new AbortController();
  readonly #running = new AbortController();
  /** From the back to the front. */
  readonly #claims: Claim[] = [];
  readonly #workers: readonly Promise<void>[];
  #frontier: number;
  /** Up to here the bytes are the main stream's, be they written already or just being written. */
  #taken = 0;

  constructor(options: SegmentsOptions) {
    this.#options = options;
    this.#frontier = options.total;
    this.#taken = options.sink.size;
    this.#workers = Array.from({ length: options.helpers }, () => this.#work());
  }

  /** Whether the main stream has met the foremost part that a helper has claimed, and is to stop. */
  get isMet(): boolean {
    return this.#taken === this.#frontier && this.#frontier < this.#options.total;
  }

  /**
   * How many of the next `length` bytes the main stream is to write: from now on they are its own. Without this a
   * helper could claim bytes of a piece that is larger than a part while the piece is being written.
   */
  take(length: number): number {
    const taken = Math.min(length, this.#frontier - this.#taken);
    this.#taken += taken;
    return taken;
  }

  /** Takes the parts into the sink's account, front to back; false when one of them failed. */
  async join(): Promise<boolean> {
    this.#waiting.abort();
    for (const { part, fetched } of this.#claims.toReversed()) {
      if (!(await fetched)) return false;
      await this.#options.sink.absorb(part.end - part.start);
    }
    return true;
  }

  /** Ends all helpers; afterwards none of them touches the file. */
  async stop(): Promise<void> {
    this.#waiting.abort();
    this.#running.abort();
    await Promise.all(this.#workers);
  }

  async #work(): Promise<void> {
    const { signal } = this.#waiting;
    try {
      while (!signal.aborted) {
        await this.#options.whenFree(signal, async () => {
          const claim = this.#claim();
          // One failure is enough to leave the rest to the main stream.
          if (claim === undefined || !(await claim.fetched)) this.#waiting.abort();
        });
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #claim(): Claim | undefined {
    const { partBytes, helpers, fetchPart } = this.#options;
    const end = this.#frontier;
    // What each of those at work would get, were it divided now: large at first, for every part costs a round trip.
    const share = Math.floor((end - this.#taken) / (helpers + 1));
    const start = end - Math.min(maxParts * partBytes, Math.max(partBytes, share));
    // The main stream keeps a part's length to itself: it would be there before a helper.
    if (this.#waiting.signal.aborted || start < this.#taken + partBytes) return undefined;
    this.#frontier = start;
    const part = { start, end };
    const fetched = fetchPart(part, this.#running.signal).then(
      () => true,
      () => false,
    );
    const claim = { part, fetched };
    this.#claims.push(claim);
    return claim;
  }
}
