/** The UEFI boot menu that is made from the BIOS one. */
import { describe, expect, it } from "vitest";
import { grubMenu } from "../../tasks/image/grub-menu.ts";

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

describe("the menu of UEFI machines", () => {
  it("offers what the menu of BIOS machines does: kernels with their initrd and arguments", () => {
    expect(grubMenu(core)).toBe(`set default=0
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

  it("starts the label that is the default, whatever its place", () => {
    expect(grubMenu(core.replace("default microcore", "DEFAULT mc"))).toContain("set default=1\n");
  });

  it("waits as long: for ever without a time, not at all without a prompt", () => {
    expect(grubMenu(core.replace("timeout 100\n", ""))).toContain("set timeout=-1\n");
    expect(grubMenu(core.replace("prompt 1\n", ""))).toContain("set timeout=0\n");
  });

  it("looks for files without a folder where isolinux looks for them", () => {
    const menu = "label x\nkernel vmlinuz\nappend initrd=a.gz,/boot/b.gz quiet\n";
    expect(grubMenu(menu)).toContain(
      "linux /boot/isolinux/vmlinuz quiet\n  initrd /boot/isolinux/a.gz /boot/b.gz",
    );
  });
});
