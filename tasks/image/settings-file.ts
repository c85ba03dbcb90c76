/** A settings file of the project: YAML with one value a key, checked by rules, refused with file and line. */
import { type ErrorCode, UserError } from "../../src/errors/index.ts";
import { SettingsYaml } from "./settings-yaml.ts";

/** What a value must be, in words for a message, and whether it is. */
export interface ValueRule {
  readonly is: string;
  readonly accepts: (value: unknown) => boolean;
}

/** Values by their keys. */
export type Settings = ReadonlyMap<string, string | number>;

interface SettingsFile {
  /** Its path in messages, which add the line. */
  readonly file: string;
  /** Every key that it may have. */
  readonly rules: Readonly<Record<string, ValueRule>>;
  /** Keys that it must have; none unless said otherwise. */
  readonly required?: readonly string[];
  /** The code of its errors. */
  readonly code: ErrorCode;
}

export const oneOf = (...words: readonly string[]): ValueRule => ({
  is: `one of ${words.join(", ")}`,
  accepts: (value) => typeof value === "string" && words.includes(value),
});

export const text = (is: string, pattern: RegExp): ValueRule => ({
  is,
  accepts: (value) => typeof value === "string" && pattern.test(value),
});

export const integer = (is: string, from: number, to: number): ValueRule => ({
  is: `${is} from ${from} to ${to}`,
  accepts: (value) => typeof value === "number" && Number.isInteger(value) && value >= from && value <= to,
});

/**
 * The settings in `source`, in its order.
 * @throws UserError that names the line of the first key or value that is not accepted.
 */
export async function readSettings(source: string, settingsFile: SettingsFile): Promise<Settings> {
  const { file, rules, required = [], code } = settingsFile;
  const yaml = await SettingsYaml.parse(source, file, code);
  const content = yaml.value ?? {};
  if (typeof content !== "object" || Array.isArray(content))
    throw yaml.error([], "the file has no keys", "write lines of the form KEY: value");
  const settings = new Map<string, string | number>();
  for (const [name, found] of Object.entries(content) as [string, unknown][]) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (rule === undefined)
      throw yaml.error(
        [name],
        `"${name}" is no key of this file`,
        `known keys: ${Object.keys(rules).join(", ")}`,
      );
    if ((typeof found !== "string" && typeof found !== "number") || !rule.accepts(found)) {
      const remove = required.includes(name) ? "" : ", or remove the line: there is a default";
      throw yaml.error([name], `"${name}" must be ${rule.is}`, `correct the value${remove}`);
    }
    settings.set(name, found);
  }
  const lacking = required.filter((name) => !settings.has(name));
  if (lacking.length > 0) {
    throw new UserError(`${lacking.map((name) => `"${name}"`).join(", ")} missing`, {
      code,
      where: file,
      hint: "write it as KEY: value",
    });
  }
  return settings;
}
