/** lists/mcollective.yaml, and the server.cfg that is rendered of it for the image's MCollective. */
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { Secret } from "../../src/engine/index.ts";
import { bytesContent, FileTree } from "../../src/formats/index.ts";
import { availableConnectors, dropPlugins } from "../../tasks/image/mcollective.ts";
import {
  chooseConnector,
  readMcollectiveSettings,
  serverConfiguration,
} from "../../tasks/image/mcollective-settings.ts";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("ruby", "mcollective");

const file = "lists/mcollective.yaml";
const text = "host: broker\nport: 6163\nuser: mcollective\ncollective: mcollective\nlog_level: info\n";
const secrets = { password: new Secret("geheim"), psk: new Secret("klot") };

function image(...names: readonly string[]): FileTree {
  const tree = new FileTree().addSymlink(
    "usr/local/mcollective",
    "/usr/local/tce.installed/mcollective-2.0.0",
    { mtime: 0 },
  );
  for (const name of names) tree.addFile(name, bytesContent(""), { mtime: 0 });
  return tree.ensureParents({ mtime: 0 });
}

async function configurationFor(
  available: readonly string[],
  settings = text,
  given: Parameters<typeof serverConfiguration>[1] = secrets,
): Promise<string> {
  const read = await readMcollectiveSettings(settings, file);
  return serverConfiguration(read, given, chooseConnector(read, available, file));
}

/** The lines of a setting, without the others. */
const settingsOf = (configuration: string, pattern: RegExp) =>
  configuration.split("\n").filter((line) => pattern.test(line));

