/** How often each URL was tried, so that tries count once however many ask for it. */
import type { UserError } from "../errors/index.ts";

export interface Attempt {
  /** How many tries have failed. */
  readonly failed: number;
  /** Milliseconds since 1970: no request before. */
  readonly notBefore: number;
}

const first: Attempt = { failed: 0, notBefore: 0 };

/** Kept for as long as the connections are, which is one build: a prefetch that failed is not tried all over by the task itself. */
export class Attempts {
  readonly #running = new Map<string, Attempt>();
  readonly #given = new Map<string, UserError>();

  /** The tries of a URL so far. Throws the error that it ended with, where it has failed for good. */
  of(url: string): Attempt {
    const error = this.#given.get(url);
    if (error !== undefined) throw error;
    return this.#running.get(url) ?? first;
  }

  /** One more try has failed; the next one is made at `notBefore`, be it by another that asks for the URL. */
  failed(url: string, notBefore: number): void {
    this.#running.set(url, { failed: this.of(url).failed + 1, notBefore });
  }

  /** There was an answer: from now on it counts anew. */
  succeeded(url: string): void {
    this.#running.delete(url);
  }

  gaveUp(url: string, error: UserError): void {
    this.#given.set(url, error);
  }
}
