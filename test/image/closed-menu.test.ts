/**
 * Menus that take no boot codes, whatever a Core ISO's own menus say.
 *
 * Sources: syslinux `doc/syslinux.cfg.txt` and `doc/menu.txt` (Debian's syslinux-common); the GNU GRUB manual, "Authentication and
 * authorisation in GRUB": with `superusers` set, only these may edit entries and use the command line; set to an empty string, nobody
 * may; `--unrestricted` lets everybody start an entry.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { closedMenus, closeGrubMenu, closeIsolinuxMenu } from "../../tasks/image/closed-menu.ts";

const closing = "allowoptions 0\nprompt 0\nnoescape 1\nnocomplete 1\n";

describe("a closed isolinux.cfg", () => {
  it("has the settings of a closed menu in place of its own, and everything else as it was", () => {
    const text =
      "display boot.msg\ndefault mc\nlabel mc\n\tkernel /boot/vmlinuz64\n\tappend quiet\nprompt 1\n";
    expect(closeIsolinuxMenu(text)).toBe(
      `${closing}display boot.msg\ndefault mc\nlabel mc\n\tkernel /boot/vmlinuz64\n\tappend quiet\n`,
    );
  });

  it("keeps SERIAL as its first directive, comments before it or not", () => {
    expect(closeIsolinuxMenu("# Core\n\n SERIAL 0 9600\ntimeout 300")).toBe(
      `# Core\n\n SERIAL 0 9600\n${closing}timeout 300`,
    );
    expect(closeIsolinuxMenu("serial 0")).toBe(`serial 0\n${closing}`);
    expect(closeIsolinuxMenu("default mc\nserial 0\n")).toBe(`${closing}default mc\nserial 0\n`);
  });

  it.each(["  PROMPT 1", "\tAllowOptions\t1", "noescape 0", "NOESCAPE", "nocomplete 0\r", "  MENU QUIT"])(
    "has no %j wherever it is: in a label, a submenu, or at the end without a line break",
    (line) => {
      const menu = `menu begin more\nlabel mc\n  kernel a\n${line}\n  append b\nmenu end\n${line}`;
      expect(closeIsolinuxMenu(menu)).toBe(
        `${closing}menu begin more\nlabel mc\n  kernel a\n  append b\nmenu end\n`,
      );
    },
  );

  it("keeps what only begins like one of the settings, and the line after one without a value", () => {
    const kept = "label prompt\nsay prompt 1\nprompts 1\nlabel implicit 1\n";
    expect(closeIsolinuxMenu(kept)).toBe(closing + kept);
    expect(closeIsolinuxMenu("prompt\nlabel mc\n")).toBe(`${closing}label mc\n`);
  });

  it("is the same when it is closed again", () => {
    const once = closeIsolinuxMenu("serial 0\nprompt 1\nlabel mc\n");
    expect(closeIsolinuxMenu(once)).toBe(once);
  });
});

describe("a closed grub.cfg", () => {
  it("has nobody who may edit, and entries that everybody may start", () => {
    const open =
      "set default=0\nset timeout=10\nmenuentry mc {\n  linux /boot/vmlinuz64\n}\nmenuentry 'a { b' {\n}\n";
    const closed = `set superusers=""\nexport superusers\nset default=0\nset timeout=10\nmenuentry mc --unrestricted {\n  linux /boot/vmlinuz64\n}\nmenuentry 'a { b' --unrestricted {\n}\n`;
    expect(closeGrubMenu(open)).toBe(closed);
    expect(closeGrubMenu(closed)).toBe(closed);
  });
});

describe("the closed menus of an ISO", () => {
  let boot = "";
  const put = async (name: string, text: string): Promise<void> => {
    await mkdir(path.dirname(path.join(boot, name)), { recursive: true });
    await writeFile(path.join(boot, name), text, "latin1");
  };

  beforeAll(async () => {
    boot = await mkdtemp(path.join(tmpdir(), "razor mk menus "));
  });
  afterAll(() => rm(boot, { recursive: true, force: true }));

  it("are isolinux.cfg, all that it includes or loads, in any case and nested, and GRUB's; no kernel and no text", async () => {
    await put(
      "isolinux/isolinux.cfg",
      "UI menu.c32 Start.CFG\nINCLUDE common.inc\ndisplay boot.msg\nlabel mc\nkernel /boot/vmlinuz\nappend initrd=/boot/core.gz quiet",
    );
    await put("isolinux/start.cfg", "menu include /boot/more/tools.cfg tools\nprompt 1");
    await put(
      "isolinux/common.inc",
      "allowoptions 1\nINCLUDE isolinux.cfg\ninclude missing.cfg\ninclude ../../../etc/passwd",
    );
    await put(
      "more/tools.cfg",
      "label tools\nconfig other.cfg\nlabel m\ncom32 vesamenu.c32\nappend /boot/more/last.cfg",
    );
    await put("more/other.cfg", "noescape 0");
    await put("more/last.cfg", "allowoptions 1");
    await put("isolinux/boot.msg", "prompt 1");
    await put("isolinux/menu.c32", "MZ\0");
    await put("isolinux/unused.cfg", "prompt 1");
    await put("vmlinuz", "\0kernel");
    await put("core.gz", "\0initrd");
    await put("grub/grub.cfg", "menuentry mc {\n}\n");
    const closed = await closedMenus(boot);
    const grub = closed.get("grub/grub.cfg")?.toString("latin1");
    expect(grub).toBe(`set superusers=""\nexport superusers\nmenuentry mc --unrestricted {\n}\n`);
    const others = [...closed].filter(([name]) => name !== "grub/grub.cfg");
    expect(others.map(([name]) => name).sort()).toEqual([
      ...["isolinux/common.inc", "isolinux/isolinux.cfg", "isolinux/start.cfg"],
      ...["more/last.cfg", "more/other.cfg", "more/tools.cfg"],
    ]);
    for (const [name, text] of others) {
      expect(text.toString("latin1").startsWith(closing), name).toBe(true);
      expect(text.toString("latin1"), name).not.toMatch(/allowoptions 1|prompt 1|noescape 0/);
    }
  });
});
