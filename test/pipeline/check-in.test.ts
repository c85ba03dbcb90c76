/**
 * The Microkernel's life with its server, in machines that boot as a Razor server boots them: with the kernel line that it
 * writes (Razor 0.x, `project_razor/engine.rb`: `maxcpus=1 quiet`), without a console, an `initrd=` or a test hook.
 */
import { once } from "node:events";
import { existsSync, watch } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { qemuArguments } from "../../src/host/index.ts";
import { bootQemu, QemuMachine } from "../support/qemu.ts";
import { RazorServer } from "../support/razor-server.ts";
import { openWorkspace, version, type Workspace } from "./workspace.ts";

/** An emulated machine on a busy host may take minutes. */
const patience = 400_000;
/** Where a Microkernel looks for its server; QEMU's DHCP server names 10.0.2.2, which is the host. */
const port = 8026;
const address = "52:54:00:12:34:56";
const second = "52:54:00:12:34:99";
/** Without an address of its own this machine has no IPv6 to offer. */
const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some((one) => one.address === "::1"));

describe("a machine that a server boots", () => {
  let workspace: Workspace;
  let directory = "";

  beforeAll(async () => {
    workspace = await openWorkspace();
    directory = await mkdtemp(path.join(tmpdir(), "razor-mk-"));
    for (const variant of ["dev", "prod"])
      await workspace.build(["pxe", "--source", "sample", `--${variant}`]);
  });

  afterAll(async () => await rm(directory, { recursive: true, force: true }));

  const medium = (variant: string, append: string) => {
    const boot = workspace.path(`build-files/rz_mk_${variant}-pxe.${version}/boot`);
    return { kernel: `${boot}/vmlinuz64`, initrd: `${boot}/corepure64.gz`, append };
  };

  /** QEMU makes the socket when it starts. */
  async function connectWhenThere(socket: string): Promise<Socket> {
    const watcher = watch(directory);
    while (!existsSync(socket)) await once(watcher, "change");
    watcher.close();
    const monitor = connect(socket);
    await once(monitor, "connect");
    return monitor;
  }

  /** Gives a command to QEMU's monitor. */
  async function order(socket: string, command: string): Promise<void> {
    const monitor = await connectWhenThere(socket);
    monitor.resume().end(`${command}\n`);
    await once(monitor, "close");
  }

  it(
    "is a dev image at a server that DHCP names: registers, obeys, notices a new card, and survives the server's absence",
    async () => {
      const server = new RazorServer();
      server.clientConfig = { mk_checkin_interval: 5, mk_reboot_interval: 0, mk_unknown: true };
      await server.listen(port);
      const socket = path.join(directory, "monitor");
      const extra = ["-monitor", `unix:${socket},server=on,wait=off`];
      const machine = bootQemu(medium("dev", "maxcpus=1 quiet"), {
        reachesHost: true,
        restarts: true,
        extra,
      });
      const next = async (what: Parameters<RazorServer["event"]>[0]) =>
        await server.event(what, server.events.length, patience);
      try {
        const first = await server.event(() => true, 0, patience);
        expect(first).toMatchObject({
          dialect: "razor",
          kind: "checkin",
          first: true,
          hardware: ["525400123456"],
        });
        const { facts } = await server.event((event) => event.kind === "register", 0, patience);
        expect(facts).toMatchObject({
          kernel: "Linux",
          hostname: "mk525400123456",
          mk_hw_nic_count: "1",
          mk_hw_nic1_serial: address,
          mk_hw_lscpu_Architecture: "x86_64",
          mk_hw_mem_size: "1GiB",
        });
        expect(
          Object.keys(facts).filter((name) =>
            /^(system_uptime|uptime|memory|load_average|mountpoints)/.test(name),
          ),
        ).toEqual([]);

        // Nobody touches the machine: it checks in at the interval that the server sent, and registers no more.
        const calm = server.events.length;
        await next((event) => event.kind === "checkin" && !event.first);
        await next((event) => event.kind === "checkin" && !event.first);
        expect(server.events.slice(calm).filter((event) => event.kind === "register")).toEqual([]);

        await order(socket, "netdev_add user,id=net1,net=10.0.9.0/24");
        await order(socket, `device_add virtio-net-pci,netdev=net1,mac=${second}`);
        const again = await next((event) => Object.values(event.facts).includes("10.0.9.15"));
        expect(again.hardware).toEqual(["525400123456", "525400123499"]);

        await server.close();
        const successor = new RazorServer();
        await successor.listen(port);
        try {
          await successor.event((event) => event.kind === "register", 0, patience);
          successor.clientConfig = { mk_dialect: "hanlon" };
          const other = await successor.event(
            (event) => event.dialect === "hanlon" && event.kind === "register",
            0,
            patience,
          );
          expect(other.facts).toMatchObject({ kernel: "Linux" });
          successor.order = "reboot";
          const before = successor.events.length;
          await successor.event((event) => event.dialect === "razor" && event.first, before, patience);
          expect(successor.refusals).toEqual([]);
        } finally {
          await successor.close();
        }
        expect(server.refusals).toEqual([]);
      } finally {
        await machine.close();
        await server.close();
      }
    },
    4 * patience,
  );

  it.skipIf(!hasIpv6)(
    "has only IPv6 at first, a cable that comes late, and a clock wrong by ten years: registers, and again with the other card",
    async () => {
      const server = new RazorServer();
      server.clientConfig = { mk_checkin_interval: 5 };
      const own = await server.listen(0, "::1");
      const socket = path.join(directory, "late");
      const extra = [
        ...["-monitor", `unix:${socket},server=on,wait=off`, "-rtc", "base=2036-02-29T00:00:00"],
        ...[
          "-netdev",
          "user,id=net1,ipv4=off",
          "-device",
          `virtio-net-pci,netdev=net1,mac=${second},romfile=`,
        ],
      ];
      // The host in QEMU's own IPv6 network (qemu(1), "-netdev user,ipv6-host=").
      const append = `maxcpus=1 quiet razor.ip=[fec0::2]:${own}`;
      const machine = bootQemu(medium("prod", append), { reachesHost: true, extra });
      try {
        await order(socket, "set_link net0 off");
        const { facts } = await server.event((event) => event.kind === "register", 0, patience);
        expect(facts).not.toHaveProperty("ipaddress");
        expect(facts).toMatchObject({ mk_hw_nic_count: "2" });
        await order(socket, "set_link net0 on");
        const again = await server.event((event) => "ipaddress" in event.facts, 0, patience);
        expect(again.facts).toMatchObject({ ipaddress: "10.0.2.15" });
        expect(server.refusals).toEqual([]);
      } finally {
        await machine.close();
        await server.close();
      }
    },
    2 * patience,
  );

  it(
    "has no card: says on its console what to do, without waiting for an address",
    async () => {
      const append = "maxcpus=1 quiet console=ttyS0";
      const args = qemuArguments({
        ...{ medium: medium("prod", append), memory: 512, kvm: false, display: false, console: "terminal" },
      });
      const machine = new QemuMachine([...args.toSpliced(args.indexOf("-netdev"), 4)]);
      try {
        await machine.expect("Microkernel: no Ethernet card: plug one in", patience);
      } finally {
        await machine.close();
      }
    },
    2 * patience,
  );

  it(
    "is a prod image of 512 MB with two cards at a razor-server that the kernel line names: reports, and switches off",
    async () => {
      const server = new RazorServer();
      const own = await server.listen();
      const append = `maxcpus=1 quiet razor.register=http://10.0.2.2:${own}/svc/checkin/7`;
      const extra = ["-device", "virtio-net-pci,mac=52:54:00:12:34:99,romfile="];
      const machine = bootQemu(medium("prod", append), { reachesHost: true, memory: 512, extra });
      try {
        const event = await server.event(() => true, 0, patience);
        expect(event).toMatchObject({ dialect: "razor-server", hardware: ["525400123456", "525400123499"] });
        expect(event.facts).toMatchObject({ kernel: "Linux", macaddress: address });
        server.order = "poweroff";
        await machine.ended(patience);
        expect(server.refusals).toEqual([]);
      } finally {
        await machine.close();
        await server.close();
      }
    },
    2 * patience,
  );
});
