/** Boot codes in menus of isolinux and GRUB. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it } from "vitest";
import { appendToGrub, appendToIsolinux, menusWithCodes } from "../../tasks/image/boot-codes.ts";

it("ends every append line, in capitals or not, with the codes that it does not have", () => {
  const menu =
    "label a\n\tAPPEND initrd=/boot/core.gz quiet\nlabel b\n  append cde initrd=/x\r\nlabel c\nappend -\n";
  const result = appendToIsolinux(menu, ["cde", "tz=A|B&C'D\"$&"]);
  expect(result).toBe(
    "label a\n\tAPPEND initrd=/boot/core.gz quiet cde tz=A|B&C'D\"$&\nlabel b\n  append cde initrd=/x tz=A|B&C'D\"$&\r\nlabel c\nappend cde tz=A|B&C'D\"$&\n",
  );
  expect(appendToIsolinux(result, ["cde", "tz=A|B&C'D\"$&"])).toBe(result);
});

it("quotes codes in GRUB's menu, and adds each once", () => {
  const menu = "menuentry x {\n  linux /boot/vmlinuz64 quiet\n  linuxefi /v\n  initrd /boot/core.gz\n}\n";
  const result = appendToGrub(menu, ["cde", "a=b|c", "cde"]);
  expect(result).toBe(
    "menuentry x {\n  linux /boot/vmlinuz64 quiet cde 'a=b|c'\n  linuxefi /v cde 'a=b|c'\n  initrd /boot/core.gz\n}\n",
  );
  expect(appendToGrub(result, ["cde", "a=b|c"])).toBe(result);
});

it("finds the menus of an ISO wherever they are, and leaves other files alone", async () => {
  const root = await mkdtemp(path.join(tmpdir(), "boot codes "));
  try {
    const menus = [
      "boot/isolinux/isolinux.cfg",
      "EFI/BOOT/grub/grub.cfg",
      "boot/isolinux/other.cfg",
      "cde/x.cfg",
    ];
    for (const name of menus) {
      await mkdir(path.dirname(path.join(root, name)), { recursive: true });
      const text = name.includes("grub") ? "linux /boot/vmlinuz\n" : "append initrd=/boot/core.gz\n";
      await writeFile(path.join(root, name), text);
    }
    const changed = await menusWithCodes(root, ["cde"]);
    expect([...changed.keys()].sort()).toEqual([
      "EFI/BOOT/grub/grub.cfg",
      "boot/isolinux/isolinux.cfg",
      "boot/isolinux/other.cfg",
    ]);
  } finally {
    await rm(root, { recursive: true });
  }
});
