/** Counts attempts by URL, so that several tasks that ask for one URL share its retries. */
import type { UserError } from "../../errors/index.ts";

interface Attempt {
  /** Number of failed attempts. */
  readonly failed: number;
  /** Milliseconds since 1970 before which no request may be made. */
  readonly notBefore: number;
}

const first: Attempt = { failed: 0, notBefore: 0 };

/** Lives as long as the connections, which is one build: a task does not repeat the retries of its failed prefetch. */
export class Attempts {
  readonly #running = new Map<string, Attempt>();
  readonly #given = new Map<string, UserError>();

  /** The attempts at a URL so far. Throws the final error where it has failed for good. */
  of(url: string): Attempt {
    const error = this.#given.get(url);
    if (error !== undefined) throw error;
    return this.#running.get(url) ?? first;
  }

  /** Records a failed attempt; the next one, by any caller, is made at `notBefore`. */
  failed(url: string, notBefore: number): void {
    this.#running.set(url, { failed: this.of(url).failed + 1, notBefore });
  }

  /** Resets the count after a success. */
  succeeded(url: string): void {
    this.#running.delete(url);
  }

  gaveUp(url: string, error: UserError): void {
    this.#given.set(url, error);
  }
}
