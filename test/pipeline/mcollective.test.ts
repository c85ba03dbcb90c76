/** MCollective through a real RabbitMQ: a booted dev image answers the distribution's own client. */
import { once } from "node:events";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { usesPrograms } from "../support/programs.ts";
import { bootQemu, type QemuMachine } from "../support/qemu.ts";
import { account, type Broker, startRabbitmq } from "../support/rabbitmq.ts";
import { RazorServer } from "../support/razor-server.ts";
import {
  checkout,
  makeDirectory,
  openWorkspace,
  removeDirectory,
  version,
  type Workspace,
} from "./workspace.ts";

usesPrograms("mco");

/** An emulated machine on a busy host may take minutes. */
const patience = 400_000;
const identity = "mk525400123456";
const psk = "a-key-of-the-tests";

interface Reply {
  readonly agent: string;
  readonly sender: string;
  readonly statuscode: number;
  readonly statusmsg: string;
  readonly data: Readonly<Record<string, unknown>>;
}

describe("a dev image with MCollective", () => {
  let workspace: Workspace;
  let directory = "";
  let broker: Broker | undefined;
  let server: RazorServer | undefined;
  let machine: QemuMachine | undefined;

  beforeAll(async () => {
    workspace = await openWorkspace();
    directory = await makeDirectory("mcollective");
    // In place of the broker, until the daemon has found that it is away.
    const absent = createServer((socket) => void socket.destroy());
    await once(absent.listen(0, "127.0.0.1"), "listening");
    const brokerPort = (absent.address() as AddressInfo).port;
    server = new RazorServer();
    const port = await server.listen();
    const settings = path.join(workspace.root, "lists/mcollective.yaml");
    const text = await readFile(settings, "utf8");
    await writeFile(
      settings,
      text.replace("host: localhost", "host: 10.0.2.2").replace(/^port: .*$/m, `port: ${brokerPort}`),
    );
    try {
      const secrets = ["--mcollective-password", account.password, "--mcollective-psk", psk];
      // Without the version the changed settings would be in its name.
      const wanted = ["pxe", "--source", "sample", "--dev", "--iso-version", version];
      await workspace.build([...wanted, ...secrets]);
    } finally {
      await writeFile(settings, text);
    }
    await writeClient(brokerPort);
    const boot = workspace.path(`build-files/rz_mk_dev-pxe.${version}/boot`);
    const append = `maxcpus=1 quiet razor.ip=10.0.2.2:${port}`;
    machine = bootQemu(
      { kernel: `${boot}/vmlinuz64`, initrd: `${boot}/corepure64.gz`, append },
      { reachesHost: true },
    );
    const tried = once(absent, "connection");
    const ended = machine.ended(2 * patience).then(() => {
      throw new Error(`the machine ended\n${machine?.log}`);
    });
    ended.catch(() => {});
    await Promise.race([server.event((event) => event.kind === "register", 0, patience), ended]);
    await Promise.race([tried, ended]);
    await new Promise((resolve) => absent.close(resolve));
    broker = await startRabbitmq(directory, brokerPort);
  }, 3 * patience);

  afterAll(async () => {
    await machine?.close();
    await server?.close();
    await broker?.close();
    await removeDirectory(directory);
  });

  /** The client has of the Microkernel what a person's client has: what its agents can do. */
  async function writeClient(port: number): Promise<void> {
    const { user, password, vhost } = account;
    const agents = path.join(directory, "plugins/mcollective/agent");
    await mkdir(agents, { recursive: true });
    const ours = path.join(checkout, "overlay-src/usr/local/share/mcollective/plugins/mcollective/agent");
    for (const name of ["configuration.ddl", "facteragent.ddl"])
      await copyFile(path.join(ours, name), path.join(agents, name));
    const lines = [
      `libdir = ${path.join(directory, "plugins")}`,
      "logger_type = console",
      "loglevel = error",
      "securityprovider = psk",
      `plugin.psk = ${psk}`,
      "connector = rabbitmq",
      `plugin.rabbitmq.vhost = ${vhost}`,
      "plugin.rabbitmq.pool.size = 1",
      "plugin.rabbitmq.pool.1.host = 127.0.0.1",
      `plugin.rabbitmq.pool.1.port = ${port}`,
      `plugin.rabbitmq.pool.1.user = ${user}`,
      `plugin.rabbitmq.pool.1.password = ${password}`,
    ];
    await writeFile(path.join(directory, "client.cfg"), `${lines.join("\n")}\n`);
  }

  async function mco(args: readonly string[]): Promise<string> {
    const { stdout } = await workspace.$({
      nothrow: true,
    })`mco ${args} --config ${path.join(directory, "client.cfg")}`;
    return stdout;
  }

  /** Asks until the output has what is wanted: the daemon starts while the machine registers, and may take its time. */
  async function answer(args: readonly string[], wanted: RegExp): Promise<void> {
    const deadline = performance.now() + patience;
    for (let said = ""; !wanted.test(said); ) {
      if (performance.now() > deadline) throw new Error(`mco ${args[0]} said: ${said}\n${machine?.log}`);
      said = await mco(args);
    }
  }

  async function call(agent: string, action: string, ...args: readonly string[]): Promise<Reply | undefined> {
    const words = ["rpc", agent, action, ...args, "-I", identity, "--json", "--np"];
    const stdout = await mco(words);
    const replies = JSON.parse(stdout) as readonly Reply[];
    expect(replies.length, stdout).toBeLessThanOrEqual(1);
    return replies[0];
  }

  it(
    "answers mco ping as soon as the broker is there",
    async () => await answer(["ping"], new RegExp(`^${identity} +time=`, "m")),
    2 * patience,
  );

  it("tells the facts that it registered with", async () => {
    const registered = server?.events.find(({ kind }) => kind === "register")?.facts;
    const reply = await call("facteragent", "getall");
    expect(reply).toMatchObject({ sender: identity, statuscode: 0 });
    const facts = parse(String(reply?.data.facts)) as Readonly<Record<string, string>>;
    expect(facts).toMatchObject({ kernel: "Linux", hostname: identity, mk_hw_nic_count: "1" });
    expect(Object.keys(facts).sort()).toEqual(Object.keys(registered ?? {}).sort());
  });

  it("is found by its facts", async () => {
    await answer(["find", "-F", `hostname=${identity}`], new RegExp(`^${identity}$`, "m"));
    expect((await mco(["find", "-F", "hostname=other"])).trim()).toBe("");
  });

  it("takes another configuration, which its controller follows, and refuses what is none", async () => {
    const send = async (sent: unknown) =>
      await call("configuration", "send_mk_config", `config_params=${JSON.stringify(sent)}`);
    const wrong = await send({ mk_checkin_interval: "soon", mk_uri: [1], unknown: { deep: 1 } });
    expect(wrong).toMatchObject({ statuscode: 0, data: { changed: false } });
    expect(wrong?.data.refused).toEqual([
      expect.stringContaining("mk_checkin_interval cannot be"),
      expect.stringContaining("mk_uri cannot be"),
    ]);
    const before = server?.events.length ?? 0;
    const right = await send({ mk_dialect: "hanlon", mk_checkin_skew: 0 });
    expect(right).toMatchObject({ statuscode: 0, data: { changed: true, refused: [], response: "OK" } });
    const event = await server?.event(({ dialect }) => dialect === "hanlon", before, patience);
    expect(event).toMatchObject({ hardware: ["525400123456"] });
  });
});
