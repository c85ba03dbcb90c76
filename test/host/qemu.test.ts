/** The command line of QEMU. Options: qemu(1). */
import { describe, expect, it } from "vitest";
import { type BootMedium, qemuArguments } from "../../src/host/index.ts";

const base = { memory: 512, kvm: false, display: false, console: "terminal" } as const;
const line = (medium: BootMedium, more: Partial<Parameters<typeof qemuArguments>[0]> = {}): string =>
  qemuArguments({ ...base, medium, ...more }).join(" ");

describe("QEMU's command line", () => {
  it("has the image as what it is booted from, without writing to it", () => {
    expect(line({ cdrom: "/a.iso" })).toContain(
      "-drive file=/a.iso,media=cdrom,format=raw,readonly=on -boot d",
    );
    expect(line({ stick: "/a.iso" })).toMatch(
      /file=\/a\.iso,format=raw,readonly=on -device qemu-xhci -device usb-storage,/,
    );
    expect(line({ disk: "/a.iso" })).toMatch(/file=\/a\.iso,format=raw,readonly=on -device virtio-blk-pci,/);
    expect(line({ kernel: "/k", initrd: "/i", append: "quiet a=b" })).toContain(
      "-kernel /k -initrd /i -append quiet a=b",
    );
    expect(line({ bootUrl: "http://10.0.2.2:8080/boot.ipxe" })).toContain(
      "-netdev user,id=net0,bootfile=http://10.0.2.2:8080/boot.ipxe -device virtio-net-pci,netdev=net0,bootindex=1",
    );
    const net = line({ tftp: "/dir", bootFile: "boot.ipxe" });
    expect(net).toContain(
      "-netdev user,id=net0,tftp=/dir,bootfile=boot.ipxe -device virtio-net-pci,netdev=net0,bootindex=1",
    );
  });

  it("doubles commas in names, which would begin another suboption", () => {
    expect(line({ cdrom: "/a,readonly=off.iso" })).toContain("file=/a,,readonly=off.iso,media=cdrom");
    expect(line({ tftp: "/a,b", bootFile: "c" })).toContain("tftp=/a,,b,");
    expect(line({ cdrom: "/a" }, { console: { file: "/x,y" } })).toContain(
      "-chardev file,id=console,path=/x,,y ",
    );
  });

  it("forwards ports of loopback only, and can keep the machine to itself", () => {
    expect(line({ cdrom: "/a" }, { forwards: [{ port: 2222, guest: 22 }] })).toContain(
      "hostfwd=tcp:127.0.0.1:2222-:22",
    );
    expect(line({ cdrom: "/a" }, { isolated: true })).toContain("user,id=net0,restrict=on ");
  });

  it("uses KVM, UEFI, memory and a window where they are wanted", () => {
    expect(line({ cdrom: "/a" })).toContain("-accel tcg -cpu max -smp 2 -m 512 ");
    expect(line({ cdrom: "/a" }, { kvm: true })).toContain("-accel kvm -cpu host");
    expect(line({ cdrom: "/a" }, { uefi: "/OVMF.fd" })).toContain("-machine q35 -bios /OVMF.fd");
    expect(line({ cdrom: "/a" })).toContain("-display none");
    expect(line({ cdrom: "/a" }, { display: true, once: false })).not.toMatch(/-display|-no-reboot/);
  });
});
