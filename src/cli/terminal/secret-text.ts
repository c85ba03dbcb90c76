/** The text of a secret, of whatever came in. */
import { UsageError } from "../../errors/index.ts";

/** The text of bytes that should be UTF-8, without a byte order mark; `what` names their place. */
export function decodeSecret(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new UsageError(`${what} is not valid UTF-8`, {
      code: "secret-encoding",
      hint: "save it as UTF-8: a password with other bytes cannot be typed at the login prompt",
      cause,
    });
  }
}
