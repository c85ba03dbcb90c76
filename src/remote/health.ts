/** What may still be asked of a cache during a build. A cache that misbehaves is left alone, with one warning. */

export type Use = "read" | "write";

export class Health {
  readonly #onWarning: (message: string) => void;
  readonly #allowed: Set<Use>;
  readonly #patience: number;
  #wasted = 0;
  #wastedUntil = 0;

  /** `patience`: milliseconds that a build may wait in vain for a cache before it goes on without. */
  constructor(onWarning: (message: string) => void, uses: readonly Use[], patience: number) {
    this.#patience = patience;
    this.#onWarning = onWarning;
    this.#allowed = new Set(uses);
  }

  can(use: Use): boolean {
    return this.#allowed.has(use);
  }

  /** Allows nothing more, and warns of nothing more. */
  end(): void {
    this.#allowed.clear();
  }

  /** Ends these uses until the end of the build; `why` completes "the remote cache". Only the first call for a use warns. */
  stop(uses: readonly Use[], why: string): void {
    const ended = uses.filter((use) => this.can(use));
    if (ended.length === 0) return;
    for (const use of ended) this.#allowed.delete(use);
    const goesOn = this.can("read")
      ? "results are no longer uploaded"
      : this.can("write")
        ? "results are no longer looked up"
        : "the build continues without it";
    this.#onWarning(`the remote cache ${why}: ${goesOn}`);
  }

  /** Milliseconds that may still be waited in vain. */
  get left(): number {
    return Math.max(0, this.#patience - this.#wasted);
  }

  /** Adds a time of waiting in vain (`performance.now()`); what several requests waited at once counts once. */
  waste(from: number, until: number): void {
    this.#wasted += Math.max(0, until - Math.max(from, this.#wastedUntil));
    this.#wastedUntil = Math.max(until, this.#wastedUntil);
    if (this.#wasted > this.#patience) this.stop(["read"], "is too slow");
  }

  /** Tells of a single entry, without consequences for others. */
  warn(message: string): void {
    if (this.#allowed.size > 0) this.#onWarning(message);
  }
}
