/** `task boot` with a program in QEMU's place that prints what a test wants: how it ends, and what it says. */
import { spawn, spawnSync } from "node:child_process";
import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { beforeAll, describe, expect, it } from "vitest";
import { bytesContent, FileTree, writeLayer } from "../../src/formats/index.ts";
import { program } from "../cli/workshop.ts";
import { useWorkspace } from "../formats/workspace.ts";
import { packCoreIso } from "../hostile/iso-builder.ts";

const workspace = useWorkspace();

/** Its arguments go to a file, its standard output is `$FAKE_CONSOLE` as printf(1) has it. */
const fakeQemu = `#!/bin/sh
printf '%s\\n' "$@" >"$FAKE_ARGUMENTS"
[ -z "$FAKE_ERROR" ] || { echo "$FAKE_ERROR" >&2; exit 1; }
printf "$FAKE_CONSOLE"
[ -z "$FAKE_STAYS" ] || exec sleep 100
`;

function environment(fake: Readonly<Record<string, string>>) {
  const { PATH, HOME } = process.env;
  const places = { PATH: `${workspace.path("bin")}:${PATH}`, FAKE_ARGUMENTS: workspace.path("arguments") };
  return { HOME, NO_COLOR: "1", FAKE_CONSOLE: "", ...places, ...fake };
}

function boot(words: readonly string[], fake: Readonly<Record<string, string>> = {}) {
  return spawnSync(process.execPath, [program, "boot", ...words], {
    ...{ cwd: workspace.path(""), env: environment(fake), encoding: "utf8", timeout: 60_000 },
    input: "",
  });
}

async function givenArguments(): Promise<readonly string[]> {
  return (await readFile(workspace.path("arguments"), "utf8")).trimEnd().split("\n");
}

beforeAll(async () => {
  await mkdir(workspace.path("bin"));
  await writeFile(workspace.path("bin/qemu-system-x86_64"), fakeQemu);
  await chmod(workspace.path("bin/qemu-system-x86_64"), 0o755);
  await packCoreIso(workspace.$, workspace.path("core.iso"));
  await writeLayer(new FileTree().addFile("a", bytesContent(""), { mtime: 0 }), workspace.path("core.gz"));
});

describe("task boot --until", () => {
  it("ends with 0 as soon as the text is there, also in a line that is not complete", () => {
    const fake = {
      FAKE_CONSOLE: "Loading\\r\\n\\033[1mUp\\033[0m and running\\r\\nlogin: ",
      FAKE_STAYS: "yes",
    };
    const seen = boot(["core.iso", "--until", "login:"], fake);
    expect(seen).toMatchObject({ status: 0, stderr: "" });
    expect(seen.stdout).toMatch(/^Loading\nUp and running\nlogin: \nseen after \d+\.\d s: login:\n$/);
    expect(boot(["core.iso", "--until", "Up and"], fake).status).toBe(0);
  });

  it("prints JSON lines with --json, the result last", () => {
    const { stdout } = boot(["core.iso", "--until", "two", "--json"], {
      FAKE_CONSOLE: "one\\ntwo",
      FAKE_STAYS: "yes",
    });
    const documents = stdout
      .trimEnd()
      .split("\n")
      .map((text) => JSON.parse(text));
    expect(documents.at(-1)).toMatchObject({ until: "two", seconds: expect.any(Number) });
  });

  it("ends with 1 when the time is over, or the machine ends before", () => {
    const late = boot(["core.iso", "--until", "login:", "--timeout", "0.2"], {
      FAKE_CONSOLE: "one\\ntwo",
      FAKE_STAYS: "yes",
    });
    expect(late).toMatchObject({ status: 1, stdout: "one\ntwo\n" });
    expect(late.stderr).toMatch(
      /^error: the console did not show "login:" within 0\.2 s \[boot-timeout\]\n {2}where: last line: two\n/,
    );
    const ended = boot(["core.iso", "--until", "login:"], { FAKE_CONSOLE: "one\\n" });
    expect([ended.status, ended.stderr.split("\n")[0]]).toEqual([
      1,
      'error: the machine ended before its console showed "login:" [boot-failed]',
    ]);
    const failed = boot(["core.iso", "--until", "login:"], {
      FAKE_ERROR: "qemu: cannot set up guest memory",
    });
    expect(failed.stderr).toContain(
      "QEMU failed with status 1: qemu: cannot set up guest memory [boot-failed]",
    );
  });
});

