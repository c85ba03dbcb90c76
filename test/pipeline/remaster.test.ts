/** Remastered Cores: built from configurations of ezremaster users, looked into with xorriso and cpio, and booted. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { usesPrograms } from "../support/programs.ts";
import { bootQemu } from "../support/qemu.ts";
import { makeDirectory, openWorkspace, removeDirectory, sha256, type Workspace } from "./workspace.ts";

usesPrograms("xorriso", "tar");

/** An emulated machine on a busy host may take minutes. */
const patience = 400_000;

/** What configurations of users look like, with names of the sample's extensions. */
const configurations: Readonly<
  Record<string, { readonly text: string; readonly codes: string; readonly onboot?: string }>
> = {
  "one code and five extensions outside, in order": {
    text: "temp_dir = /tmp/ezremaster/\ncc = nodhcp\napp_outside_initrd_onboot = lshw.tcz\napp_outside_initrd_onboot = bash.tcz\napp_outside_initrd_onboot = dmidecode.tcz\napp_outside_initrd_onboot = procps.tcz\napp_outside_initrd_onboot = perl5.tcz\n",
    codes: "nodhcp cde",
    onboot: "lshw bash dmidecode procps perl5",
  },
  "prose in another language between keys, and no final newline": {
    text: "用CorePure64作模板\r\ncc = vga=791 lang=zh_CN a=b|c&d\r\n注意事项\r\ncopy2fs.flg\r\napp_outside_initrd = bash.tcz",
    codes: "vga=791 lang=zh_CN a=b|c&d",
  },
  "the paths only": {
    text: "cd_location = CorePlus.iso\ntemp_dir = /tmp/x\n",
    codes: "cde",
    onboot: "dmidecode",
  },
  "many extracted extensions, a backup, and no codes": {
    text: "app_extract_initrd = bash.tcz\napp_extract_initrd = lshw.tcz\napp_extract_initrd = procps.tcz\napp_extract_initrd = perl5.tcz\napp_extract_initrd = dmidecode.tcz\nextract_tcz_script = ignore\nmydata = mydata.tgz\n",
    codes: "",
  },
  "two deep closures on boot": {
    text: "app_outside_initrd_onboot = ruby.tcz\napp_outside_initrd_onboot = fuse.tcz\n",
    codes: "cde",
    onboot: "ruby fuse",
  },
};

