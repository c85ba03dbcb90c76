/** What an ISO starts from: with bases and on machines that cannot do all of it. */
import { createHash } from "node:crypto";
import { copyFile, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commandEnvironment, makeFolder, openWorkspace, removeFolder, type Workspace } from "./workspace.ts";

describe("what starts an ISO", () => {
  let workspace: Workspace;
  let folder = "";
  let core = "";

  beforeAll(async () => {
    workspace = await openWorkspace();
    folder = await makeFolder("firmware");
    await workspace.build(["boot-loaders", "--source", "sample"]);
    core = workspace.path(".buildcache/v1/out/shared/fetch-iso");
  });

  afterAll(() => removeFolder(folder));

  const made = () => workspace.path(".buildcache/v1/out/shared/boot-loaders/loaders");

  it("is not UEFI with a 32-bit base: a note for who leaves the choice, an error for who asks for it", async () => {
    const root = path.join(folder, "root");
    await mkdir(path.join(root, "boot"), { recursive: true });
    await workspace.$`cp -r ${path.join(core, "boot/isolinux")} ${path.join(root, "boot")}`;
    await copyFile(path.join(core, "boot/vmlinuz64"), path.join(root, "boot/vmlinuz"));
    await copyFile(path.join(core, "boot/corepure64.gz"), path.join(root, "boot/core.gz"));
    const iso = path.join(folder, "Core.iso");
    await workspace.$`xorriso -as mkisofs -quiet -l -J -R -o ${iso} ${root}`;
    const md5 = createHash("md5")
      .update(await readFile(iso))
      .digest("hex");
    await writeFile(`${iso}.md5.txt`, `${md5}  Core.iso\n`);
    const lock = path.join(folder, "sources.lock.json");
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
    expect(stderr).toContain("note: the ISO will not start under UEFI: the base's kernel is a 32-bit one");
    expect(await readdir(made())).not.toContain("efi.img");
    const refused = await workspace.task([...args, "--firmware", "both"]);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toContain(
      "error: boot-loaders: the ISO cannot start under UEFI: the base's kernel is a 32-bit one",
    );
    expect(refused.stderr).toMatch(/hint: .*--firmware/);
    expect(refused.stderr).not.toMatch(/^\s+at /m);
  });

  it("is the same GRUB where its program is called grub2-mkimage", async () => {
    await workspace.build(["boot-loaders", "--source", "sample"]);
    const wanted = await readFile(path.join(made(), "efi.img"));
    const tools = path.join(folder, "tools");
    await mkdir(tools);
    for (const place of ["/usr/bin", "/bin", "/usr/sbin", "/sbin"]) {
      for (const name of await readdir(place)) {
        const called = name === "grub-mkimage" ? "grub2-mkimage" : name;
        await symlink(path.join(place, name), path.join(tools, called)).catch(() => {});
      }
    }
    const env = commandEnvironment({ PATH: tools });
    const { stderr } = await workspace.build(
      ["boot-loaders", "--source", "sample", "--force", "boot-loaders"],
      { env },
    );
    expect(stderr).not.toMatch(/will not start/);
    expect(wanted.equals(await readFile(path.join(made(), "efi.img")))).toBe(true);
  });
});
