/** Configuration files: the text of `--config FILE`. */
import { type ConfigFormat, parseKeyValues } from "../../engine/index.ts";
import { systemReason, UsageError } from "../../errors/index.ts";
import { readSmallFile } from "./small-file.ts";

/** The values of a configuration file by key, and where each one stands: `my.conf:3`. */
interface ConfigFile {
  readonly values: ReadonlyMap<string, string>;
  readonly places: ReadonlyMap<string, string>;
}

export const noConfigFile: ConfigFile = { values: new Map(), places: new Map() };

/**
 * Reads a configuration file; its grammar is one of `formats`, or else that of `parseKeyValues`. Throws `UsageError` naming file and
 * line.
 */
export function readConfigFile(
  file: string,
  allowed: ReadonlySet<string>,
  formats: readonly ConfigFormat[] = [],
): ConfigFile {
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
  const format = formats.find(({ matches }) => matches(text));
  if (format !== undefined)
    return { values: new Map([[format.variable, file]]), places: new Map([[format.variable, file]]) };
  const places = new Map<string, string>();
  const values = parseKeyValues(text, file, allowed, (key, line) => places.set(key, `${file}:${line}`));
  return { values, places };
}
