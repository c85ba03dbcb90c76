/** The settings of the image's MCollective: lists/mcollective.yaml read and checked, and rendered as server.cfg. */
import type { Secret } from "../../src/engine/index.ts";
import { UserError } from "../../src/errors/index.ts";
import { pluginsDirectory } from "./mcollective.ts";
import { integer, oneOf, readSettings, type Settings, text } from "./settings-file.ts";

/** Secrets that were not given are undefined. */
export interface McollectiveSecrets {
  readonly password: Secret | undefined;
  readonly psk: Secret | undefined;
}

const word = text("one word", /^[\x21-\x7e]+$/);

/** The first of these that the image has is the default: `stomp` until MCollective 2.2, `rabbitmq` since 2.4. */
const preferred = ["stomp", "rabbitmq", "activemq"] as const;
type Connector = (typeof preferred)[number];

const rules = {
  host: word,
  port: integer("a port", 1, 65_535),
  user: word,
  collective: word,
  log_level: oneOf("debug", "info", "warn", "error", "fatal"),
  vhost: word,
  connector: oneOf(...preferred),
};

/**
 * The settings in `source`, YAML; `file` is its path in messages.
 * @throws UserError `mcollective-settings`
 */
export async function readMcollectiveSettings(source: string, file: string): Promise<Settings> {
  const required = ["host", "port", "user", "collective", "log_level"];
  return await readSettings(source, { file, rules, required, code: "mcollective-settings" });
}

/**
 * The connector that the settings name, or the default among those that the image's MCollective has (`available`).
 * @param file The settings' path in messages.
 * @throws UserError `mcollective-settings` where the image does not have the one that is named, or none at all.
 */
export function chooseConnector(settings: Settings, available: readonly string[], file: string): Connector {
  const named = settings.get("connector");
  const usable = preferred.filter((connector) => available.includes(connector));
  const chosen = named === undefined ? usable[0] : usable.find((connector) => connector === named);
  if (chosen !== undefined) return chosen;
  const has = `the image's MCollective has ${usable.length === 0 ? "no connector" : usable.join(", ")}`;
  throw new UserError(named === undefined ? has : `there is no connector "${named}": ${has}`, {
    code: "mcollective-settings",
    where: file,
    hint:
      usable.length === 0
        ? "use the tarball of a release of MCollective, or leave it out: --mcollective-url none"
        : "write another connector, or leave the line out",
  });
}

/**
 * `server.cfg`, in the foreground, since the Microkernel watches over it; a secret that was not given has no line. Sources:
 * MCollective 2.12, config.rb, connector/rabbitmq.rb and connector/activemq.rb; 2.0, connector/stomp.rb.
 */
export function serverConfiguration(
  settings: Settings,
  secrets: McollectiveSecrets,
  connector: Connector,
): string {
  const { psk } = secrets;
  const lines = [
    // Since 2.3 a warning.
    ...(connector === "stomp" ? ["topicprefix = /topic/"] : []),
    `main_collective = ${settings.get("collective")}`,
    `collectives = ${settings.get("collective")}`,
    `libdir = /usr/local/mcollective/plugins:/${pluginsDirectory}`,
    "logfile = /var/log/mcollective.log",
    "keeplogs = 2",
    "max_log_size = 524288",
    `loglevel = ${settings.get("log_level")}`,
    "daemonize = 0",
    "",
    "# Plugins",
    "securityprovider = psk",
    ...(psk === undefined ? [] : [`plugin.psk = ${psk.reveal()}`]),
    `connector = ${connector}`,
    "",
    ...connection(settings, secrets, connector),
    "",
    "# Facts",
    "factsource = yaml",
    // The controller writes them.
    "plugin.yaml = /tmp/facts.yaml",
  ];
  return `${lines.join("\n")}\n`;
}

function connection(
  settings: Settings,
  { password }: McollectiveSecrets,
  connector: Connector,
): readonly string[] {
  const of = (place: string) => [
    `plugin.${place}.host = ${settings.get("host")}`,
    `plugin.${place}.port = ${settings.get("port")}`,
    `plugin.${place}.user = ${settings.get("user")}`,
    ...(password === undefined ? [] : [`plugin.${place}.password = ${password.reveal()}`]),
  ];
  if (connector === "stomp") return of("stomp");
  return [
    ...(connector === "rabbitmq"
      ? [`plugin.rabbitmq.vhost = ${settings.get("vhost") ?? "/mcollective"}`]
      : []),
    `plugin.${connector}.pool.size = 1`,
    ...of(`${connector}.pool.1`),
  ];
}
