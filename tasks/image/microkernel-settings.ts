/** `lists/microkernel.yaml`, checked value by value, and the `mk_conf.yaml` of the image that is rendered from it. */
import { integer, oneOf, readSettings, text, type ValueRule } from "./settings-file.ts";

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
  const settings = await readSettings(source, { file, rules, code: "microkernel-settings" });
  const lines = [...settings].map(([key, value]) => `${key}: ${render(value)}`);
  return ["# Made of lists/microkernel.yaml; the server may send a newer one.", ...lines, ""].join("\n");
}

/** A YAML scalar that the parsers of every Ruby read alike: numbers and single words plain, all else in single quotes. */
function render(value: string | number): string {
  if (typeof value === "number" || /^[A-Z]+$/.test(value)) return `${value}`;
  return `'${value.replaceAll("'", "''")}'`;
}
