/**
 * Core ISOs as people have them: other layouts, names and compressions than those of Core's releases.
 *
 * Sources: syslinux `doc/syslinux.cfg.txt` (where isolinux.cfg is looked for, what INITRD and initrd= mean); Tiny Core's
 * distribution_files (rootfs.gz, modules.gz, rootfs64.gz, modules64.gz); Linux `Documentation/filesystems/isofs.rst` (names
 * without Rock Ridge); El Torito boot images of GRUB-only ISOs have no isolinux.cfg.
 */
import { mkdir, readdir, readFile } from "node:fs/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { readCoreFacts } from "../../tasks/image/core-facts.ts";
import { openCoreIso } from "../../tasks/image/core-iso.ts";
import { readListing } from "../../tasks/image/tree-listing.ts";
import { useWorkspace } from "../formats/workspace.ts";
import { usesPrograms } from "../support/programs.ts";
import { InitrdParts, label, release, type Shape, writeShape } from "./core-shapes.ts";

usesPrograms("cpio", "grub-syslinux2cfg");

const workspace = useWorkspace();
const where = "Core.iso (http://mirror/Core.iso)";

async function open(name: string, shape: Shape) {
  const place = workspace.path(name);
  await mkdir(`${place}/scratch`, { recursive: true });
  await writeShape(workspace.$, `${place}/Core.iso`, shape);
  const places = { boot: `${place}/boot`, core: `${place}/core.json`, listing: `${place}/listing.json` };
  const notes: string[] = [];
  await openCoreIso(`${place}/Core.iso`, where, places, {
    scratch: `${place}/scratch`,
    note: (message) => notes.push(message),
  });
  const menu = (await readFile(`${place}/boot/isolinux/isolinux.cfg`, "latin1")).replaceAll("\r", "");
  const grub = await workspace.$`grub-syslinux2cfg -i -r ${place} ${place}/boot/isolinux/isolinux.cfg`;
  return {
    place,
    notes,
    menu,
    grub: grub.stdout,
    facts: await readCoreFacts(places.core),
    listing: (await readListing(places.listing)).paths(),
    files: (await readdir(places.boot, { recursive: true })).sort(),
    file: (file: string) => readFile(`${place}/boot/${file}`),
  };
}

const refuse = (name: string, shape: Shape) =>
  open(name, shape).then(
    () => undefined,
    (error: unknown) => error,
  );

