/** `lists/microkernel.yaml`, checked value by value, and the `mk_conf.yaml` of the image that is rendered from it. */
import { UserError } from "../../src/errors/index.ts";

/** What a value must be, in words for a message, and whether it is. */
interface ValueRule {
  readonly is: string;
  readonly accepts: (value: unknown) => boolean;
}

type Settings = ReadonlyMap<string, string | number>;

const oneOf = (...words: readonly string[]): ValueRule => ({
  is: `one of ${words.join(", ")}`,
  accepts: (value) => typeof value === "string" && words.includes(value),
});
const text = (is: string, pattern: RegExp): ValueRule => ({
  is,
  accepts: (value) => typeof value === "string" && pattern.test(value),
});
const integer = (is: string, from: number, to: number): ValueRule => ({
  is: `${is} from ${from} to ${to}`,
  accepts: (value) => typeof value === "number" && Number.isInteger(value) && value >= from && value <= to,
});

const day = 86_400;
const url = text("an http: or https: URL", /^https?:\/\/[^\s/]+\S*$/);
const path = text("a path that begins with /", /^\/[\x21-\x7e]*$/);
const urlOrPath = text(
  "an http: or https: URL, or a path that begins with /",
  /^(https?:\/\/[^\s/]+|\/)\S*$/,
);
const pattern: ValueRule = {
  is: "a regular expression on one line",
  accepts: (value) => {
    if (typeof value !== "string" || /[\r\n]/.test(value)) return false;
    try {
      return new RegExp(value) instanceof RegExp;
    } catch {
      return false;
    }
  },
};

/** Every key, with the rule that the Microkernel's own configuration manager applies, too. */
const rules: Readonly<Record<string, ValueRule>> = {
  mk_uri: url,
  mk_dialect: oneOf("razor", "razor-server", "hanlon"),
  mk_register_path: path,
  mk_checkin_path: path,
  mk_checkin_interval: integer("seconds", 1, day),
  mk_checkin_skew: integer("seconds", 0, day),
  mk_fact_excl_pattern: pattern,
  mk_log_level: oneOf("DEBUG", "INFO", "WARN", "ERROR", "FATAL"),
  mk_network_timeout: integer("seconds", 0, day),
  mk_reboot_interval: integer("seconds", 0, day),
  mk_tce_mirror_port: integer("a port", 1, 65_535),
  mk_tce_mirror_uri: urlOrPath,
  mk_tce_install_list_uri: urlOrPath,
  mk_kmod_install_list_uri: urlOrPath,
  mk_gem_mirror_uri: urlOrPath,
  mk_gemlist_uri: urlOrPath,
};

/** The keys, for the documentation's test. */
export const microkernelKeys: readonly string[] = Object.keys(rules);

/**
 * The text of the image's `tmp/mk_conf.yaml`.
 * @param source The text of the settings file.
 * @param file Its name in messages, which add the line.
 * @throws UserError that names the line of the first value that is not accepted.
 */
export async function microkernelConfiguration(source: string, file: string): Promise<string> {
  const lines = [...(await readSettings(source, file))].map(([key, value]) => `${key}: ${render(value)}`);
  return ["# Made of lists/microkernel.yaml; the server may send a newer one.", ...lines, ""].join("\n");
}

async function readSettings(source: string, file: string): Promise<Settings> {
  const { isMap, isScalar, LineCounter, parseDocument } = await import("yaml");
  const lineCounter = new LineCounter();
  const document = parseDocument(source, { lineCounter, prettyErrors: false });
  const fail = (offset: number, message: string, hint: string): never => {
    const where = `${file}:${lineCounter.linePos(offset).line}`;
    throw new UserError(message, { code: "microkernel-settings", where, hint });
  };
  const [problem] = document.errors;
  if (problem !== undefined)
    fail(problem.pos[0], `the file is not YAML: ${problem.message}`, "correct this line");
  const { contents } = document;
  const settings = new Map<string, string | number>();
  if (contents === null) return settings;
  if (!isMap(contents)) return fail(0, "the file has no keys", "write lines of the form KEY: value");
  for (const { key, value } of contents.items) {
    const offset = isScalar(key) ? (key.range?.[0] ?? 0) : 0;
    const name = isScalar(key) ? String(key.value) : "";
    const rule = rules[name];
    const found: unknown = isScalar(value) ? value.value : undefined;
    if (rule === undefined) {
      return fail(
        offset,
        `"${name}" is no key of the Microkernel's configuration`,
        `known keys: ${microkernelKeys.join(", ")}`,
      );
    }
    if ((typeof found !== "string" && typeof found !== "number") || !rule.accepts(found))
      return fail(
        offset,
        `"${name}" must be ${rule.is}`,
        "correct the value, or remove the line: there is a default",
      );
    settings.set(name, found);
  }
  return settings;
}

/** A YAML scalar that the parsers of every Ruby read alike: numbers and single words plain, all else in single quotes. */
function render(value: string | number): string {
  if (typeof value === "number" || /^[A-Z]+$/.test(value)) return `${value}`;
  return `'${value.replaceAll("'", "''")}'`;
}
