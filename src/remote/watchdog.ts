/** Ends a request that makes no progress, or so little that waiting for it is not worth while. */

/** Bytes that have to move within the time limit: a server that sends one byte a second does not answer either. */
const leastBytes = 16 * 1024;

export class Watchdog {
  readonly #patience: number;
  readonly #own = new AbortController();
  readonly signal: AbortSignal;
  #timer: NodeJS.Timeout | undefined;
  #bytes = 0;

  /** `patience` is in milliseconds; `signal` ends the request too. */
  constructor(patience: number, signal: AbortSignal) {
    this.#patience = patience;
    this.signal = AbortSignal.any([this.#own.signal, signal]);
    this.#start();
  }

  get isExpired(): boolean {
    return this.#own.signal.aborted;
  }

  /** Tells of bytes that moved. */
  progress(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < leastBytes) return;
    this.#bytes = 0;
    this.#start();
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #start(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#own.abort(new Error("no progress")), this.#patience);
  }
}
