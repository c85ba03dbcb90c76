/** An image of a Core ISO with another layout than that of Core's releases: built, bundled and booted. */
import { createHash } from "node:crypto";
import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { usesPrograms } from "../support/programs.ts";
import { bootQemu } from "../support/qemu.ts";
import { makeDirectory, openWorkspace, removeDirectory, version, type Workspace } from "./workspace.ts";

usesPrograms("cpio", "genisoimage", "xorriso", "xz", "zstd");

/** An emulated machine on a busy host may take minutes. */
const patience = 400_000;

describe("a Core ISO without Rock Ridge, with isolinux at the top, and an initrd of two parts, one packed with xz", () => {
  let workspace: Workspace;
  let directory = "";
  let args: readonly string[] = [];

  beforeAll(async () => {
    workspace = await openWorkspace();
    directory = await makeDirectory("core shapes");
    await workspace.build(["fetch-iso", "--source", "sample"]);
    const core = workspace.path(".buildcache/v1/out/shared/fetch-iso/boot");
    const root = path.join(directory, "root");
    await mkdir(path.join(root, "boot"), { recursive: true });
    await mkdir(path.join(directory, "modules/etc"), { recursive: true });
    await writeFile(path.join(directory, "modules/etc/part"), "of the second part\n");
    const { $ } = workspace;
    await $`cp -r ${path.join(core, "isolinux")} ${root}`;
    await copyFile(path.join(core, "vmlinuz64"), path.join(root, "boot/vmlinuz64"));
    // The kernel's xz knows this check only (Linux, Documentation/staging/xz.rst).
    await $`gzip -dc < ${path.join(core, "corepure64.gz")} | xz -0 --check=crc32 > ${path.join(root, "boot/rootfs64.gz")}`;
    await $({
      cwd: path.join(directory, "modules"),
    })`find etc | cpio -o -H newc --quiet | gzip -n > ${path.join(root, "boot/modules64.gz")}`;
    const menu = path.join(root, "isolinux/isolinux.cfg");
    const text = await readFile(menu, "utf8");
    const initrds = "early.img,/boot/rootfs64.gz,/boot/modules64.gz";
    await writeFile(menu, text.replace("/boot/corepure64.gz", initrds));
    // Where processors' microcode lies, the kernel reads it before anything is unpacked.
    await $({
      cwd: path.join(directory, "modules"),
    })`echo etc | cpio -o -H newc --quiet > ${path.join(root, "isolinux/early.img")}`;
    const iso = path.join(directory, "Core.iso");
    await $`genisoimage -quiet -iso-level 2 -o ${iso} ${root}`;
    const md5 = createHash("md5")
      .update(await readFile(iso))
      .digest("hex");
    await writeFile(`${iso}.md5.txt`, `${md5}  Core.iso\n`);
    const lock = path.join(directory, "sources.lock.json");
    await copyFile(workspace.path(".buildcache/sample.lock.json"), lock);
    args = ["--source", "sample", "--tcl-iso-url", pathToFileURL(iso).href, "--lock", lock];
    await workspace.build(["iso", "bundle", "pxe", "--debug", ...args]);
  });

  afterAll(() => removeDirectory(directory));

  it(
    "starts, with both parts and the image's layers",
    async () => {
      const iso = workspace.path(`build-files/rz_mk_debug-image.${version}.iso`);
      const machine = bootQemu({ cdrom: iso });
      try {
        await machine.expect(/\$ /, patience);
        expect(await machine.run("cat /etc/part /tmp/mk-version.yaml", patience)).toEqual({
          status: 0,
          output: `of the second part\n---\nmk_version: "${version}"`,
        });
      } finally {
        await machine.close();
      }
    },
    2 * patience,
  );

  it("has Core's own names in the image, its metadata, its menus, its network boot and its bundle", async () => {
    const { $ } = workspace;
    const iso = workspace.path(`build-files/rz_mk_debug-image.${version}.iso`);
    const image = path.join(directory, "image");
    await $`xorriso -no_rc -osirrox on -indev ${iso} -extract / ${image} && chmod -R u+rwX ${image}`;
    expect(parse(await readFile(path.join(image, "iso-metadata.yaml"), "utf8"))).toMatchObject({
      kernel: "boot/vmlinuz64",
      initrd: "boot/corepure64.gz",
    });
    const menu = await readFile(path.join(image, "boot/isolinux/isolinux.cfg"), "utf8");
    expect(menu).toContain("append initrd=early.img,/boot/corepure64.gz quiet");
    const grub = await readFile(path.join(image, "boot/grub/grub.cfg"), "utf8");
    expect(grub).toContain("linux /boot/vmlinuz64 quiet");
    expect(grub).toContain("initrd /boot/isolinux/early.img /boot/corepure64.gz\n");

    const served = workspace.path(`build-files/rz_mk_debug-pxe.${version}`);
    expect((await readdir(served, { recursive: true })).sort()).toEqual([
      "boot",
      "boot.ipxe",
      "boot/corepure64.gz",
      "boot/isolinux-early.img",
      "boot/vmlinuz64",
      "iso-metadata.yaml",
    ]);
    expect(await readFile(path.join(served, "boot.ipxe"), "utf8")).toMatch(
      /^kernel boot\/vmlinuz64 initrd=isolinux-early.img initrd=corepure64.gz quiet .*\ninitrd boot\/isolinux-early.img\ninitrd boot\/corepure64.gz\nboot$/m,
    );

    const bundle = path.join(directory, "bundle");
    await mkdir(bundle);
    await $({
      cwd: bundle,
    })`tar xzf ${workspace.path("build-files/razor-microkernel-bundle-debug.tar.gz")} && ./build_initial_directories.sh && ./rebuild_iso.sh`;
    const rebuilt = path.join(directory, "rebuilt");
    await $`xorriso -no_rc -osirrox on -indev ${path.join(bundle, `rz_mk_debug-image.${version}.iso`)} -extract / ${rebuilt} && chmod -R u+rwX ${rebuilt}`;
    for (const name of ["vmlinuz64", "isolinux/isolinux.cfg", "grub/grub.cfg"]) {
      const [ours, theirs] = await Promise.all(
        [image, rebuilt].map((place) => readFile(path.join(place, "boot", name))),
      );
      expect(ours?.equals(theirs ?? Buffer.alloc(0)), name).toBe(true);
    }
  });
});

