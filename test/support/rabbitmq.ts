/**
 * A RabbitMQ of the tests' own that speaks STOMP, with what MCollective needs: a user, a virtual host and two exchanges. It has its
 * own directories, ports and Erlang port mapper, and listens on the loopback interface only.
 * Sources: rabbitmq.com, "Configuration", "File and Directory Locations", "Definition Export and Import", "Credentials and
 * Passwords"; epmd(1); MCollective 2.12, connector/rabbitmq.rb.
 */
import { createHash, randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import path from "node:path";
import { ProcessGroups } from "../../src/host/index.ts";
import { usesPrograms } from "./programs.ts";

usesPrograms("rabbitmq-server", "epmd");

const program = "/usr/lib/rabbitmq/bin/rabbitmq-server";

export interface Broker {
  /** Of STOMP. */
  readonly port: number;
  close(): Promise<void>;
}

/** What clients have to know beside the port. */
export const account = { user: "mcollective", password: "marionette", vhost: "/mcollective" } as const;

/** Starts it with its files in `directory` (absolute, must exist); resolves when it accepts connections on the port. */
export async function startRabbitmq(directory: string, port: number, patienceMs = 120_000): Promise<Broker> {
  const mapper = await freePort();
  const distribution = await freePort();
  const file = (name: string) => path.join(directory, name);
  await mkdir(file("home"));
  await writeFile(file("enabled_plugins"), "[rabbitmq_stomp].\n");
  await writeFile(file("definitions.json"), JSON.stringify(definitions()));
  await writeFile(
    file("rabbitmq.conf"),
    [
      "listeners.tcp = none",
      `stomp.listeners.tcp.1 = 127.0.0.1:${port}`,
      `load_definitions = ${file("definitions.json")}`,
      "log.console = true",
      "log.file = false",
      "",
    ].join("\n"),
  );
  const groups = new ProcessGroups();
  const env = {
    PATH: process.env.PATH,
    LANG: "C",
    HOME: file("home"),
    ERL_EPMD_PORT: `${mapper}`,
    ERL_EPMD_ADDRESS: "127.0.0.1",
    RABBITMQ_CONF_ENV_FILE: "/dev/null",
    RABBITMQ_CONFIG_FILE: file("rabbitmq.conf"),
    RABBITMQ_ENABLED_PLUGINS_FILE: file("enabled_plugins"),
    RABBITMQ_MNESIA_BASE: file("mnesia"),
    RABBITMQ_LOG_BASE: file("log"),
    RABBITMQ_NODENAME: "razor-mk@localhost",
    RABBITMQ_DIST_PORT: `${distribution}`,
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "-kernel inet_dist_use_interface {127,0,0,1}",
  };
  // Erlang would start one that outlives it.
  groups.spawn("epmd", ["-port", `${mapper}`], { env, stdio: "ignore" });
  const server = groups.spawn(program, [], { env, cwd: directory, stdio: ["ignore", "pipe", "pipe"] });
  try {
    await new Promise<void>((resolve, reject) => {
      let log = "";
      const fail = (why: string) => reject(new Error(`RabbitMQ ${why}\n${log}`));
      const timer = setTimeout(() => fail(`does not start within ${patienceMs} ms`), patienceMs);
      server.once("error", (error) => fail(error.message));
      server.once("exit", (status) => fail(`ended with status ${status}`));
      for (const stream of [server.stdout, server.stderr]) {
        stream?.setEncoding("utf8").on("data", (text: string) => {
          log += text;
          if (!log.includes("Server startup complete")) return;
          clearTimeout(timer);
          resolve();
        });
      }
    });
  } catch (error) {
    await groups.terminate();
    throw error;
  }
  return { port, close: async () => await groups.terminate(10_000) };
}

function definitions(): object {
  const { user, password, vhost } = account;
  const salt = randomBytes(4);
  const digest = createHash("sha256").update(salt).update(password).digest();
  const exchange = { vhost, durable: true, auto_delete: false, internal: false, arguments: {} };
  return {
    users: [
      {
        name: user,
        password_hash: Buffer.concat([salt, digest]).toString("base64"),
        hashing_algorithm: "rabbit_password_hashing_sha256",
        tags: "",
      },
    ],
    vhosts: [{ name: vhost }],
    permissions: [{ user, vhost, configure: ".*", write: ".*", read: ".*" }],
    exchanges: [
      { ...exchange, name: "mcollective_broadcast", type: "topic" },
      { ...exchange, name: "mcollective_directed", type: "direct" },
    ],
  };
}

/** A port of the loopback interface that nothing listens on. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
