/** Configuration files: the text of `--config FILE`. */
import { type ConfigFormat, parseKeyValues } from "../../engine/index.ts";
import { systemReason, UsageError } from "../../errors/index.ts";
import { readSmallFile } from "./small-file.ts";

/** The values of a configuration file by key, and where each one stands: `my.conf:3`. */
interface ConfigFile {
  readonly values: ReadonlyMap<string, string>;
  /** Keys without a value: they are as if neither the file nor the environment had them. */
  readonly unset: ReadonlySet<string>;
  readonly places: ReadonlyMap<string, string>;
}

export const noConfigFile: ConfigFile = { values: new Map(), unset: new Set(), places: new Map() };

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
  if (format !== undefined) {
    const named = new Map([[format.variable, file]]);
    return { values: named, unset: new Set(), places: named };
  }
  const places = new Map<string, string>();
  const values = parseKeyValues(text, file, allowed, (key, line) => places.set(key, `${file}:${line}`));
  const isEmpty = ([, value]: readonly [string, string]) => value === "";
  return {
    values: new Map([...values].filter((entry) => !isEmpty(entry))),
    unset: new Set([...values].filter(isEmpty).map(([key]) => key)),
    places,
  };
}
