/** Pieces of work of which only some run at once, the most urgent first. */

interface Waiter {
  readonly priority: number;
  readonly start: () => void;
}

export class Turns {
  readonly #width: number;
  readonly #waiting: Waiter[] = [];
  #running = 0;

  /** `width` is how many run at once. */
  constructor(width: number) {
    this.#width = width;
  }

  /** Does the work when there is room; what waits with a higher priority comes first. Rejects for the signal and with the work. */
  async take<T>(priority: number, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    if (this.#running < this.#width) this.#running += 1;
    else await this.#wait(priority, signal);
    try {
      return await work();
    } finally {
      // The place goes to the next one directly: a newcomer must not find it free in between.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next.start();
    }
  }

  #wait(priority: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(signal.reason);
      };
      const waiter: Waiter = {
        priority,
        start: () => {
          signal.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      signal.addEventListener("abort", onAbort, { once: true });
      const behind = this.#waiting.findIndex((other) => other.priority < priority);
      this.#waiting.splice(behind === -1 ? this.#waiting.length : behind, 0, waiter);
    });
  }
}
