/**
 * The command line of QEMU for what is booted: from a CD, a stick, a disk, the network, or a kernel directly. Nothing is started
 * here.
 *
 * Source: qemu(1), "-netdev user", "-chardev", "-drive".
 */
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { UserError } from "../errors/index.ts";

/** The program that is started; the caller makes sure that it is installed. */
export const emulator = "qemu-system-x86_64";

/**
 * What to boot; paths are absolute. From the network: a directory that is served by TFTP, and the name of a file in it; or the URL of
 * an iPXE script.
 */
export type BootMedium =
  | { readonly cdrom: string }
  | { readonly stick: string }
  | DiskMedium
  | { readonly kernel: string; readonly initrd: string; readonly append: string }
  | { readonly tftp: string; readonly bootFile: string }
  | { readonly bootUrl: string };

interface DiskMedium {
  readonly disk: string;
  /** As qemu-img calls it; raw without it. */
  readonly format?: string;
  /** What the disk is attached to; virtio without it. */
  readonly bus?: "virtio" | "ahci" | "nvme";
  /** Writes fail, vanish with the machine, or go to the image; they fail without it. */
  readonly writes?: "refused" | "dropped" | "kept";
}

interface QemuOptions {
  readonly medium: BootMedium;
  /** MiB. */
  readonly memory: number;
  /** Absolute path of the firmware for UEFI; BIOS without it. */
  readonly uefi?: string;
  readonly kvm: boolean;
  /** Whether there is a screen to show a display on. */
  readonly display: boolean;
  /** The first serial line: this terminal, with Ctrl-C as the terminal has it, or a file (absolute). */
  readonly console: "terminal" | { readonly file: string };
  /** Ports of this machine, on loopback, that lead to ports of the virtual machine. */
  readonly forwards?: readonly { readonly port: number; readonly guest: number }[];
  /** Whether the network reaches nothing but QEMU's own DHCP server. */
  readonly isolated?: boolean;
  /** Whether a restart of the machine ends it. */
  readonly once?: boolean;
}

/** The arguments behind the program's name. */
export function qemuArguments(options: QemuOptions): readonly string[] {
  const { medium, memory, uefi, kvm, display, once = true } = options;
  return [
    ...(kvm ? ["-accel", "kvm", "-cpu", "host"] : ["-accel", "tcg", "-cpu", "max"]),
    ...["-smp", "2", "-m", `${memory}`, "-name", "task"],
    ...(display ? [] : ["-nodefaults", "-display", "none"]),
    ...(once ? ["-no-reboot"] : []),
    ...(uefi === undefined ? [] : ["-machine", "q35", "-bios", uefi]),
    ...consoleArguments(options),
    ...networkArguments(options),
    ...mediumArguments(medium),
  ];
}

function consoleArguments({ console: line }: QemuOptions): readonly string[] {
  const device =
    line === "terminal" ? "stdio,id=console,signal=on" : `file,id=console,path=${quoted(line.file)}`;
  return ["-chardev", device, "-serial", "chardev:console"];
}

function networkArguments({ medium, forwards = [], isolated = false }: QemuOptions): readonly string[] {
  const fromNet = "tftp" in medium || "bootUrl" in medium;
  const user = [
    "user,id=net0",
    ...(isolated ? ["restrict=on"] : []),
    ...forwards.map(({ port, guest }) => `hostfwd=tcp:127.0.0.1:${port}-:${guest}`),
    ...("tftp" in medium ? [`tftp=${quoted(medium.tftp)}`, `bootfile=${quoted(medium.bootFile)}`] : []),
    ...("bootUrl" in medium ? [`bootfile=${quoted(medium.bootUrl)}`] : []),
  ];
  // Without its boot code the card does not ask the network when nothing else starts.
  const card = fromNet ? "virtio-net-pci,netdev=net0,bootindex=1" : "virtio-net-pci,netdev=net0,romfile=";
  return ["-netdev", user.join(","), "-device", card];
}

/** A comma in a file name would begin the next suboption: it is doubled. */
function quoted(file: string): string {
  return file.replaceAll(",", ",,");
}

const diskDevices = {
  virtio: ["-device", "virtio-blk-pci,drive=disk,bootindex=1"],
  ahci: ["-device", "ahci,id=ahci", "-device", "ide-hd,drive=disk,bus=ahci.0,bootindex=1"],
  nvme: ["-device", "nvme,drive=disk,serial=disk,bootindex=1"],
} as const;

function mediumArguments(medium: BootMedium): readonly string[] {
  if ("cdrom" in medium) {
    const file = quoted(medium.cdrom);
    return ["-drive", `file=${file},media=cdrom,format=raw,readonly=on`, "-boot", "d"];
  }
  if ("stick" in medium) {
    return [
      ...["-drive", `if=none,id=stick,file=${quoted(medium.stick)},format=raw,readonly=on`],
      ...["-device", "qemu-xhci", "-device", "usb-storage,drive=stick,bootindex=1"],
    ];
  }
  if ("disk" in medium) {
    const { disk, format = "raw", bus = "virtio", writes = "refused" } = medium;
    const mode = { refused: ",readonly=on", dropped: ",snapshot=on", kept: "" }[writes];
    return [
      ...["-drive", `if=none,id=disk,file=${quoted(disk)},format=${format}${mode}`],
      ...diskDevices[bus],
    ];
  }
  if ("tftp" in medium || "bootUrl" in medium) return [];
  return ["-kernel", medium.kernel, "-initrd", medium.initrd, "-append", medium.append];
}

/** OVMF with its variables in one file, as distributions have it; what it remembers is lost with the machine. */
const firmwareFiles = [
  "/usr/share/ovmf/OVMF.fd",
  "/usr/share/edk2/ovmf/OVMF.fd",
  "/usr/share/edk2/x64/OVMF.4m.fd",
  "/usr/share/qemu/OVMF.fd",
];

/** Absolute path of the firmware. @throws UserError `boot-program` with the package's name */
export function findUefiFirmware(): string {
  const found = firmwareFiles.find((file) => existsSync(file));
  if (found !== undefined) return found;
  throw new UserError("the UEFI firmware for QEMU, OVMF, is not installed", {
    code: "boot-program",
    hint: "install the package ovmf (Debian, Ubuntu) or edk2-ovmf (Fedora, Arch), or boot with --firmware bios",
  });
}

/** Boot code of network cards, one for each firmware. */
const networkRoms = ["pxe-virtio.rom", "efi-virtio.rom"];
const romDirectories = ["/usr/lib/ipxe/qemu", "/usr/share/ipxe/qemu", "/usr/share/ipxe", "/usr/share/qemu"];

/** @throws UserError `boot-program` where QEMU's network card has no boot code */
export function requireNetworkBoot(): void {
  if (romDirectories.some((directory) => networkRoms.some((rom) => existsSync(`${directory}/${rom}`))))
    return;
  throw new UserError("the network boot code for QEMU, iPXE, is not installed", {
    code: "boot-program",
    hint: "install the package ipxe-qemu (Debian, Ubuntu) or ipxe-roms-qemu (Fedora), or boot with --as cd",
  });
}

/** Whether this machine can be used for hardware virtualisation. A virtual machine in another often does nothing at all. */
export function canUseKvm(): boolean {
  return canUse("/dev/kvm") && !isVirtual();
}

function isVirtual(): boolean {
  try {
    return /^flags\s*:.*\bhypervisor\b/m.test(readFileSync("/proc/cpuinfo", "utf8"));
  } catch {
    return false;
  }
}

function canUse(device: string): boolean {
  try {
    accessSync(device, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