describe("a remastered Core", () => {
  let workspace: Workspace;
  let directory = "";
  const iso = (): string => workspace.path("build-files/remaster-dev.iso");
  const remaster = async (text: string, ...more: readonly string[]) => {
    const config = path.join(directory, "ezremaster.cfg");
    await writeFile(config, text);
    return await workspace.task(["remaster", "--source", "sample", "--config", config, ...more]);
  };
  const filesOf = async (image: string): Promise<readonly string[]> => {
    const { stdout } = await workspace.$`xorriso -indev ${image} -find / -type f -exec echo -- 2>/dev/null`;
    return stdout.split("\n").map((line) => line.replaceAll("'", "").replace(/^\.?\//, ""));
  };
  const textOf = async (image: string, name: string): Promise<string> => {
    const to = path.join(directory, "taken");
    await workspace.$`rm -rf ${to}`;
    await workspace.$`xorriso -osirrox on -indev ${image} -extract /${name} ${to} 2>/dev/null`;
    return await readFile(to, "utf8");
  };

  beforeAll(async () => {
    workspace = await openWorkspace();
    directory = await makeDirectory("remaster");
    const { $ } = workspace;
    await workspace.build(["fetch-iso", "--source", "sample"]);
    const core = workspace.path(".buildcache/v1/out/shared/fetch-iso/Core-current.iso");
    await mkdir(path.join(directory, "home/opt"), { recursive: true });
    await writeFile(path.join(directory, "home/opt/restored"), "of the backup\n");
    await $`tar -C ${path.join(directory, "home")} -czf ${path.join(directory, "mydata.tgz")} opt`;
    expect(await remaster("app_outside_initrd_onboot = dmidecode.tcz\n")).toMatchObject({ status: 0 });
    const plus = path.join(directory, "plus");
    await $`xorriso -osirrox on -indev ${core} -extract / ${plus} 2>/dev/null`;
    await $`chmod -R u+w ${plus}`;
    await $`xorriso -osirrox on -indev ${iso()} -extract /cde ${path.join(plus, "cde")} 2>/dev/null`;
    await $`xorriso -as mkisofs -quiet -R -o ${path.join(directory, "CorePlus.iso")} ${plus} 2>/dev/null`;
  }, patience);

  afterAll(() => removeDirectory(directory));

  it.each(Object.entries(configurations))(
    "is made of a configuration with %s",
    async (_, { text, codes, onboot }) => {
      expect(await remaster(text)).toMatchObject({ status: 0 });
      const { stdout } =
        await workspace.$`cat ${workspace.path(".buildcache/v1/out/shared/fetch-iso/boot/isolinux/isolinux.cfg")}`;
      const [append = ""] = /append .*/.exec(stdout) ?? [];
      const wanted = codes === "" ? append : `${append} ${codes}`;
      expect(await textOf(iso(), "boot/isolinux/isolinux.cfg")).toContain(`${wanted}\n`);
      if (onboot === undefined) return;
      const listed = (await textOf(iso(), "cde/onboot.lst")).trimEnd().split("\n");
      const asked = onboot.split(" ").map((name) => `${name}.tcz`);
      expect(listed.filter((name) => asked.includes(name))).toEqual(asked);
      expect(new Set(listed).size).toBe(listed.length);
      const files = await filesOf(iso());
      expect(listed.filter((name) => !files.includes(`cde/optional/${name}`))).toEqual([]);
    },
    patience,
  );

  it(
    "has the same bytes when it is built again, and no file of the Microkernel",
    async () => {
      const before = await sha256(iso());
      await workspace.$`rm ${iso()}`;
      const again = await workspace.task([
        "remaster",
        "--source",
        "sample",
        "--config",
        path.join(directory, "ezremaster.cfg"),
        "--force",
        "remaster-template",
      ]);
      expect(again).toMatchObject({ status: 0 });
      expect(await sha256(iso())).toBe(before);
      const files = await filesOf(iso());
      expect(files.filter((name) => /iso-metadata|COPYING/.test(name))).toEqual([]);
    },
    patience,
  );

  it.each([
    [
      "an extension for another kernel",
      "app_extract_initrd = original-modules-5.4.3-tinycore64.tcz\n",
      "kernel-mismatch",
      1,
    ],
    [
      "one that is extracted and mounted",
      "app_outside_initrd = bash.tcz\n\napp_extract_initrd = bash.tcz\n",
      "extension-places",
      1,
    ],
    ["a Core ISO that does not exist", "prose\ncd_location = missing.iso\n", "remaster-config", 2],
    ["a path instead of a name", "app_outside_initrd_onboot = ../bash.tcz\n", "bad-extension-name", 1],
    ["an extension that no mirror has", "app_outside_initrd_onboot = nonesuch.tcz\n", "unknown-extension", 1],
  ])(
    "is refused for %s, by code and line, and the last image stays",
    async (_, text, code, line) => {
      const before = await sha256(iso());
      const { status, stderr } = await remaster(text);
      expect(status).toBe(1);
      expect(stderr).toContain(`[${code}]`);
      expect(stderr).toContain(`ezremaster.cfg:${line}`);
      expect(await sha256(iso())).toBe(before);
    },
    patience,
  );

  it(
    "loads every extension from its place when it starts from a stick, and restores the backup",
    async () => {
      const text =
        "cc = restore=cde waitusb=5\napp_outside_initrd_onboot = bash.tcz\napp_inside_initrd_onboot = dmidecode.tcz\napp_extract_initrd = util-linux.tcz\nextract_tcz_script = ignore\nmydata = mydata.tgz\n";
      const overlay = path.join(directory, "initrd/etc");
      await mkdir(overlay, { recursive: true });
      await writeFile(path.join(overlay, "edited"), "by hand\n");
      expect(await remaster(text, "--initrd-overlay", path.dirname(overlay))).toMatchObject({ status: 0 });
      const machine = bootQemu({ stick: iso() });
      try {
        await machine.expect("Ready", patience);
        await machine.login("tc", "tcuser");
        const command =
          "for n in bash dmidecode; do mount | grep -o tcloop/$n; done; ls -l /proc/mounts >/dev/null; ls /tmp/tcloop | grep util-linux; which lscpu; cat /opt/restored /etc/edited; cat /sys/block/loop*/loop/backing_file | grep -e /bash.tcz -e dmidecode.tcz | sort";
        expect((await machine.run(command, patience)).output.split("\n")).toEqual([
          "tcloop/bash",
          "tcloop/dmidecode",
          expect.stringMatching(/bin\/lscpu$/),
          "of the backup",
          "by hand",
          expect.stringMatching(/^\/mnt\/sd[a-z]\/cde\/optional\/bash\.tcz$/),
          "/tmp/builtin/optional/dmidecode.tcz",
        ]);
      } finally {
        await machine.close();
      }
    },
    2 * patience,
  );
});
