/** The settings of the image's MCollective: lists/mcollective.yaml read and checked, and rendered as server.cfg. */
import type { Secret } from "../../src/engine/index.ts";
import { UserError } from "../../src/errors/index.ts";
import { pluginsFolder } from "./mcollective.ts";

interface McollectiveSettings {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly collective: string;
  readonly logLevel: string;
  /** RabbitMQ's virtual host. */
  readonly vhost: string;
  /** As it is written; undefined for the one that suits the image's MCollective. */
  readonly connector: string | undefined;
}

/** Secrets that were not given are undefined. */
export interface McollectiveSecrets {
  readonly password: Secret | undefined;
  readonly psk: Secret | undefined;
}

/**
 * Reads `text`, YAML; `file` is its path in messages.
 * @throws UserError `mcollective-settings`
 */
export async function readMcollectiveSettings(text: string, file: string): Promise<McollectiveSettings> {
  const { parseDocument } = await import("yaml");
  const document = parseDocument(text);
  const refuse = (message: string, hint: string, line?: number): UserError =>
    new UserError(message, {
      code: "mcollective-settings",
      where: line === undefined ? file : `${file}:${line}`,
      hint,
    });
  const [problem] = document.errors;
  if (problem !== undefined) {
    throw refuse(
      `it is not YAML: ${problem.message.split("\n", 1)[0]}`,
      "correct the line",
      problem.linePos?.[0].line,
    );
  }
  const content: unknown = document.toJS() ?? {};
  if (typeof content !== "object" || content === null || Array.isArray(content)) {
    throw refuse("it is not a list of settings", "write lines KEY: value");
  }
  const settings = content as Readonly<Record<string, unknown>>;
  const word = (key: string, otherwise?: string): string => {
    const value = settings[key] ?? otherwise;
    if (typeof value === "string" && /^[\x21-\x7e]+$/.test(value)) return value;
    throw refuse(`"${key}" must be one word`, "write it as KEY: value, without blanks in the value");
  };
  const { port } = settings;
  if (typeof port !== "number" || !Number.isInteger(port) || port < 1 || port > 65535) {
    throw refuse('"port" is not a port number', "write an integer from 1 to 65535");
  }
  return {
    host: word("host"),
    port,
    user: word("user"),
    collective: word("collective"),
    logLevel: word("log_level"),
    vhost: word("vhost", "/mcollective"),
    connector: settings.connector === undefined ? undefined : word("connector"),
  };
}

/** The first of these that the image has is the default: `stomp` until MCollective 2.2, `rabbitmq` since 2.4. */
const preferred = ["stomp", "rabbitmq", "activemq"] as const;
type Connector = (typeof preferred)[number];

/**
 * The connector that the settings name, or the default among those that the image's MCollective has (`available`).
 * @param file The settings' path in messages.
 * @throws UserError `mcollective-settings` where the image does not have the one that is named, or none at all.
 */
export function chooseConnector(
  named: string | undefined,
  available: readonly string[],
  file: string,
): Connector {
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
  settings: McollectiveSettings,
  secrets: McollectiveSecrets,
  connector: Connector,
): string {
  const { psk } = secrets;
  const lines = [
    // Since 2.3 a warning.
    ...(connector === "stomp" ? ["topicprefix = /topic/"] : []),
    `main_collective = ${settings.collective}`,
    `collectives = ${settings.collective}`,
    `libdir = /usr/local/mcollective/plugins:/${pluginsFolder}`,
    "logfile = /var/log/mcollective.log",
    "keeplogs = 2",
    "max_log_size = 524288",
    `loglevel = ${settings.logLevel}`,
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
  { host, port, user, vhost }: McollectiveSettings,
  { password }: McollectiveSecrets,
  connector: Connector,
): readonly string[] {
  const of = (place: string) => [
    `plugin.${place}.host = ${host}`,
    `plugin.${place}.port = ${port}`,
    `plugin.${place}.user = ${user}`,
    ...(password === undefined ? [] : [`plugin.${place}.password = ${password.reveal()}`]),
  ];
  if (connector === "stomp") return of("stomp");
  return [
    ...(connector === "rabbitmq" ? [`plugin.rabbitmq.vhost = ${vhost}`] : []),
    `plugin.${connector}.pool.size = 1`,
    ...of(`${connector}.pool.1`),
  ];
}