describe("a Core ISO", () => {
  let parts: InitrdParts;
  let core: Buffer;
  beforeAll(async () => {
    await mkdir(workspace.path("parts"));
    parts = new InitrdParts(workspace.$, workspace.path("parts"));
    core = await parts.whole();
  });

  const loader = (directory = "boot/isolinux") => ({
    [`${directory}/isolinux.bin`]: Buffer.alloc(4096, "loader"),
  });
  const plain = (menu: string) => ({
    ...loader(),
    "boot/vmlinuz": "kernel",
    "boot/core.gz": core,
    "boot/isolinux/isolinux.cfg": menu,
  });
  const menu32 = `default core\n${label("core", "/boot/vmlinuz", "/boot/core.gz")}`;

  test("of a release keeps every byte of its boot files", async () => {
    const found = await open("release", { files: plain(menu32) });
    expect(found.facts).toEqual({
      kernel: "vmlinuz",
      initrd: "core.gz",
      kernelRelease: release,
      isChanged: false,
    });
    expect(found.menu).toBe(menu32);
    expect((await found.file("core.gz")).equals(core)).toBe(true);
    expect(found.files).toEqual([
      "core.gz",
      "isolinux",
      "isolinux/isolinux.bin",
      "isolinux/isolinux.cfg",
      "vmlinuz",
    ]);
    expect(found.notes).toEqual([]);
  });

  test("with two kernels and initrds is the one that its menu starts, where that starts only one", async () => {
    const both = { "boot/vmlinuz64": "kernel64", "boot/corepure64.gz": core };
    const small = await open("both, 32", { files: { ...plain(menu32), ...both } });
    expect(small.facts).toMatchObject({ kernel: "vmlinuz", initrd: "core.gz", isChanged: false });
    const menu64 = `default x\n${label("x", "/boot/vmlinuz64", "/boot/corepure64.gz")}`;
    const large = await open("both, 64", { files: { ...plain(menu64), ...both } });
    expect(large.facts).toMatchObject({ kernel: "vmlinuz64", initrd: "corepure64.gz" });
  });

  test.each(["core", "core64"])("whose menu starts two systems, %s by itself, is refused", async (name) => {
    const text = `default ${name}\n${label("core", "/boot/vmlinuz", "/boot/core.gz")}${label("core64", "/boot/vmlinuz64", "/boot/corepure64.gz")}`;
    const files = { ...plain(text), "boot/vmlinuz64": "kernel64", "boot/corepure64.gz": core };
    expect(await refuse(`two ${name}`, { files })).toMatchObject({
      code: "several-systems",
      message: expect.stringContaining(`"core64" loads /boot/corepure64.gz`),
      where: `${where}: boot/isolinux/isolinux.cfg`,
      hint: expect.stringContaining("remove the labels"),
    });
  });

  test.each([
    ["rootfs.gz", "modules.gz", "vmlinuz", "core.gz"],
    ["rootfs64.gz", "modules64.gz", "vmlinuz64", "corepure64.gz"],
    ["rootfs.gz", "modules64.gz", "vmlinuz64", "core.gz"],
  ])(
    "with %s and %s has both as its initrd, one after the other",
    async (rootfs, modules, kernel, initrd) => {
      const first = await parts.pack(["etc/passwd", "bin/busybox"]);
      const second = await parts.pack([`lib/modules/${release}/modules.dep`]);
      const text = `default core\nprompt 1\ntimeout 50\nlabel core\nkernel /boot/${kernel}\ninitrd /boot/${rootfs},/boot/${modules}\nappend quiet\n${label("ucode", `/boot/${kernel}`, `ucode.img,/boot/${rootfs},/boot/${modules}`)}`;
      const found = await open(`${rootfs} ${modules}`, {
        files: {
          ...loader(),
          [`boot/${kernel}`]: "kernel",
          [`boot/${rootfs}`]: first,
          [`boot/${modules}`]: second,
          "boot/isolinux/ucode.img": "ucode",
          "boot/isolinux/isolinux.cfg": text,
        },
      });
      expect(found.facts).toEqual({ kernel, initrd, kernelRelease: release, isChanged: true });
      const padding = Buffer.alloc((4 - (first.length % 4)) % 4);
      expect((await found.file(initrd)).equals(Buffer.concat([first, padding, second]))).toBe(true);
      expect(found.files).not.toContain(rootfs);
      expect(found.menu).toContain(`\ninitrd /boot/${initrd}\n`);
      expect(found.grub).toContain(`initrd=ucode.img,/boot/${initrd} quiet`);
      expect(found.listing).toEqual(
        expect.arrayContaining(["bin/busybox", "etc/passwd", `lib/modules/${release}/modules.dep`]),
      );
    },
  );

  const capitals = (text: string): string =>
    text.toUpperCase().replace("INITRD=", "initrd=").replace("QUIET", "quiet");
  test.each([
    ["without Rock Ridge", ["genisoimage", "-quiet", "-iso-level", "2"], (text: string) => text],
    ["with Joliet only", ["genisoimage", "-quiet", "-J", "-iso-level", "2"], (text: string) => text],
    ["with names and a menu in capitals", ["xorriso", "-as", "mkisofs", "-quiet", "-R"], capitals],
  ])("%s has its files under Core's names", async (_what, writer, change) => {
    const files = Object.entries({ ...plain(change(menu32)) }).map(([name, content]) => [
      change(name),
      content,
    ]);
    const found = await open(`names ${_what}`, { files: Object.fromEntries(files), writer });
    expect(found.files).toEqual([
      "core.gz",
      "isolinux",
      "isolinux/isolinux.bin",
      "isolinux/isolinux.cfg",
      "vmlinuz",
    ]);
    expect(found.facts).toMatchObject({ kernel: "vmlinuz", initrd: "core.gz" });
    expect(found.grub).toMatch(/\/boot\/vmlinuz'.* quiet/);
    expect(found.grub).toMatch(/initrd.*\/boot\/core\.gz/);
  });

  test("with isolinux at the top has it below /boot, also where the menu or a picture names the directory", async () => {
    const files = {
      ...loader("isolinux"),
      "isolinux/vmlinuz64": "kernel",
      "isolinux/corepure64.gz": core,
      "isolinux/sub/more.cfg": label("more", "/isolinux/vmlinuz64", "/ISOLINUX/corepure64.gz", "debug"),
      "isolinux/isolinux.cfg": `ui menu.c32\nmenu background /isolinux/back.png\n${label("core", "vmlinuz64", "corepure64.gz")}include /isolinux/sub/more.cfg\n`,
    };
    const found = await open("top", { files });
    expect(found.facts).toMatchObject({ kernel: "vmlinuz64", initrd: "corepure64.gz", isChanged: true });
    expect(found.menu).toBe(
      `ui menu.c32\nmenu background /boot/isolinux/back.png\n${label("core", "/boot/vmlinuz64", "/boot/corepure64.gz")}include /boot/isolinux/sub/more.cfg\n`,
    );
    expect(found.files).toEqual([
      "corepure64.gz",
      "isolinux",
      "isolinux/isolinux.bin",
      "isolinux/isolinux.cfg",
      "isolinux/sub",
      "isolinux/sub/more.cfg",
      "vmlinuz64",
    ]);
    expect(found.grub.match(/menuentry '\w+'/g)).toEqual(["menuentry 'core'", "menuentry 'more'"]);
    expect(found.grub.match(/initrd=\S+ \w+/g)).toEqual([
      "initrd=/boot/corepure64.gz quiet",
      "initrd=/boot/corepure64.gz debug",
    ]);
  });

  test("has the names of all files that its menu reads changed, and knows all labels in them", async () => {
    const menu = `ui menu.c32 main.conf\n`;
    const own = {
      ...loader("isolinux"),
      "isolinux/isolinux.cfg": menu,
      "isolinux/main.conf": `${label("core", "/ISOLINUX/VMLINUZ", "/isolinux/ROOTFS.GZ,modules.gz")}include /isolinux/more.inc\n`,
      "isolinux/more.inc": label("more", "vmlinuz", "rootfs.gz,modules.gz", "debug"),
      "isolinux/vmlinuz": "kernel",
      "isolinux/rootfs.gz": await parts.pack(["etc/passwd"]),
      "isolinux/modules.gz": core,
    };
    const found = await open("several files", { files: own });
    expect(found.menu).toBe(menu);
    expect((await found.file("isolinux/main.conf")).toString()).toBe(
      `${label("core", "/boot/vmlinuz", "/boot/core.gz")}include /boot/isolinux/more.inc\n`,
    );
    expect((await found.file("isolinux/more.inc")).toString()).toBe(
      label("more", "/boot/vmlinuz", "/boot/core.gz", "debug"),
    );
    const other = { "isolinux/more.inc": label("more", "vmlinuz", "modules.gz") };
    expect(await refuse("several files, two systems", { files: { ...own, ...other } })).toMatchObject({
      code: "several-systems",
    });
  });

  test("with isolinux at the top and its files in /boot needs no other menu", async () => {
    const files = {
      ...loader("isolinux"),
      "boot/vmlinuz": "k",
      "boot/core.gz": core,
      "isolinux/isolinux.cfg": menu32,
    };
    expect((await open("top, boot", { files })).menu).toBe(menu32);
  });

  test.each([
    ["xz", "--check=crc32"],
    ["zstd", "-19"],
    ["gzip", "-1"],
  ])("packed with %s keeps its bytes, and tells its kernel's release", async (...command) => {
    const packed = await parts.whole(command);
    const found = await open(`packed ${command[0]}`, { files: { ...plain(menu32), "boot/core.gz": packed } });
    expect((await found.file("core.gz")).equals(packed)).toBe(true);
    expect(found.facts).toEqual({
      kernel: "vmlinuz",
      initrd: "core.gz",
      kernelRelease: release,
      isChanged: false,
    });
  });

  test("whose menu starts something else by itself is a note", async () => {
    const found = await open("local", {
      files: plain(
        `default local\nprompt 1\ntimeout 50\nlabel local\nlocalboot 0x80\n${label("core", "/boot/vmlinuz", "/boot/core.gz")}`,
      ),
    });
    expect(found.notes).toEqual([
      'the boot menu starts "local" by itself, and the image only when it is chosen',
    ]);
  });

  test.each([
    [
      "another initrd",
      label("rescue", "/boot/vmlinuz", "/boot/rescue.gz"),
      "which loads /boot/rescue.gz and not Core's initrd",
    ],
    [
      "a missing kernel",
      label("rescue", "/boot/bzImage", "/boot/core.gz"),
      "with /boot/bzImage, which the ISO does not have",
    ],
    [
      "a missing initrd",
      label("rescue", "/boot/vmlinuz", "/boot/core.gz,/boot/none.gz"),
      "with /boot/none.gz, which the ISO does not have",
    ],
  ])("whose menu starts %s by itself is refused", async (what, text, why) => {
    const files = { ...plain(`${menu32.replace("core\n", "rescue\n")}${text}`), "boot/rescue.gz": "rescue" };
    expect(await refuse(what, { files })).toMatchObject({
      code: "boot-menu",
      message: `the boot menu starts "rescue"${what === "another initrd" ? "," : ""} ${why}`,
      where: `${where}: boot/isolinux/isolinux.cfg`,
      hint: expect.stringContaining("default"),
    });
  });

  test.each([
    ["no label", "timeout 50\n"],
    ["a kernel without an initrd", "default core\nlabel core\nkernel /boot/vmlinuz\n"],
  ])("whose menu starts %s is refused", async (what, text) => {
    expect(await refuse(what, { files: plain(text) })).toMatchObject({
      code: "boot-menu",
      message: "the boot menu has no label that starts a kernel with Core's initrd",
    });
  });

  test("that boots with GRUB only is refused, with what to add", async () => {
    const files = {
      "boot/vmlinuz": "kernel",
      "boot/core.gz": core,
      "boot/grub/grub.cfg": "menuentry core { linux /boot/vmlinuz; initrd /boot/core.gz; }\n",
    };
    expect(await refuse("grub", { files })).toMatchObject({
      code: "no-boot-loader",
      message: "the ISO boots with GRUB only, and the image's boot loader is isolinux",
      where,
      hint: expect.stringContaining("isolinux.cfg"),
    });
  });

  test.each([
    [
      "of another distribution",
      { "isolinux/isolinux.cfg": label("live", "/live/vmlinuz", "/live/initrd.img"), "live/vmlinuz": "k" },
    ],
    ["without a boot directory", { "README.TXT": "nothing" }],
    [
      "with a kernel and no initrd",
      { "boot/vmlinuz": "k", "boot/isolinux/isolinux.cfg": "default /boot/vmlinuz\n" },
    ],
  ])("%s is no Core ISO", async (what, files) => {
    expect(await refuse(what, { files })).toMatchObject({ code: "not-a-core-iso", where });
  });
});