describe("task boot", () => {
  it("boots an ISO as the medium that is asked for", async () => {
    expect(boot(["core.iso"]).status).toBe(0);
    expect(await givenArguments()).toContain(
      `file=${workspace.path("core.iso")},media=cdrom,format=raw,readonly=on`,
    );
    boot(["core.iso", "--as", "kernel", "--memory", "2GiB", "--until", "up"], { FAKE_CONSOLE: "up" });
    const direct = await givenArguments();
    expect(direct[direct.indexOf("-append") + 1]).toBe("quiet console=ttyS0,115200");
    expect(direct[direct.indexOf("-m") + 1]).toBe("2048");
    const sshed = boot(["core.iso", "--ssh", "--until", "up"], { FAKE_CONSOLE: "up" });
    const port = /^note: when it is up: ssh -p (\d+) tc@127\.0\.0\.1$/m.exec(sshed.stderr)?.[1];
    expect((await givenArguments()).join(" ")).toContain(`hostfwd=tcp:127.0.0.1:${port}-:22`);
  });

  it("boots a disk image as a disk, or as a stick", async () => {
    const disk = Buffer.alloc(1024 * 1024);
    disk.writeUInt16LE(0xaa55, 510);
    await writeFile(workspace.path("disk.img"), disk);
    expect(boot(["disk.img", "--until", "x"]).status).toBe(1);
    const plain = (await givenArguments()).join(" ");
    expect(plain).toContain("virtio-blk-pci,drive=disk,bootindex=1");
    // What is written must not change the image.
    expect(plain).toMatch(/disk\.img,format=raw,snapshot=on/);
    await writeFile(workspace.path("disk.qcow2"), Buffer.concat([Buffer.from("QFI\u00fb", "latin1"), disk]));
    expect(boot(["disk.qcow2", "--until", "x"]).status).toBe(1);
    expect((await givenArguments()).join(" ")).toMatch(/disk\.qcow2,format=qcow2,snapshot=on/);
    expect(boot(["disk.img", "--as", "stick", "--until", "x"]).status).toBe(1);
    expect((await givenArguments()).join(" ")).toContain("usb-storage,drive=stick,bootindex=1");
    expect(boot(["disk.img", "--as", "kernel", "--until", "x"]).stderr).toContain("[boot-image]");
  });

  it("boots the iPXE script at a URL, by the name that a virtual machine has for this one", async () => {
    expect(boot(["http://127.0.0.1:8080/boot.ipxe?variant=prod", "--until", "x"]).status).toBe(1);
    expect((await givenArguments()).join(" ")).toContain(
      "-netdev user,id=net0,bootfile=http://10.0.2.2:8080/boot.ipxe?variant=prod -device virtio-net-pci,",
    );
    const refused = boot(["http://127.0.0.1:8080/boot.ipxe", "--as", "stick"]);
    expect([refused.status, refused.stderr]).toEqual([2, expect.stringContaining("[boot-usage]")]);
  });

  it("removes what it has taken out of the ISO, and ends the machine, when it is interrupted", async () => {
    const before = (await readdir(tmpdir())).filter((name) => name.startsWith("razor-mk-boot-"));
    const words = [program, "boot", "core.iso", "--as", "kernel", "--until", "never"];
    const env = environment({ FAKE_CONSOLE: "started\\n", FAKE_STAYS: "yes" });
    const child = spawn(process.execPath, words, {
      cwd: workspace.path(""),
      env,
      stdio: ["ignore", "pipe", "ignore"],
    });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    const after = (await readdir(tmpdir())).filter((name) => name.startsWith("razor-mk-boot-"));
    expect(after.filter((name) => !before.includes(name))).toEqual([]);
  });

  it("says what does not boot, and which values it accepts", async () => {
    await mkdir(workspace.path("empty"));
    for (const [words, message] of [
      [["core.gz"], /the image is of the kind initrd, but only an ISO or a disk image boots \[boot-image\]/],
      [["core.iso", "--as", "stick"], /the ISO has no partition table, .*\[boot-image\]/],
      [["empty"], /this is not a file \[not-a-file\]/],
      [["core.iso", "--memory", "1"], /--memory is "1", but must be at least 64 MiB/],
      [["core.iso", "--timeout", "soon"], /--timeout is "soon", but must be a number of seconds/],
      [["core.iso", "other.iso"], /`boot` takes at most one image \[boot-usage\]/],
    ] as const) {
      const refused = boot(words);
      expect(refused.stderr).toMatch(message);
      expect([1, 2]).toContain(refused.status);
    }
  });
});
