// A virtual machine under QEMU's own emulation that a Razor server boots, and that server. It measures nothing.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { environment } from "./place.js";

/** Of this program an emulated processor is made, whatever the machine's own can do. */
export const emulator = "qemu-system-x86_64";

/** The address of this machine's loopback interface in QEMU's user network (qemu(1), "-netdev user"). */
const host = "10.0.2.2";

/** Clock ticks a second in /proc (sysconf(3), _SC_CLK_TCK; 100 in every Linux that Node runs on). */
const ticks = 100;

/**
 * @typedef {object} Machine
 * @property {(pattern: RegExp, timeoutMs: number) => Promise<RegExpExecArray>} expect Waits until the console shows it.
 * @property {(line: string) => void} type
 * @property {Promise<never>} failed Rejects when the machine ends.
 * @property {() => Promise<number>} cpu Seconds of processor time so far.
 * @property {() => Promise<void>} off
 */

/**
 * Boots a kernel with the line that a Razor server writes (Razor 0.x, `project_razor/engine.rb`).
 * @param {{ kernel: string, initrd: string, memory: number, server: number }} options Absolute paths, MiB, and the port
 *   of the server on this machine.
 * @returns {Machine}
 */
export function bootMachine({ kernel, initrd, memory, server }) {
  return startMachine(memory, [
    ...["-netdev", "user,id=net0", "-device", "virtio-net-pci,netdev=net0,romfile="],
    ...["-kernel", kernel, "-initrd", initrd],
    ...["-append", `maxcpus=1 quiet razor.ip=${host}:${server}`],
  ]);
}

/**
 * Boots an ISO from a CD; its absolute path, and MiB.
 * @param {string} iso
 * @param {number} memory
 */
export function bootCd(iso, memory) {
  const card = ["-netdev", "user,id=net0", "-device", "virtio-net-pci,netdev=net0,romfile="];
  return startMachine(memory, [
    ...card,
    "-drive",
    `file=${iso},media=cdrom,format=raw,readonly=on`,
    "-boot",
    "d",
  ]);
}

/**
 * Boots from the network: iPXE runs the script of a server on this machine's port.
 * @param {number} port
 * @param {number} memory MiB.
 */
export function bootNetwork(port, memory) {
  return startMachine(memory, [
    ...["-netdev", `user,id=net0,bootfile=http://${host}:${port}/boot.ipxe`],
    ...["-device", "virtio-net-pci,netdev=net0,bootindex=1"],
  ]);
}

/**
 * @param {number} memory MiB.
 * @param {readonly string[]} medium QEMU's arguments for what is booted.
 * @returns {Machine}
 */
function startMachine(memory, medium) {
  const child = spawn(
    emulator,
    [
      ...["-accel", "tcg", "-cpu", "max", "-smp", "2", "-m", `${memory}`],
      ...["-nodefaults", "-display", "none", "-no-reboot", "-serial", "stdio", ...medium],
    ],
    { env: environment(), stdio: ["pipe", "pipe", "pipe"] },
  );
  const ended = once(child, "close");
  /** @type {Set<() => void>} */
  const waiting = new Set();
  const wake = () => {
    for (const one of waiting) one();
  };
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("latin1").on("data", (part) => {
      text += part;
      wake();
    });
  }
  child.on("error", wake).on("close", wake);
  const failed = ended.then(() => {
    throw new Error(`the machine ended: ${text.slice(-300)}`);
  });
  // It is looked at only where somebody waits.
  failed.catch(() => {});
  let position = 0;
  return {
    failed,
    expect: async (pattern, timeoutMs) => {
      const deadline = performance.now() + timeoutMs;
      for (;;) {
        const found = pattern.exec(text.slice(position));
        if (found !== null) {
          position += found.index + found[0].length;
          return found;
        }
        const rest = deadline - performance.now();
        const over = child.exitCode !== null || child.pid === undefined;
        if (over || rest <= 0) throw new Error(`the console did not show ${pattern}: ${text.slice(-300)}`);
        await new Promise((resolve) => {
          const timer = setTimeout(done, rest);
          waiting.add(done);
          function done() {
            clearTimeout(timer);
            waiting.delete(done);
            resolve(undefined);
          }
        });
      }
    },
    type: (line) => child.stdin.write(`${line}\r`),
    cpu: async () => {
      // proc(5): utime and stime are the 14th and 15th fields; the second one ends with the last parenthesis.
      const fields = (await readFile(`/proc/${child.pid}/stat`, "latin1")).split(") ").at(-1)?.split(" ");
      return (Number(fields?.[11]) + Number(fields?.[12])) / ticks;
    },
    off: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/**
 * A Razor server on the loopback interface: it registers a machine at its first check-in, and then has no orders.
 * `onRequest` is called with each request.
 * @param {(what: "check-in" | "registration") => void} onRequest
 * @returns {Promise<{ port: number, close: () => Promise<void> }>}
 */
export async function startRazorServer(onRequest) {
  let known = false;
  const server = createServer(async (request, response) => {
    await request.resume().toArray();
    const registers = request.method === "POST";
    known ||= registers;
    onRequest(registers ? "registration" : "check-in");
    const answer = registers ? {} : { command_name: known ? "acknowledge" : "register", command_param: {} };
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ errcode: 0, response: answer }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
