/**
 * Production images attacked at their boot menus, by keyboard: what is typed there changes no kernel command line.
 *
 * The image is a small one whose init prints the kernel's command line and switches the machine off. Sources: syslinux
 * `doc/syslinux.cfg.txt` and `doc/menu.txt` (Tab edits an entry of menu.c32, Esc leaves it for the prompt); the GNU
 * GRUB manual, "The menu interface" (`e` edits an entry, Ctrl-X starts it, `c` opens the command line) and
 * "Authentication and authorisation".
 */

import { chmod, copyFile, cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { usesPrograms } from "../support/programs.ts";
import { type BootMedium, bootQemu, type QemuMachine, type QemuOptions } from "../support/qemu.ts";
import { QemuKeyboard } from "../support/qemu-keyboard.ts";
import { makeDirectory, openWorkspace, removeDirectory, type Workspace } from "./workspace.ts";

usesPrograms("dpkg-deb", "xorriso");

const patience = 200_000;

const init = `#!/bin/sh
/bin/busybox mount -t proc proc /proc
echo "command line: <$(/bin/busybox cat /proc/cmdline)>"
/bin/busybox poweroff -f
`;

/** GRUB's menu as it is drawn on the serial line, on which what two of its consoles write may be mingled. */
const grubMenu = /GNU GR[\s\S]*?(which entry|to edit the comm|command-line)/;

/** What the labels of the sample's menu give to the kernel. */
const options = "quiet loglevel=3 console=tty1 console=ttyS0,115200";

/** The menu of another Core ISO, which tries to stay open in what it includes. */
const otherMenu = `ui menu.c32
prompt 1
menu title Other
timeout 50
label mc
kernel /boot/vmlinuz64
append initrd=/boot/corepure64.gz ${options}
include more.inc
serial 0 115200
`;
const included = `allowoptions 1
noescape 0
implicit 1
label other
kernel /boot/vmlinuz64
append initrd=/boot/corepure64.gz ${options} other
`;

/** The package (absolute path) that the sample source took its isolinux modules from. */
async function debOf(workspace: Workspace, name: string): Promise<string> {
  const plan = await readFile(workspace.path(".buildcache/v1/out/shared/sample-packages/plan.json"), "utf8");
  const { packages } = JSON.parse(plan) as {
    readonly packages: readonly { readonly name: string; readonly sha256: string }[];
  };
  const sha256 = packages.find((one) => one.name === name)?.sha256 ?? "";
  return workspace.path(`.buildcache/v1/store/${sha256.slice(0, 2)}/${sha256.slice(2)}`);
}

describe("the boot menu of a production image", () => {
  let workspace: Workspace;
  let directory = "";
  const images = { closed: "", open: "", menuClosed: "", menuOpen: "" };

  beforeAll(async () => {
    workspace = await openWorkspace();
    directory = await makeDirectory("boot codes");
    const at = (name: string) => path.join(directory, name);
    await mkdir(at("overlay/etc"), { recursive: true });
    await writeFile(at("overlay/etc/shadow"), "root:*:1:0:9:7:::\ntc:*:1:0:9:7:::\n");
    await writeFile(at("overlay/init"), init);
    await chmod(at("overlay/init"), 0o755);
    await writeFile(at("empty"), "");
    const lists = ["builtin-list", "mirror-list", "gem-list", "util-linux-list"];
    const build = async (name: string, ...more: readonly string[]): Promise<string> => {
      await workspace.build([
        ...["iso", "--source", "sample", "--prod", "--iso-version", name, "--overlay", at("overlay")],
        ...["--compress", "fast", "--ruby-gems-url", "none", "--mcollective-url", "none"],
        ...lists.flatMap((list) => [`--${list}`, at("empty")]),
        ...more,
      ]);
      const iso = at(`${name}.iso`);
      const built = workspace.path(`build-files/rz_mk_prod-image.${name}.iso`);
      // Not renamed: temporary files may be on another file system.
      await copyFile(built, iso);
      await rm(built);
      return iso;
    };
    images.closed = await build("closed");
    images.open = await build("open", "--boot-menu", "open");

    const root = at("core");
    await cp(workspace.path(".buildcache/v1/out/shared/fetch-iso/boot"), path.join(root, "boot"), {
      recursive: true,
    });
    const isolinux = path.join(root, "boot/isolinux");
    await writeFile(path.join(isolinux, "isolinux.cfg"), otherMenu);
    await writeFile(path.join(isolinux, "more.inc"), included);
    await workspace.$`dpkg-deb -x ${await debOf(workspace, "syslinux-common")} ${at("syslinux")}`;
    for (const name of ["menu", "libutil", "libcom32"])
      await copyFile(
        at(`syslinux/usr/lib/syslinux/modules/bios/${name}.c32`),
        path.join(isolinux, `${name}.c32`),
      );
    const boot = ["-b", "boot/isolinux/isolinux.bin", "-c", "boot/isolinux/boot.cat"];
    const loader = ["-no-emul-boot", "-boot-load-size", "4", "-boot-info-table"];
    await workspace.$`xorriso -as mkisofs -quiet -R -o ${at("Core.iso")} ${boot} ${loader} ${root}`;
    const lock = at("sources.lock.json");
    await copyFile(workspace.path(".buildcache/sample.lock.json"), lock);
    const other = ["--tcl-iso-url", pathToFileURL(at("Core.iso")).href, "--lock", lock];
    images.menuClosed = await build("menu-closed", ...other);
    images.menuOpen = await build("menu-open", "--boot-menu", "open", ...other);
  }, 300_000);

  afterAll(() => removeDirectory(directory));

  let machines = 0;

  /** Boots, attacks, and gives the kernel's command line, or what came in its place. */
  async function start(
    medium: BootMedium,
    attack: (keyboard: QemuKeyboard, machine: QemuMachine) => Promise<void>,
    settings: QemuOptions = {},
  ): Promise<string> {
    machines += 1;
    const socket = path.join(directory, `monitor ${machines}`);
    const started = performance.now();
    const machine = bootQemu(medium, { memory: 512, ...settings, extra: QemuKeyboard.arguments(socket) });
    try {
      const keyboard = await QemuKeyboard.connect(socket);
      const attacking = attack(keyboard, machine);
      attacking.catch(() => undefined);
      const [line, found = line] = await machine.expect(/command line: <(.*)>|\/ # /, patience);
      keyboard.close();
      await attacking;
      process.stdout.write(
        `${JSON.stringify(medium)}: ${((performance.now() - started) / 1000).toFixed(1)} s\n`,
      );
      return found;
    } finally {
      await machine.close();
    }
  }

  /** Tries all keys that isolinux and menu.c32 know, again and again from the first moment on. */
  async function hammer(keyboard: QemuKeyboard): Promise<void> {
    while (keyboard.isOpen) {
      await keyboard.press("shift", "tab", "ctrl-c", "esc");
      await keyboard.type("mc user=eve rdinit=/bin/sh\n");
    }
  }

  const booted = (first: string) => `BOOT_IMAGE=/boot/vmlinuz64 ${first}${options}`;

  it(
    "takes no boot codes under BIOS, from a CD or a stick, with Core's menu or another one; it does where it is open",
    async () => {
      const [open, edited, closed, closedMenu] = await Promise.all([
        start({ cdrom: images.open }, async (keyboard, machine) => {
          await machine.expect("boot: ", patience);
          await keyboard.type("mc user=eve\n");
        }),
        start({ stick: images.menuOpen }, async (keyboard, machine) => {
          await machine.expect("Other", patience);
          await keyboard.press("tab");
          await keyboard.type(" user=eve\n");
        }),
        start({ cdrom: images.closed }, hammer),
        start({ stick: images.menuClosed }, hammer),
      ]);
      const line = booted("initrd=/boot/corepure64.gz ");
      expect([open, edited]).toEqual([`${line} user=eve`, `${line} user=eve`]);
      expect(closed).toBe(line);
      // What is typed may choose another label, which starts as it is written.
      expect([line, `${line} other`]).toContain(closedMenu);
    },
    2 * patience,
  );

  it(
    "takes no boot codes under UEFI, from a CD or a stick; it does where it is open",
    async () => {
      const useShell = async (keyboard: QemuKeyboard, machine: QemuMachine): Promise<void> => {
        await machine.expect(grubMenu, patience);
        await keyboard.press("e");
        await machine.expect("setparams", patience);
        await keyboard.press("esc");
        await machine.expect(grubMenu, patience);
        await keyboard.press("c");
        const commands = [
          "linux /boot/vmlinuz64 rdinit=/bin/sh console=ttyS0",
          "initrd /boot/corepure64.gz",
          "boot",
        ];
        for (const command of commands) {
          await machine.expect("grub> ", patience);
          await keyboard.type(`${command}\n`);
        }
      };
      const tryShell = async (keyboard: QemuKeyboard, machine: QemuMachine): Promise<void> => {
        await machine.expect(grubMenu, patience);
        for (const key of ["e", "c"]) {
          await keyboard.press(key);
          await machine.expect("Enter username:", patience);
          await keyboard.type("root\n");
          await machine.expect("Enter password:", patience);
          await keyboard.type("root\n");
          await machine.expect(grubMenu, patience);
        }
        await keyboard.press("esc", "ret");
      };
      const uefi = { firmware: "uefi" } as const;
      const [open, ...closed] = await Promise.all([
        start({ stick: images.open }, useShell, uefi),
        start({ cdrom: images.closed }, tryShell, uefi),
        start({ stick: images.closed }, tryShell, uefi),
      ]);
      expect(open).toBe("/ # ");
      expect(closed).toEqual([booted(""), booted("")]);
    },
    2 * patience,
  );
});
