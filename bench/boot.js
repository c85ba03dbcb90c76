// From power-on to registered: the sample's image under emulation, beside the login prompt of the same machine.
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { loadavg } from "node:os";
import path from "node:path";
import { bootMachine, emulator, startRazorServer } from "./harness/machine.js";
import { summarise } from "./harness/measurement.js";
import { ensureTools } from "./harness/peers.js";
import { show } from "./harness/table.js";
import { openWorkspace } from "./harness/workspace.js";

/** An emulated machine on a busy host may take minutes. */
const patience = 600_000;

/** The default password of a dev image. */
const login = { user: "tc", password: "test1234" };

const logs = ["/var/log/rz_mk_init.log", "/var/log/rz_mk_controller.log"];

const memories = [1024, 512];

/** @typedef {import("./harness/measurement.js").Sample} Sample */

/** @param {import("./run.js").Options} options */
export async function run({ runs = 3 }) {
  if ((await ensureTools([emulator])).length > 0) {
    process.stderr.write(`bench: boot needs ${emulator}\n`);
    return;
  }
  const workspace = await openWorkspace("boot");
  const built = path.join(workspace.root, "build-files");
  // Images of earlier versions lie there, too.
  await rm(built, { recursive: true, force: true });
  await waitForNothing(path.join(workspace.root, "lists/microkernel.yaml"));
  await workspace.build("pxe", "--source", "sample", "--dev");
  const [directory] = (await readdir(built)).filter((name) => name.startsWith("rz_mk_dev-pxe."));
  const boot = path.join(built, directory ?? "", "boot");
  /** @type {Map<string, Sample[]>} */
  const samples = new Map();
  /** @type {string[]} */
  const facts = [];
  const before = loadavg()[0];
  for (let round = 0; round < runs; round += 1) {
    for (const memory of memories) {
      const { times, log } = await bootOnce(boot, memory);
      for (const [name, sample] of times) {
        const row = `${name}, ${memory} MB`;
        samples.set(row, [...(samples.get(row) ?? []), sample]);
      }
      if (round === 0 && memory === memories[0]) facts.push(...whereTimeGoes(log));
    }
  }
  facts.push(`load of this machine before and after: ${before?.toFixed(1)}, ${loadavg()[0]?.toFixed(1)}`);
  await show("boot", {
    title:
      "power-on to registered, sample image (dev), kernel line of a Razor server, no random wait, emulated processor",
    aim: "registered at most 1.5 × the login prompt; boots and registers with 512 MB",
    reference: `login prompt, ${memories[0]} MB`,
    rows: [...samples].map(([name, all]) => ({ name, times: summarise(all) })),
    facts,
  });
}

/**
 * Without the random wait before the first check-in, which would be most of what differs between two boots.
 * @param {string} settings Absolute path.
 */
async function waitForNothing(settings) {
  const text = await readFile(settings, "utf8");
  await writeFile(settings, text.replace(/^mk_checkin_skew:.*$/m, "mk_checkin_skew: 0"));
}

/**
 * One boot: when the console asked for a login, when the machine asked the server first, and when it had registered; and what the
 * machine's logs say about it.
 * @param {string} boot Absolute path of the directory with kernel and initrd.
 * @param {number} memory MiB.
 * @returns {Promise<{ times: Map<string, Sample>, log: string }>}
 */
async function bootOnce(boot, memory) {
  /** @type {Map<string, Sample>} */
  const times = new Map();
  /** @type {Promise<void>[]} */
  const marks = [];
  let registered = () => {};
  const registration = new Promise((resolve) => {
    registered = () => resolve(undefined);
  });
  const server = await startRazorServer((what) => {
    mark(what === "registration" ? "registered" : "first check-in");
    if (what === "registration") registered();
  });
  const started = performance.now();
  const machine = bootMachine({
    kernel: path.join(boot, "vmlinuz64"),
    initrd: path.join(boot, "corepure64.gz"),
    memory,
    server: server.port,
  });
  /** @param {string} name */
  function mark(name) {
    if (times.has(name)) return;
    const sample = { times: [(performance.now() - started) / 1000], cpu: 0 };
    times.set(name, sample);
    marks.push(
      machine.cpu().then((cpu) => {
        times.set(name, { ...sample, cpu });
      }),
    );
  }
  const late = setTimeout(() => void machine.off(), patience);
  try {
    await machine.expect(/login: /, patience);
    mark("login prompt");
    await Promise.race([registration, machine.failed]);
    await Promise.all(marks);
    return { times, log: await readLogs(machine) };
  } finally {
    clearTimeout(late);
    await machine.off();
    await server.close();
  }
}

/**
 * Logs in and prints the logs. What is typed while getty and login set up the terminal is lost: it is typed again.
 * @param {import("./harness/machine.js").Machine} machine
 */
async function readLogs(machine) {
  for (let left = 10; ; left -= 1) {
    try {
      machine.type(login.user);
      await machine.expect(/assword: /, 10_000);
      machine.type(login.password);
      await machine.expect(/\$ /, 30_000);
      break;
    } catch (error) {
      if (left === 0) throw error;
    }
  }
  // The quotes keep the terminal's echo of this line from looking like what it prints.
  machine.type(`cat ${logs.join(" ")}; echo the''end`);
  const [text] = await machine.expect(/[\s\S]*theend/, 60_000);
  return text.replaceAll("\r", "");
}

/**
 * The steps of which the machine's own logs give the duration.
 * @param {string} log
 */
function whereTimeGoes(log) {
  const steps = [...log.matchAll(/ -- : (.+): done in ([\d.]+) s/g)];
  return steps.map(([, step, seconds]) => `in the machine, by its own clock: ${step}: ${seconds} s`);
}
