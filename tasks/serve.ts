/** A boot server for a lab, on the machine that builds: the newest image of each variant, over HTTP. */
import { randomBytes } from "node:crypto";
import { networkInterfaces } from "node:os";
import { type CommandContext, command, findTool, param } from "../src/engine/index.ts";
import { messageOf, shellWord, UsageError, UserError } from "../src/errors/index.ts";
import { installHint, ProcessGroups } from "../src/host/index.ts";
import {
  type BootImage,
  BootServer,
  dnsmasqArguments,
  embeddedScript,
  findIpxe,
  type OwnAddress,
  ownAddresses,
  type ServeEvent,
} from "../src/serve/index.ts";
import { isoTemplate } from "./iso-template.ts";
import { netImage } from "./net-image.ts";

const host = param.text({
  name: "host",
  description:
    "with serve: the address to listen on; others than this machine reach it unless it is 127.0.0.1",
  value: "ADDRESS",
  default: "127.0.0.1",
});

const port = param.text({
  name: "port",
  description: "with serve: the port to listen on (default: 8080; 0: any)",
  value: "PORT",
  default: "8080",
});

const runDnsmasq = param.switch({
  name: "dnsmasq",
  description:
    "with serve: run dnsmasq, too, which tells machines that start from the network (as root; needs --host)",
  default: false,
});

const checkIn = param.switch({
  name: "checkin",
  description: "with serve: let booted machines check in, and show them with their facts",
  default: false,
});

export const serve = command({
  name: "serve",
  description:
    "Serve the built images to machines that boot from the network; -w: a save is in the next boot",
  group: "look",
  params: { host, port, runDnsmasq, checkIn },
  serves: isoTemplate,
  async run(context) {
    const { value, note, variant } = context;
    const options = { host: await value(host), port: parsePort(await value(port)) };
    const withDnsmasq = await value(runDnsmasq);
    if (withDnsmasq) requireDnsmasq(options.host);
    const { server, token } = await context.keep(async () => {
      const token = randomBytes(16).toString("base64url");
      const checksIn = await value(checkIn);
      const now = (): Date => new Date();
      return {
        server: await BootServer.open({ ...options, checkIn: checksIn, token, first: variant, now }),
        token,
      };
    });
    const groups = new ProcessGroups();
    server.onEvent = (event) => tell(context, event);
    try {
      introduce(context, server, token, options.host);
      if (withDnsmasq) startDnsmasq(context, groups, server, options.host);
      return await context.serve(async () => {
        await publish(context, server).catch((error: unknown) =>
          note(`the images are not served: ${messageOf(error)}`),
        );
      });
    } finally {
      await groups.terminate(1000);
      await server.close();
    }
  },
});

/** Serves what is built now, of every variant, and says what is new. */
async function publish(context: CommandContext, server: BootServer): Promise<void> {
  const images: BootImage[] = [];
  for (const variant of context.variants) {
    const image = await netImage(context, variant);
    if (image !== undefined) images.push(image);
  }
  const changed = await server.publish(images);
  if (changed.length === 0) return;
  context.show({ type: "published", variants: changed }, [`serving ${changed.join(", ")}`]);
}

/** Says what a user needs to boot a machine from it. */
function introduce(context: CommandContext, server: BootServer, token: string, address: string): void {
  const { note, show } = context;
  const page = `${ownUrl(server, address)}/?token=${token}`;
  const reached = reachedAt(address);
  const lines = [`page: ${page}`];
  if (isLoopback(address)) {
    lines.push(
      `only this machine reaches ${server.url}; --host ADDRESS serves its network`,
      `a virtual machine that boots from it: task boot ${server.url}/boot.ipxe`,
    );
  } else {
    note(
      `everybody who reaches ${server.url} can read the images: ssh host keys, password hashes and whatever else is in them`,
    );
    for (const own of reached) {
      const url = `http://${own.address}:${server.port}`;
      const args = dnsmasqArguments(own, url, findIpxe() ?? "/usr/lib/ipxe");
      lines.push(
        `machines on ${own.device}: sudo dnsmasq ${args.map(shellWord).join(" ")}`,
        `or iPXE built with EMBED=FILE, where FILE is ${url}/embed.ipxe:`,
        ...embeddedScript(url)
          .trimEnd()
          .split("\n")
          .map((line) => `  ${line}`),
      );
    }
  }
  show({ type: "serving", url: server.url, port: server.port, page }, lines);
}

/** Where this machine itself reaches the server. */
function ownUrl(server: BootServer, address: string): string {
  const unspecified: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "[::1]" };
  return address in unspecified ? `http://${unspecified[address]}:${server.port}` : server.url;
}

/** The addresses by which machines of a network reach a server that listens on `address`. */
function reachedAt(address: string): readonly OwnAddress[] {
  const all = ownAddresses(networkInterfaces());
  return ["0.0.0.0", "::"].includes(address) ? all : all.filter((own) => own.address === address);
}

function isLoopback(address: string): boolean {
  return address === "localhost" || address === "::1" || /^127(?:\.\d{1,3}){3}$/.test(address);
}

function tell({ show }: CommandContext, event: ServeEvent): void {
  if (event.type === "boot") show(event, [`${event.address} boots ${event.variant}`]);
  else if (event.what === "registered") show(event, [`${event.id} registered`]);
  else if (event.what === "ordered") show(event, [`${event.id} is told to ${event.command}`]);
  else if (event.command === "register") show(event, [`${event.id} checked in, and is asked to register`]);
}

function requireDnsmasq(address: string): void {
  if (isLoopback(address))
    throw new UsageError("--dnsmasq serves a network, but the boot server is reached by this machine only", {
      code: "serve-usage",
      hint: `add --host ${ownAddresses(networkInterfaces())[0]?.address ?? "ADDRESS"}`,
    });
  findTool("dnsmasq", installHint);
  if (findIpxe() === undefined)
    throw new UserError("iPXE's programs for machines that start from the network are not installed", {
      code: "serve-program",
      hint: "install the package ipxe (Debian, Ubuntu) or ipxe-bootimgs-x86 (Fedora), or omit --dnsmasq",
    });
}

/** Its end is told, and does not end the boot server. */
function startDnsmasq(
  context: CommandContext,
  groups: ProcessGroups,
  server: BootServer,
  address: string,
): void {
  const [own] = reachedAt(address);
  const tftp = findIpxe();
  if (own === undefined || tftp === undefined) {
    context.note("dnsmasq is not started: this machine has no address in a network");
    return;
  }
  const args = dnsmasqArguments(own, `http://${own.address}:${server.port}`, tftp);
  const child = groups.spawn("dnsmasq", [...args], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-2000);
  });
  child.once("error", (error) => context.note(`dnsmasq did not start: ${error.message}`));
  child.once("close", (status) => {
    if (status !== null)
      context.note(`dnsmasq ended with status ${status}: ${said.trim().split("\n").at(-1)}`);
  });
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port < 65536) return port;
  throw new UsageError(`--port is "${text}", but must be a port: 0 to 65535`, {
    code: "serve-usage",
    hint: "for example --port 8080",
  });
}
