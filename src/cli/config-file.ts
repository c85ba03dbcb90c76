/** Configuration files: the text of `--config FILE`. */
import { readFileSync } from "node:fs";
import { parseKeyValues } from "../engine/index.ts";
import { systemReason, UsageError } from "../errors/index.ts";

/** Reads a configuration file; its grammar is that of `parseKeyValues`. Throws `UsageError` naming file and line. */
export function readConfigFile(file: string, allowed: ReadonlySet<string>): ReadonlyMap<string, string> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new UsageError(`--config ${file} cannot be read: ${systemReason(error)}`, {
      code: "config-unreadable",
      hint: "check the name, and that you may read it",
    });
  }
  return parseKeyValues(text, file, allowed);
}
