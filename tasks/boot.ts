/** Boots an image in QEMU, with its serial console in this terminal; for CI, until the console shows a text. */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { command, findTool, param } from "../src/engine/index.ts";
import { UsageError } from "../src/errors/index.ts";
import {
  canUseKvm,
  emulator,
  findUefiFirmware,
  installHint,
  qemuArguments,
  requireNetworkBoot,
  runInTerminal,
  watchConsole,
} from "../src/host/index.ts";
import { bootUrlOf, mediumNames, prepareMedium } from "./image/boot-medium.ts";
import { newestIso } from "./image/newest-iso.ts";
import { firmware } from "./settings/image-options.ts";
import { parseSize } from "./settings/limit-options.ts";

const as = param.choice({
  name: "as",
  description: `with boot: what the machine boots from: ${mediumNames.join(", ")} (default: cd)`,
  value: "MEDIUM",
  choices: mediumNames,
  default: "cd",
});

const memory = param.text({
  name: "memory",
  description: "with boot: memory of the machine in MiB, or with a unit (default: 1024)",
  value: "SIZE",
  default: "1024",
});

const ssh = param.switch({
  name: "ssh",
  description: "with boot: forward a port of this machine to ssh, and print the command",
  default: false,
});

const until = param.optional({
  name: "until",
  description: "with boot: end with status 0 as soon as the console shows TEXT",
  value: "TEXT",
});

const timeout = param.text({
  name: "timeout",
  description: "with boot --until: fail after so many seconds (default: 300)",
  value: "SECONDS",
  default: "300",
});

export const boot = command({
  name: "boot",
  takes: "[IMAGE|URL]",
  offers: "files",
  description:
    "Boot an image, or the iPXE script at a URL, in QEMU, with its console in this terminal (default: the newest ISO)",
  group: "look",
  params: { firmware, as, memory, ssh, until, timeout },
  needsProject: (words) => words.length === 0,
  async run(context) {
    const { words, cwd, workspace, variant, note, print, show, signal, value } = context;
    const [named] = words;
    if (words.length > 1) throw usage("`boot` takes at most one image");
    const [mebibytes, seconds] = [parseMemory(await value(memory)), parseSeconds(await value(timeout))];
    const wanted = await value(as);
    const medium = mediumNames.find((name) => name === wanted) ?? "cd";
    findTool(emulator, installHint);
    const uefi = (await value(firmware)) === "uefi" ? { uefi: findUefiFirmware() } : {};
    const url = named === undefined ? undefined : bootUrlOf(named);
    if (url !== undefined && medium !== "net" && wanted !== "cd")
      throw usage(`a URL boots from the network, so --as ${medium} does not go with it`);
    if (medium === "net" || url !== undefined) requireNetworkBoot();
    const image =
      url ?? (named === undefined ? await newestIso(workspace, variant) : path.resolve(cwd, named));
    if (named === undefined) note(`booting ${path.relative(workspace, image)}, the newest`);
    const scratch = await mkdtemp(path.join(tmpdir(), "razor-mk-boot-"));
    try {
      const forwards = (await value(ssh)) ? [{ port: await freePort(), guest: 22 }] : [];
      for (const { port } of forwards) note(`when it is up: ssh -p ${port} tc@127.0.0.1`);
      const args = qemuArguments({
        medium: url === undefined ? await prepareMedium(image, medium, scratch) : { bootUrl: url },
        ...{ memory: mebibytes, ...uefi, forwards },
        ...{ kvm: canUseKvm(), display: false, console: "terminal" },
      });
      const text = await value(until);
      if (text === undefined) {
        note("the console is this terminal; Ctrl-C ends the machine");
        await runInTerminal(args, signal);
        return;
      }
      const watch = { until: text, timeoutMs: seconds * 1000, onLine: print, signal };
      const took = Math.round(await watchConsole(args, watch)) / 1000;
      show({ image, until: text, seconds: took }, [`seen after ${took.toFixed(1)} s: ${text}`]);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  },
});

function usage(message: string): UsageError {
  return new UsageError(message, { code: "boot-usage", hint: "usage: task boot [IMAGE] [--memory SIZE] …" });
}

const leastMemory = 64;

/** MiB of `1024`, `2GiB` or `512 MiB`. */
function parseMemory(text: string): number {
  const bytes = /^\d+$/.test(text.trim()) ? Number(text) * 1024 ** 2 : (parseSize(text) ?? 0);
  const mebibytes = Math.floor(bytes / 1024 ** 2);
  if (Number.isSafeInteger(mebibytes) && mebibytes >= leastMemory) return mebibytes;
  throw usage(`--memory is "${text}", but must be at least ${leastMemory} MiB, e.g. 1024 or 2GiB`);
}

/** Timers count no more milliseconds. */
const mostSeconds = 2_000_000;

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (/^\d+(?:\.\d+)?$/.test(text) && seconds > 0 && seconds <= mostSeconds) return seconds;
  throw usage(`--timeout is "${text}", but must be a number of seconds`);
}

/** A port on loopback that nothing listens on. */
async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
