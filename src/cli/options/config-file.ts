/** Configuration files: the text of `--config FILE`. */
import { parseKeyValues } from "../../engine/index.ts";
import { systemReason, UsageError } from "../../errors/index.ts";
import { readSmallFile } from "./small-file.ts";

/** Reads a configuration file; its grammar is that of `parseKeyValues`. Throws `UsageError` naming file and line. */
export function readConfigFile(file: string, allowed: ReadonlySet<string>): ReadonlyMap<string, string> {
  let text: string;
  try {
    text = readSmallFile(file, "--config", file).toString("utf8");
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`--config ${file} cannot be read: ${systemReason(error)}`, {
      code: "config-unreadable",
      hint: "check the name and the permissions of the file",
    });
  }
  return parseKeyValues(text, file, allowed);
}
