/**
 * How many downloads run at once, overall and per origin. It does not know what a download is.
 */

/**
 * The highest one comes first: what is small and decides what else is asked for, then what other steps
 * wait for, then the rest. `spare` only gets what no other waits for.
 */
const priorities = ["small", "urgent", "normal", "spare"] as const;

type Priority = (typeof priorities)[number];

interface Waiter {
  readonly origin: string;
  readonly priority: Priority;
  readonly start: () => void;
}

export class Slots {
  readonly #overall: number;
  readonly #perOrigin: number;
  readonly #running = new Map<string, number>();
  readonly #waiting: Waiter[] = [];
  #total = 0;

  constructor(overall: number, perOrigin: number) {
    this.#overall = overall;
    this.#perOrigin = perOrigin;
  }

  /** Runs `work` once there is room for its origin, first come first served within a priority. An abort leaves the queue. */
  async hold<T>(
    origin: string,
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
    priority: Priority = "normal",
  ): Promise<T> {
    signal?.throwIfAborted();
    await this.#enter(origin, signal, priority);
    try {
      return await work();
    } finally {
      this.#leave(origin);
    }
  }

  #enter(origin: string, signal: AbortSignal | undefined, priority: Priority): Promise<void> {
    if (this.#hasRoom(origin)) {
      this.#take(origin);
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        const index = this.#waiting.indexOf(waiter);
        if (index >= 0) this.#waiting.splice(index, 1);
        reject(signal?.reason);
      };
      const waiter: Waiter = {
        origin,
        priority,
        start: () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#waiting.push(waiter);
    });
  }

  #leave(origin: string): void {
    this.#total -= 1;
    this.#running.set(origin, (this.#running.get(origin) ?? 1) - 1);
    // One that waits for a busy origin must not keep the others from starting.
    const first = (priority: Priority): number =>
      this.#waiting.findIndex((one) => one.priority === priority && this.#hasRoom(one.origin));
    const index = priorities.map(first).find((found) => found >= 0);
    if (index === undefined) return;
    const [next] = this.#waiting.splice(index, 1);
    if (next === undefined) return;
    // Taken here, not when the waiter wakes: a newcomer in between must not find the same slot free.
    this.#take(next.origin);
    next.start();
  }

  #hasRoom(origin: string): boolean {
    return this.#total < this.#overall && (this.#running.get(origin) ?? 0) < this.#perOrigin;
  }

  #take(origin: string): void {
    this.#total += 1;
    this.#running.set(origin, (this.#running.get(origin) ?? 0) + 1);
  }
}
