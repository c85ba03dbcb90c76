/** A value that is never written down, and its keyed digest, which is. */
import { createHmac, randomBytes } from "node:crypto";

/** A value that is shown nowhere: it prints, serialises and inspects as `***`. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself; hand it on through memory, standard input or a 0600 file only. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return "***";
  }

  toJSON(): string {
    return "***";
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return "***";
  }
}

/**
 * A secret's part in a fingerprint: keyed with the workspace's own random key, so that nobody who sees the
 * fingerprint can try passwords against it.
 */
export function secretTag(secret: Secret | undefined, key: () => Uint8Array): string {
  return secret === undefined ? "" : createHmac("sha256", key()).update(secret.reveal()).digest("hex");
}

export function newSecretKey(): Uint8Array {
  return randomBytes(32);
}
