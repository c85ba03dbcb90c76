/** Images of each variant, booted as a machine would boot them. */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { bootQemu, type QemuMachine } from "../support/qemu.ts";
import { refusalsOfRazor } from "../support/razor-iso-check.ts";
import { epoch, openWorkspace, version, type Workspace } from "./workspace.ts";

/** An emulated machine on a busy host may take minutes. */
const patience = 400_000;

describe("a machine that boots the image", () => {
  let workspace: Workspace;

  beforeAll(async () => {
    workspace = await openWorkspace();
    const ways = { dev: ["--pxe"], prod: ["--compress", "best"], debug: ["--layout", "single"] };
    for (const [variant, way] of Object.entries(ways)) {
      await workspace.build(["iso", "--source", "sample", `--${variant}`, ...way]);
    }
  });

  const iso = (variant: string) => workspace.path(`build-files/rz_mk_${variant}-image.${version}.iso`);

  async function withMachine(machine: QemuMachine, use: (machine: QemuMachine) => Promise<void>) {
    try {
      await use(machine);
    } finally {
      await machine.close();
    }
  }

  /** What a machine printed, and how long it took, for readers of the test's output. */
  function report(what: string, started: number): void {
    process.stdout.write(`${what} after ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
  }

  /** Waits for both lines, which come in either order. */
  async function expectUp(machine: QemuMachine, started: number, name: string): Promise<void> {
    const loaded = `MK Loaded: v${version}`;
    const [first] = await machine.expect(/mk[0-9a-f]{12} login: |MK Loaded: v\S+/, patience);
    report(`${name}: ${first}`, started);
    if (first.includes("login")) await machine.expect(loaded, patience);
    else expect(first).toBe(loaded);
    report(`${name}: ${loaded}`, started);
  }

  /** Waits until the Microkernel has said that there is no server: later, its line would stand among a command's output. */
  async function expectNoServer(machine: QemuMachine): Promise<void> {
    await machine.expect(/Microkernel: .*trying again/, patience);
  }

  it(
    "is a dev image from a CD: it loads every extension, has its tools, runs sshd and lets tc in",
    async () => {
      const started = performance.now();
      await withMachine(bootQemu({ cdrom: iso("dev") }), async (machine) => {
        await expectUp(machine, started, "dev, CD");
        await expectNoServer(machine);
        // Another prompt, whether or not the first has been seen.
        machine.send("");
        await machine.login("tc", "test1234", patience);
        report("dev, CD: logged in", started);
        const run = async (command: string) => machine.run(command, patience);
        const lines = async (command: string) => (await run(command)).output.split("\n");

        const wanted = (await lines("cat /tmp/builtin/onboot.lst")).map((name) => name.replace(/\.tcz$/, ""));
        const installed = await lines("ls -1 /usr/local/tce.installed");
        expect(wanted.length).toBeGreaterThan(10);
        for (const name of wanted) expect(installed).toContain(name);

        const lscpu = await run("lscpu");
        expect(lscpu).toMatchObject({ status: 0 });
        expect(lscpu.output).toMatch(/^Architecture: +x86_64$/m);
        expect(await run("sfdisk --version")).toMatchObject({ status: 0 });
        expect(await run("ruby -v")).toMatchObject({ status: 0, output: expect.stringMatching(/^ruby \d/) });
        const lshw = await run("lshw -short -C network -C processor");
        expect(lshw).toMatchObject({ status: 0 });
        expect(lshw.output).toMatch(/processor/);
        const facter = await run("facter kernel");
        expect(facter).toMatchObject({ status: 0, output: "Linux" });
        const gems = await lines("gem list --local");
        for (const gem of ["facter", "hocon", "stomp"])
          expect(gems).toContainEqual(expect.stringMatching(new RegExp(`^${gem} \\(\\d`)));
        expect(await run(`ruby -e 'gem "stomp"; require "stomp"; require "hocon"'`)).toMatchObject({
          status: 0,
        });
        expect((await run("cat /var/log/rz_mk_init.out")).output).toBe("");
        const servers = "netstat -ltn | grep -c '127.0.0.1:215[678] '";
        const all = await run(
          `n=0; until [ $(${servers}) = 3 ] || [ $n = 120 ]; do n=$((n + 1)); sleep 1; done; ${servers}`,
        );
        expect(all.output).toBe("3");
        const listening = (await lines("netstat -ltn")).filter((line) => line.includes("LISTEN"));
        const open = listening.filter((line) => !line.includes(" 127.0.0.1:"));
        expect(open.length).toBeGreaterThan(0);
        expect(open.filter((line) => !/:22 /.test(line))).toEqual([]);
        const list = "http://127.0.0.1:2157/tinycorelinux/tce-install-list";
        expect(await run(`wget -q -O - ${list}`)).toMatchObject({ status: 0, output: "[]" });
        expect((await run("ruby /usr/local/bin/rz_mk_controller.rb status")).output).toMatch(
          /^running, process \d+$/,
        );
        expect(await lines("stat -c '%a %u:%g' / /tmp /etc/shadow /usr/local/tce.installed")).toEqual([
          ...["755 0:0", "1777 0:0", "600 0:0", "775 0:50"],
        ]);
        expect(await lines("cat /tmp/mk-version.yaml")).toContain(`mk_version: "${version}"`);
      });
    },
    3 * patience,
  );

  it(
    "is a dev image from the network: kernel, initrd and script do as well without the ISO",
    async () => {
      const at = (name: string) => workspace.path(`build-files/rz_mk_dev-pxe.${version}/${name}`);
      const { kernel, initrd } = parse(await readFile(at("iso-metadata.yaml"), "utf8"));
      const script = await readFile(at("boot.ipxe"), "utf8");
      const [, append = ""] =
        new RegExp(`^kernel ${kernel} initrd=${path.basename(initrd)} (.*)\\ninitrd ${initrd}$`, "m").exec(
          script,
        ) ?? [];
      expect(append).toContain("console=ttyS0");
      const files = workspace.path(`build-files/rz_mk_dev-pxe.${version}`);
      expect(refusalsOfRazor(path.basename(iso("dev")), files, epoch)).toEqual([]);
      const medium = { kernel: at(kernel), initrd: at(initrd), append };
      const started = performance.now();
      await withMachine(bootQemu(medium), (machine) => expectUp(machine, started, "dev, PXE"));
    },
    2 * patience,
  );

  it(
    "is a prod image, packed as small as it gets, from a stick under UEFI: no sshd, no host keys, and nobody can log in",
    async () => {
      const started = performance.now();
      const machine = bootQemu({ stick: iso("prod") }, { firmware: "uefi" });
      await withMachine(machine, async () => {
        await expectUp(machine, started, "prod, UEFI, stick");
        machine.send("");
        for (const [user, password] of [...["test1234", "tcuser"].map((one) => ["tc", one]), ["root", ""]]) {
          const answer = await machine.answerLogin(user ?? "", password ?? "", patience);
          expect(answer).toMatch(/incorrect|bad salt/);
        }
        expect(machine.log).not.toMatch(/sshd|openssh|host key/i);
      });
    },
    3 * patience,
  );

  it(
    "is a debug image in one archive, from a CD under UEFI: tc is logged in without being asked",
    async () => {
      const started = performance.now();
      await withMachine(bootQemu({ cdrom: iso("debug") }, { firmware: "uefi" }), async (machine) => {
        const [prompt] = await machine.expect(/login: |\$ /, patience);
        expect(prompt).toBe("$ ");
        report("debug, UEFI, CD: logged in", started);
        await expectNoServer(machine);
        expect((await machine.run("id -un", patience)).output).toBe("tc");
        expect((await machine.run("grep mk_log_level /tmp/mk_conf.yaml", patience)).output).toContain(
          "DEBUG",
        );
      });
    },
    2 * patience,
  );
});
