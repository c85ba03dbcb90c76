/** Files of the user that an image may have: absent under their usual names, required under any other. */
import { existsSync } from "node:fs";
import { UserError } from "../../src/errors/index.ts";
import { shownPath } from "../settings/shown-path.ts";

interface OptionalFile {
  /** Absolute. */
  readonly path: string;
  /** The option without dashes, its value, and its default. */
  readonly option: string;
  readonly given: string;
  readonly usual: string;
}

/**
 * Whether the file or directory exists.
 * @throws UserError `remaster-file` if it does not, but was named
 */
export function isPresent({ path, option, given, usual }: OptionalFile): boolean {
  if (existsSync(path)) return true;
  if (given === usual) return false;
  throw new UserError("the file or directory does not exist", {
    code: "remaster-file",
    where: `--${option} ${shownPath(path)}`,
    hint: `check the name, or omit the option: then ${usual} is used, if it exists`,
  });
}
