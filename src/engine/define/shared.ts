/**
 * What the tasks of one build use together, such as connections: opened by the first that asks, closed when the build
 * is over. It does not know what is shared.
 */

interface Closable {
  close(): Promise<void>;
}

/** A kind of thing to share; its identity is the key. */
export interface Shareable<T extends Closable, A> {
  /** Called once a build, with what the first task that asks hands over. */
  readonly open: (argument: A) => T;
}

/** Gives the build's one instance of a kind of thing. It must not influence what a task makes. */
export type Share = <T extends Closable, A>(kind: Shareable<T, A>, argument: A) => T;

export class Shared {
  readonly #opened = new Map<object, Closable>();

  readonly share: Share = <T extends Closable, A>(kind: Shareable<T, A>, argument: A): T => {
    const known = this.#opened.get(kind);
    // Only `kind.open` ever made what stands under its kind.
    if (known !== undefined) return known as T;
    const opened = kind.open(argument);
    this.#opened.set(kind, opened);
    return opened;
  };

  async close(): Promise<void> {
    await Promise.all([...this.#opened.values()].map((one) => one.close()));
    this.#opened.clear();
  }
}
