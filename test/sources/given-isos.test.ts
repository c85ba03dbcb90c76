/** Core ISOs that users name: a refused one is one message, and a directory is a mirror of what it holds. */
import { mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { InitrdParts, label, writeShape } from "../image/core-shapes.ts";
import { useWorkshop } from "./workshop.ts";

const shop = useWorkshop();

describe("a Core ISO", () => {
  let core: Buffer;
  beforeAll(async () => {
    const parts = path.join(shop.directory, "parts");
    await mkdir(parts);
    core = await new InitrdParts(shop.workspace.$, parts).whole();
  });

  const core32 = label("core", "/boot/vmlinuz", "/boot/core.gz");
  const core64 = label("core64", "/boot/vmlinuz64", "/boot/corepure64.gz");
  const files = () => ({
    "boot/vmlinuz": "k",
    "boot/core.gz": core,
    "boot/vmlinuz64": "k",
    "boot/corepure64.gz": core,
  });

  it.each([
    ["no Core", { "boot/isolinux/isolinux.cfg": core32, README: "nothing" }, "not-a-core-iso"],
    ["two systems", { "boot/isolinux/isolinux.cfg": `default core\n${core32}${core64}` }, "several-systems"],
    [
      "another start",
      { "boot/isolinux/isolinux.cfg": "default x\nlabel x\nkernel /boot/vmlinuz\n" },
      "boot-menu",
    ],
    ["only GRUB", { "boot/grub/grub.cfg": "menuentry core {}\n" }, "no-boot-loader"],
  ])("that is refused is one message, with the code and the remedy: %s", async (name, own, code) => {
    const iso = path.join(shop.directory, `${name}.iso`);
    await writeShape(shop.workspace.$, iso, { files: { ...(name === "no Core" ? {} : files()), ...own } });
    const { status, stderr } = await shop.workspace.task(["fetch-iso", "--tcl-iso-url", iso]);
    expect(status).toBe(1);
    const at = stderr.indexOf("error: ");
    const [message, ...rest] = stderr.slice(at).split("\n");
    expect(message).toMatch(new RegExp(`^error: fetch-iso: .* \\[${code}\\]$`));
    expect(rest.filter((line) => line.startsWith("  hint: "))).toHaveLength(1);
    expect(stderr).not.toMatch(/xorriso|libisofs|^\s+at /m);
    expect(stderr.match(/error/g)).toHaveLength(1);
  });

  it("that is no ISO is one message too", async () => {
    const iso = path.join(shop.directory, "text.iso");
    await writeFile(iso, "nothing\n".repeat(20_000));
    const { status, stderr } = await shop.workspace.task(["fetch-iso", "--tcl-iso-url", iso]);
    expect({ status, errors: stderr.match(/error/g)?.length }).toEqual({ status: 1, errors: 1 });
    expect(stderr).not.toMatch(/xorriso|libisofs/);
  });

  it("of a directory is that of the release and architecture that the directory has", async () => {
    const mirror = path.join(shop.directory, "my mirror");
    const release = path.join(mirror, "16.x/x86_64/release");
    await mkdir(release, { recursive: true });
    const own = {
      "boot/isolinux/isolinux.cfg": `default core64\n${core64}`,
      "boot/isolinux/isolinux.bin": "loader",
    };
    const iso = path.join(shop.directory, "64.iso");
    await writeShape(shop.workspace.$, iso, { files: { ...files(), ...own } });
    await shop.workspace.$`cp ${iso} ${path.join(release, "CorePure64-current.iso")}`;
    await shop.workspace.build(["fetch-iso", "--source", mirror]);
    expect(await shop.locked(mirror)).toEqual(["CorePure64-current.iso"]);
    const boot = shop.workspace.path(".buildcache/v1/out/shared/fetch-iso/boot");
    expect(await readdir(boot)).toContain("corepure64.gz");

    await mkdir(path.join(mirror, "4.x/x86"), { recursive: true });
    const { status, stderr } = await shop.workspace.task(["fetch-iso", "-f", "--source", mirror]);
    expect(status).toBe(1);
    expect(stderr).toContain("[source-layout]");
    expect(stderr).toContain(
      `hint: choose one: --source ${mirror}/4.x/x86, or --source ${mirror}/16.x/x86_64`,
    );
  });
});