describe("MCollective's server.cfg", () => {
  it("has the connector stomp where the image's MCollective has that, as until 2.2", async () => {
    const configuration = await configurationFor(["activemq", "stomp"]);
    expect(settingsOf(configuration, /^(topicprefix|connector|plugin\.(?!yaml))/)).toEqual([
      "topicprefix = /topic/",
      "plugin.psk = klot",
      "connector = stomp",
      "plugin.stomp.host = broker",
      "plugin.stomp.port = 6163",
      "plugin.stomp.user = mcollective",
      "plugin.stomp.password = geheim",
    ]);
  });

  it("has the connector rabbitmq since then, or activemq if the settings say so", async () => {
    expect(
      settingsOf(
        await configurationFor(["activemq", "rabbitmq"]),
        /^(topicprefix|connector|plugin\.(?!yaml))/,
      ),
    ).toEqual([
      "plugin.psk = klot",
      "connector = rabbitmq",
      "plugin.rabbitmq.vhost = /mcollective",
      "plugin.rabbitmq.pool.size = 1",
      "plugin.rabbitmq.pool.1.host = broker",
      "plugin.rabbitmq.pool.1.port = 6163",
      "plugin.rabbitmq.pool.1.user = mcollective",
      "plugin.rabbitmq.pool.1.password = geheim",
    ]);
    const other = await configurationFor(["activemq", "rabbitmq"], `${text}connector: activemq\nvhost: /x\n`);
    expect(settingsOf(other, /^(topicprefix|connector|plugin.*(vhost|pool.1.host))/)).toEqual([
      "connector = activemq",
      "plugin.activemq.pool.1.host = broker",
    ]);
  });

  it("has no line for a secret that was not given, and no default for one", async () => {
    const bare = await configurationFor(["rabbitmq"], text, { password: undefined, psk: undefined });
    expect(settingsOf(bare, /psk =|password/)).toEqual([]);
  });

  it("is read by MCollective without a complaint", async () => {
    const directory = await mkdtemp(path.join(tmpdir(), "razor mk server.cfg "));
    try {
      for (const connector of ["rabbitmq", "activemq"]) {
        const configuration = await configurationFor([connector]);
        const log = path.join(directory, `${connector}.log`);
        const server = path.join(directory, "server.cfg");
        const plugins = path.join(
          import.meta.dirname,
          "../../overlay-src/usr/local/share/mcollective/plugins",
        );
        await writeFile(
          server,
          configuration
            .replace("/var/log/mcollective.log", log)
            .replace(/^libdir = .*$/m, `libdir = ${plugins}`),
        );
        const program = `require "mcollective"; c = MCollective::Config.instance; c.loadconfig(ARGV[0])
          puts c.connector, c.securityprovider, c.factsource, c.daemonize, c.pluginconf["#{ARGV[1]}.pool.1.host"]
          puts File.read(ARGV[2]).scan(/WARN|ERROR/)`;
        const library = path.join(import.meta.dirname, "../../overlay-src/usr/local/lib/ruby/1.8");
        const args = ["-I", library, "-e", program, server, connector, log];
        const { stdout, stderr } = spawnSync("ruby", args, { encoding: "utf8" });
        const capital = `${connector.charAt(0).toUpperCase()}${connector.slice(1)}`;
        expect(stdout.trim().split("\n"), stderr).toEqual([capital, "Psk", "Yaml", "false", "broker"]);
      }
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});

describe("the connectors of an image", () => {
  const home = "usr/local/tce.installed/mcollective-2.0.0";

  it("are found where old and new releases have them", () => {
    const old = image(
      `${home}/plugins/mcollective/connector/stomp.rb`,
      `${home}/plugins/mcollective/connector/activemq.rb`,
      `${home}/lib/mcollective/connector/base.rb`,
      `${home}/lib/mcollective/connector.rb`,
    );
    expect(availableConnectors(old)).toEqual(["activemq", "stomp"]);
    const current = image(
      `${home}/lib/mcollective/connector/rabbitmq.rb`,
      `${home}/lib/mcollective/connector/rabbitmq.ddl`,
      "usr/local/other/lib/mcollective/connector/stomp.rb",
    );
    expect(availableConnectors(current)).toEqual(["rabbitmq"]);
    expect(availableConnectors(new FileTree())).toEqual([]);
  });

  it("are named where the settings ask for another, or the image has none", () => {
    const refusal = (named: string | undefined, available: readonly string[]) => {
      try {
        return chooseConnector(new Map(named === undefined ? [] : [["connector", named]]), available, file);
      } catch (error) {
        return error;
      }
    };
    expect(refusal("stomp", ["activemq", "rabbitmq"])).toMatchObject({
      code: "mcollective-settings",
      where: file,
      message: 'there is no connector "stomp": the image\'s MCollective has rabbitmq, activemq',
    });
    expect(refusal(undefined, ["other"])).toMatchObject({
      code: "mcollective-settings",
      message: "the image's MCollective has no connector",
    });
  });
});

describe("lists/mcollective.yaml", () => {
  it.each([
    [text.replace("6163", "0"), '"port" must be a port from 1 to 65535', `${file}:2`],
    [text.replace("6163", '"6163"'), '"port" must be a port from 1 to 65535', `${file}:2`],
    [text.replace("broker", "a b"), '"host" must be one word', `${file}:1`],
    [text.replace("host: broker", "host: [broker]"), '"host" must be one word', `${file}:1`],
    [text.replace("info", "loud"), '"log_level" must be one of debug, info, warn, error, fatal', `${file}:5`],
    [text.replace("user: mcollective\n", ""), '"user" missing', file],
    [`${text}vhost: 5\n`, '"vhost" must be one word', `${file}:6`],
    [`${text}connector: amqp\n`, '"connector" must be one of stomp, rabbitmq, activemq', `${file}:6`],
    [`${text}constructor: x\n`, '"constructor" is no key of this file', `${file}:6`],
    ["- host\n", "the file has no keys", `${file}:1`],
    ["", '"host", "port", "user", "collective", "log_level" missing', file],
  ])("is refused with the reason and the line: %j", async (wrong, message, where) => {
    await expect(readMcollectiveSettings(wrong, file)).rejects.toMatchObject({
      ...{ code: "mcollective-settings", message, where },
    });
  });
});

it("has no plugins of ours without MCollective", () => {
  const tree = image(
    "usr/local/share/mcollective/plugins/mcollective/agent/facteragent.rb",
    "usr/local/share/mcollective-like",
  );
  dropPlugins(tree);
  expect(tree.paths().filter((name) => name.startsWith("usr/local/share"))).toEqual([
    "usr/local/share",
    "usr/local/share/mcollective-like",
  ]);
});
