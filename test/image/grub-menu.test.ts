/**
 * The UEFI boot menu that is made from the BIOS one.
 *
 * What isolinux and menu.c32 make of a configuration: syslinux `doc/syslinux.cfg.txt` and `doc/menu.txt` (Debian's package
 * syslinux-common). The independent reader is GRUB's own, grub-syslinux2cfg.
 */
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { type BootMenu, interpretMenu, readStatements } from "../../src/formats/index.ts";
import { readBootMenu } from "../../tasks/image/boot-menu.ts";
import { describeLostPasswords, grubMenu } from "../../tasks/image/grub-menu.ts";
import { ipxeScript, servedName } from "../../tasks/image/ipxe-script.ts";
import { useWorkspace } from "../formats/workspace.ts";
import { usesPrograms } from "../support/programs.ts";

usesPrograms("grub-syslinux2cfg");

const workspace = useWorkspace();

async function menuOf(text: string, included: Readonly<Record<string, string>> = {}): Promise<BootMenu> {
  return interpretMenu(await readStatements(text, async (name) => included[name]));
}

const grubOf = async (...args: Parameters<typeof menuOf>) => grubMenu(await menuOf(...args));

const core = `display boot.msg
default microcore
label microcore
\tkernel /boot/vmlinuz64
\tinitrd /boot/corepure64.gz
\tappend loglevel=3

label mc
\tkernel /boot/vmlinuz64
\tappend initrd=/boot/corepure64.gz loglevel=3 tz=it's$here
label memtest
\tkernel memtest
implicit 0
prompt 1
timeout 100
F1 boot.msg
`;

const withMenu = `UI menu.c32
PROMPT 0
TIMEOUT 300
MENU TITLE Razor
LABEL core
  MENU LABEL Tiny ^Core
  TEXT HELP
    kernel panic? linux is only a word here.
    append nothing
    label none
  ENDTEXT
  LINUX /boot/vmlinuz64
  INITRD /boot/corepure64.gz
  APPEND quiet
INCLUDE more.cfg
# LABEL old
label last
  menu default
  kernel vmlinuz64
  append initrd=/boot/corepure64.gz
`;
const more =
  "label debug\r\nlinux /boot/vmlinuz64\r\nappend initrd=/boot/ucode.img,/boot/corepure64.gz debug\r\n";