describe("a Core ISO with names in capitals, an initrd packed with zstd, and another system that its menu does not start", () => {
  let workspace: Workspace;
  let directory = "";

  beforeAll(async () => {
    workspace = await openWorkspace();
    directory = await makeDirectory("capitals");
    await workspace.build(["fetch-iso", "--source", "sample"]);
    const core = workspace.path(".buildcache/v1/out/shared/fetch-iso/boot");
    const root = path.join(directory, "root");
    await mkdir(path.join(root, "BOOT/ISOLINUX"), { recursive: true });
    const { $ } = workspace;
    for (const name of await readdir(path.join(core, "isolinux")))
      await copyFile(path.join(core, "isolinux", name), path.join(root, "BOOT/ISOLINUX", name.toUpperCase()));
    await copyFile(path.join(core, "vmlinuz64"), path.join(root, "BOOT/VMLINUZ64"));
    await $`gzip -dc < ${path.join(core, "corepure64.gz")} | zstd -q -3 > ${path.join(root, "BOOT/COREPURE64.GZ")}`;
    await writeFile(path.join(root, "BOOT/VMLINUZ"), "another kernel");
    await writeFile(path.join(root, "BOOT/CORE.GZ"), "another initrd");
    const iso = path.join(directory, "Core.iso");
    await $`xorriso -as mkisofs -quiet -R -o ${iso} ${root}`;
    const lock = path.join(directory, "sources.lock.json");
    await copyFile(workspace.path(".buildcache/sample.lock.json"), lock);
    const args = ["--source", "sample", "--tcl-iso-url", pathToFileURL(iso).href, "--lock", lock];
    await workspace.build(["iso", "--debug", "--iso-version", "0.9.6", ...args]);
  });

  afterAll(() => removeDirectory(directory));

  it(
    "starts, from a stick",
    async () => {
      const machine = bootQemu({ stick: workspace.path("build-files/rz_mk_debug-image.0.9.6.iso") });
      try {
        await machine.expect(/\$ /, patience);
        expect(await machine.run("cat /tmp/mk-version.yaml", patience)).toEqual({
          status: 0,
          output: '---\nmk_version: "0.9.6"',
        });
      } finally {
        await machine.close();
      }
    },
    2 * patience,
  );
});
