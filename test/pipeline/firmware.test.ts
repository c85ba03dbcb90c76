/** What an ISO starts from: with bases and on machines that cannot do all of it. */
import { createHash } from "node:crypto";
import { copyFile, cp, mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { usesPrograms } from "../support/programs.ts";
import {
  commandEnvironment,
  makeDirectory,
  openWorkspace,
  removeDirectory,
  type Workspace,
} from "./workspace.ts";

usesPrograms("xorriso");

describe("what starts an ISO", () => {
  let workspace: Workspace;
  let directory = "";
  let core = "";

  beforeAll(async () => {
    workspace = await openWorkspace();
    directory = await makeDirectory("firmware");
    await workspace.build(["boot-loaders", "--source", "sample"]);
    core = workspace.path(".buildcache/v1/out/shared/fetch-iso");
  });

  afterAll(() => removeDirectory(directory));

  const made = () => workspace.path(".buildcache/v1/out/shared/boot-loaders/loaders");

  it("is not UEFI with a 32-bit base: a note for who leaves the choice, an error for who asks for it", async () => {
    const root = path.join(directory, "root");
    await mkdir(path.join(root, "boot"), { recursive: true });
    await workspace.$`cp -r ${path.join(core, "boot/isolinux")} ${path.join(root, "boot")}`;
    const menu = path.join(root, "boot/isolinux/isolinux.cfg");
    const text = await readFile(menu, "utf8");
    await writeFile(menu, text.replaceAll("vmlinuz64", "vmlinuz").replaceAll("corepure64", "core"));
    await copyFile(path.join(core, "boot/vmlinuz64"), path.join(root, "boot/vmlinuz"));
    await copyFile(path.join(core, "boot/corepure64.gz"), path.join(root, "boot/core.gz"));
    const iso = path.join(directory, "Core.iso");
    await workspace.$`xorriso -as mkisofs -quiet -l -J -R -o ${iso} ${root}`;
    const md5 = createHash("md5")
      .update(await readFile(iso))
      .digest("hex");
    await writeFile(`${iso}.md5.txt`, `${md5}  Core.iso\n`);
    const lock = path.join(directory, "sources.lock.json");
    await copyFile(workspace.path(".buildcache/sample.lock.json"), lock);
    const args = [
      "boot-loaders",
      "--source",
      "sample",
      "--tcl-iso-url",
      pathToFileURL(iso).href,
      "--lock",
      lock,
    ];

    const { stderr } = await workspace.build(args);
    expect(stderr).toContain("note: the ISO will not start under UEFI: the base's kernel is for 32 bits");
    expect(await readdir(made())).not.toContain("efi.img");
    const refused = await workspace.task([...args, "--firmware", "both"]);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain(
      "error: boot-loaders: the ISO cannot start under UEFI: the base's kernel is for 32 bits",
    );
    expect(refused.stderr).toMatch(/hint: .*--firmware/);
    expect(refused.stderr).not.toMatch(/^\s+at /m);
  });

  describe("on another distribution", () => {
    const step = ["boot-loaders", "--source", "sample"];
    const bare = { both: "", missing: [] as readonly string[] };

    /** Runs the step with a file system of another lay-out below `root`, where alone it looks, and its program's name. */
    async function runAt(
      root: string,
      places: { readonly grub: string; readonly mbr: string; readonly program: string },
      { both, missing }: typeof bare = bare,
    ) {
      const modules = path.join(root, places.grub, "x86_64-efi");
      await cp("/usr/lib/grub/x86_64-efi", modules, { recursive: true });
      for (const name of missing) await rm(path.join(modules, name));
      await mkdir(path.dirname(path.join(root, places.mbr)), { recursive: true });
      await copyFile("/usr/lib/ISOLINUX/isohdpfx.bin", path.join(root, places.mbr));
      const tools = path.join(root, "bin");
      await mkdir(tools);
      for (const place of ["/usr/bin", "/bin", "/usr/sbin", "/sbin"]) {
        for (const name of await readdir(place)) {
          const called = name === "grub-mkimage" ? places.program : name;
          await symlink(path.join(place, name), path.join(tools, called)).catch(() => {});
        }
      }
      const source = workspace.path("tasks/boot-loaders.ts");
      const original = await readFile(source, "utf8");
      await writeFile(source, original.replaceAll('"/usr/', `${JSON.stringify(root).slice(0, -1)}/usr/`));
      try {
        return await workspace.task([...step, ...(both === "" ? [] : ["--firmware", both])], {
          env: commandEnvironment({ PATH: tools }),
        });
      } finally {
        await writeFile(source, original);
      }
    }

    const fedora = { grub: "usr/lib/grub", mbr: "usr/share/syslinux/isohdpfx.bin", program: "grub2-mkimage" };

    it.each([
      ["Fedora", fedora],
      ["older Fedora", { ...fedora, grub: "usr/lib/grub2" }],
      ["openSUSE", { ...fedora, grub: "usr/share/grub2" }],
      ["Arch", { ...fedora, mbr: "usr/lib/syslinux/bios/isohdpfx.bin", program: "grub-mkimage" }],
    ])("is the same GRUB, and the same code for sticks, from where %s has them", async (name, places) => {
      await workspace.build(step);
      const read = async () =>
        Promise.all(["efi.img", "mbr.bin"].map((file) => readFile(path.join(made(), file))));
      const wanted = await read();
      const { status, stderr } = await runAt(path.join(directory, name), places);
      expect({ status, stderr }).toMatchObject({ status: 0 });
      expect(stderr).toMatch(/boot-loaders: rebuilt/);
      expect(stderr).not.toMatch(/will not start/);
      expect((await read()).map((bytes, index) => wanted[index]?.equals(bytes))).toEqual([true, true]);
    });

    it("does without a module for very old graphics", async () => {
      const missing = ["efi_uga.mod"];
      const { stderr } = await runAt(path.join(directory, "no uga"), fedora, { ...bare, missing });
      expect(stderr).not.toMatch(/will not start/);
      expect(await readdir(made())).toContain("efi.img");
    });

    it("is BIOS only where GRUB lacks a module that it takes, which is named, and no error unless UEFI is asked for", async () => {
      const missing = ["iso9660.mod"];
      const { status, stderr } = await runAt(path.join(directory, "no iso9660"), fedora, {
        ...bare,
        missing,
      });
      expect(status).toBe(0);
      expect(stderr).toMatch(
        /note: the ISO will not start under UEFI: \S.*x86_64-efi lacks iso9660; it is needed for/,
      );
      expect(await readdir(made())).toEqual(["mbr.bin"]);
      const refused = await runAt(path.join(directory, "refused"), fedora, { both: "both", missing });
      expect(refused.status).toBe(1);
      expect(refused.stderr).toMatch(
        /error: boot-loaders: the ISO cannot start under UEFI: .* lacks iso9660 \[firmware\]$/m,
      );
      expect(refused.stderr).toMatch(/hint: .*grub2-efi-x64-modules/);
    });
  });
});