describe("the menu of UEFI machines", () => {
  it("offers what the menu of BIOS machines does: kernels with their initrd and arguments", async () => {
    expect(await grubOf(core)).toBe(`set default=0
set timeout=10
menuentry microcore {
  linux /boot/vmlinuz64 loglevel=3
  initrd /boot/corepure64.gz
}
menuentry mc {
  linux /boot/vmlinuz64 loglevel=3 'tz=it'\\''s$here'
  initrd /boot/corepure64.gz
}
`);
  });

  it("starts the label that is the default, whatever its place", async () => {
    expect(await grubOf(core.replace("default microcore", "DEFAULT mc"))).toContain("set default=1\n");
  });

  it("waits as long: for ever without a time, not at all without a prompt", async () => {
    expect(await grubOf(core.replace("timeout 100\n", ""))).toContain("set timeout=-1\n");
    expect(await grubOf(core.replace("prompt 1\n", ""))).toContain("set timeout=0\n");
    expect(await grubOf(core.replace("timeout 100\n", "totaltimeout 9000\n"))).toContain("set timeout=900\n");
  });

  it("looks for files without a directory where isolinux looks for them", async () => {
    const menu = "label x\nkernel vmlinuz\nappend initrd=a.gz,/boot/b.gz quiet\n";
    expect(await grubOf(menu)).toContain(
      "linux /boot/isolinux/vmlinuz quiet\n  initrd /boot/isolinux/a.gz /boot/b.gz",
    );
  });

  it("takes help texts, comments and includes for what they are", async () => {
    expect(await grubOf(withMenu, { "more.cfg": more })).toBe(`set default=2
set timeout=30
menuentry 'Tiny Core' {
  linux /boot/vmlinuz64 quiet
  initrd /boot/corepure64.gz
}
menuentry debug {
  linux /boot/vmlinuz64 debug
  initrd /boot/ucode.img /boot/corepure64.gz
}
menuentry last {
  linux /boot/isolinux/vmlinuz64
  initrd /boot/corepure64.gz
}
`);
  });

  it("has the titles, arguments and time that GRUB's own reader of isolinux.cfg finds", async () => {
    const boot = workspace.path("reader/boot");
    await mkdir(path.join(boot, "isolinux"), { recursive: true });
    for (const file of ["vmlinuz64", "corepure64.gz", "ucode.img"])
      await writeFile(path.join(boot, file), "");
    await writeFile(
      path.join(boot, "isolinux/isolinux.cfg"),
      withMenu.replace("300", "250").replace("kernel vm", "kernel /boot/vm"),
    );
    await writeFile(path.join(boot, "isolinux/more.cfg"), more.replaceAll("\r", ""));
    const read =
      await workspace.$`grub-syslinux2cfg -i -r ${workspace.path("reader")} ${boot}/isolinux/isolinux.cfg`;
    const ours = grubMenu(await readBootMenu(boot));
    const titles = (text: string) =>
      [...text.matchAll(/^menuentry (?:'([^']*)'|(\S+))/gm)].map(([, quoted, plain]) => quoted ?? plain);
    const args = (text: string) =>
      [...text.matchAll(/^ *linux(?:\$linux_suffix)? \S+ ?(.*)$/gm)].map(([, words = ""]) =>
        words.replace(/initrd=\S+ ?/, "").trim(),
      );
    expect(titles(ours)).toEqual(titles(read.stdout));
    expect(titles(ours)).toEqual(["Tiny Core", "debug", "last"]);
    expect(args(ours)).toEqual(args(read.stdout));
    expect(args(ours)).toEqual(["quiet", "debug", ""]);
    expect(ours.match(/set timeout=\d+/)?.[0]).toBe(read.stdout.match(/set timeout=\d+/)?.[0]);
  });

  it.each([
    ["DEFAULT, with UI", "ui menu.c32\ndefault b\n", "", "b"],
    ["MENU DEFAULT", "default menu.c32\nprompt 0\n", "menu default\n", "c"],
    [
      "MENU DEFAULT, as DEFAULT names the menu itself",
      "default vesamenu.c32\nprompt 0\n",
      "menu default\n",
      "c",
    ],
    ["ONTIMEOUT", "ui menu.c32\ndefault b\ntimeout 50\nontimeout c\n", "", "c"],
    ["the first entry", "ui vesamenu.c32\n", "", "a"],
  ])("of a menu.c32 starts %s", async (_what, head, mark, name) => {
    const entry = (one: string) => `label ${one}\nkernel /k\ninitrd /i\nappend ${one}\n`;
    const menu = await menuOf(`${head}${entry("a")}${entry("b")}${entry("c")}${mark}`);
    expect(menu.automatic).toMatchObject({ name });
    expect(grubMenu(menu)).toContain(`set default=${"abc".indexOf(name)}\n`);
  });

  it("of a menu.c32 waits as that does, also where a prompt is switched off", async () => {
    const menu = (head: string) => `${head}\nlabel a\nkernel /k\ninitrd /i\n`;
    expect(await grubOf(menu("default menu.c32\nprompt 0\ntimeout 50"))).toContain("set timeout=5\n");
    expect(await grubOf(menu("ui menu.c32\nprompt 0"))).toContain("set timeout=-1\n");
    expect(await grubOf(menu("ui menu.c32\nmenu hidden\ntimeout 15"))).toContain(
      "set timeout=2\nset timeout_style=hidden\n",
    );
    expect(await grubOf(menu("default m\nlabel m\nkernel menu.c32\ntimeout 50"))).toContain(
      "set timeout=5\n",
    );
  });

  it("leaves out what the menu hides or only shows, and knows a submenu's entries", async () => {
    const text = `ui menu.c32
label -
  menu label Local:
  menu disable
  kernel /k
  initrd /i
label hidden
  menu hide
  kernel /k
  initrd /i
menu begin
  menu title More
  timeout 10
  label inside
    kernel /k
    initrd /i
menu end
append quiet
label outside
  kernel /k
  initrd /i
label bare
  kernel /k
  initrd /i
  append -
`;
    const menu = await menuOf(text);
    expect(menu.automatic).toMatchObject({ name: "outside", args: ["quiet"] });
    expect(grubMenu(menu).match(/menuentry \S+|set t.*/g)).toEqual([
      "set timeout=-1",
      "menuentry inside",
      "menuentry outside",
      "menuentry bare",
    ]);
    expect(menu.labels.find(({ name }) => name === "bare")?.args).toEqual([]);
  });

  it("takes the last of several values, options after DEFAULT, and DEFAULT as a command", async () => {
    const twice = await menuOf(
      "default b\ndefault a x=1\nlabel a\nkernel /k\nkernel /l\nappend initrd=/i initrd=/j\n",
    );
    expect(twice.automatic).toEqual({
      name: "a",
      title: "a",
      isOffered: true,
      hasPassword: false,
      kernel: "/l",
      initrds: ["/j"],
      args: ["x=1"],
    });
    const command = await menuOf("default /boot/vmlinuz initrd=/boot/core.gz quiet\n");
    expect(command.automatic).toMatchObject({
      kernel: "/boot/vmlinuz",
      initrds: ["/boot/core.gz"],
      args: ["quiet"],
    });
    expect((await menuOf("default local\nlabel local\nlocalboot 0\n")).automatic).toBe("local");
  });

  it.each([
    ["UI", "ui menu.c32 graphics.conf other.conf\n", "other"],
    ["DEFAULT", "default vesamenu.c32 other.conf\nprompt 0\n", "other"],
    ["a label", "default menu\nlabel menu\nkernel menu.c32\nappend other.conf\n", "other"],
    ["UI with the main file", "ui menu.c32 graphics.conf ~\n", "main"],
  ])("is that of the file which menu.c32 is given: by %s", async (_what, head, name) => {
    const boot = workspace.path(`other ${head.replaceAll(/\W+/g, "-")}/boot`);
    await mkdir(path.join(boot, "isolinux"), { recursive: true });
    for (const file of ["k", "i"]) await writeFile(path.join(boot, file), "");
    const entry = (label: string) => `label ${label}\nkernel /boot/k\ninitrd /boot/i\n`;
    await writeFile(path.join(boot, "isolinux/isolinux.cfg"), `${head}${entry("main")}`);
    await writeFile(path.join(boot, "isolinux/graphics.conf"), "menu color title 1\ntimeout 70\n");
    await writeFile(
      path.join(boot, "isolinux/other.conf"),
      `${entry("first")}timeout 50\n${entry("other")}menu default\n`,
    );
    const menu = await readBootMenu(boot);
    expect(menu.automatic).toMatchObject({ name });
    expect(menu.seconds).toBe(name === "main" ? 7 : 5);
  });

  it("has no label whose files the ISO lacks, and names it", async () => {
    const boot = workspace.path("broken/boot");
    await mkdir(path.join(boot, "isolinux"), { recursive: true });
    for (const file of ["vmlinuz64", "corepure64.gz"]) await writeFile(path.join(boot, file), "");
    await writeFile(
      path.join(boot, "isolinux/isolinux.cfg"),
      `${core}label gone\nlinux /boot/gone\ninitrd /boot/corepure64.gz\nlabel out\nlinux /efi/k\ninitrd /boot/corepure64.gz\n`,
    );
    const menu = await readBootMenu(boot);
    expect(menu.broken.map(({ name }) => name)).toEqual(["gone", "out"]);
    expect(grubMenu(menu).match(/menuentry \w+/g)).toEqual(["menuentry microcore", "menuentry mc"]);
  });

  it("follows no include for ever", async () => {
    const menu = await menuOf(`include self\n${core}`, {
      self: "include self\nlabel z\nkernel /k\ninitrd /i\n",
    });
    expect(menu.labels.map(({ name }) => name)).toEqual(["z", "microcore", "mc"]);
  });
});

describe("passwords of the menu of BIOS machines", () => {
  const lost = async (text: string) => describeLostPasswords(await menuOf(text)).join("\n");

  it("are named by their labels, because the menu of UEFI machines does not ask for them", async () => {
    const sentence = await lost(core.replace("label mc\n", "label mc\n  Menu Passwd $4$salt$hash$\n"));
    expect(sentence).toContain('starts "mc" without the password');
    expect(sentence).not.toContain("MASTER");
  });

  it("are named where one protects the whole menu, before or among the labels", async () => {
    const line = "MENU MASTER PASSWD secret\n";
    for (const text of [line + withMenu, withMenu + line]) {
      expect(await lost(text)).toContain("no password for MENU MASTER PASSWD");
      expect(await lost(text)).not.toContain("secret");
    }
  });

  it("are not named where there are none", async () => {
    expect(await lost(core + withMenu)).toBe("");
  });
});

describe("the script of a network boot", () => {
  it("has every initrd of the menu's default, in its order, under the names that are served", async () => {
    const { automatic } = await menuOf(
      "default a\nlabel a\nkernel /boot/vmlinuz\nappend initrd=ucode.img,/boot/core.gz quiet\n",
    );
    const initrds =
      typeof automatic === "object" ? automatic.initrds.map((file) => `boot/${servedName(file)}`) : [];
    expect(ipxeScript("boot/vmlinuz", initrds, ["quiet"])).toBe(`#!ipxe
kernel boot/vmlinuz initrd=isolinux-ucode.img initrd=core.gz quiet
initrd boot/isolinux-ucode.img
initrd boot/core.gz
boot
`);
  });
});
