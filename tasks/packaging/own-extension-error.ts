/** The error about a file of an extension in `extensions/`. */
import { UserError } from "../../src/errors/index.ts";

export function ownExtensionError(message: string, where: string, hint: string): UserError {
  return new UserError(message, { code: "own-extension", where, hint });
}
