/**
 * GRUB in the first sectors of a disk, as grub-bios-setup puts it there: that program wants root and a disk of the machine, and all that
 * it does is to write four numbers.
 *
 * Sources: GRUB 2.06, `include/grub/i386/pc/boot.h` (offsets), `grub-core/boot/i386/pc/boot.S` and `diskboot.S` (what they mean),
 * `util/setup.c` (the check of the boot drive, which is switched off for hard disks).
 */
import { UserError } from "../errors/index.ts";
import { printName } from "./names.ts";

const sectorSize = 512;

/** Where boot.img has the 64-bit number of the sector that it loads (GRUB_BOOT_MACHINE_KERNEL_SECTOR). */
const kernelSectorAt = 0x5c;
/** Where boot.img jumps over the check of the boot drive (GRUB_BOOT_MACHINE_DRIVE_CHECK). */
const driveCheckAt = 0x66;
const jump = 0xeb;
const nop = 0x90;
/** The code of an MBR ends where the disk's signature begins. */
const codeSize = 440;
/** The list of blocks at the end of diskboot.img: first sector (64 bits), number of sectors, and segment (16 bits each). */
const listAt = sectorSize - 12;
/** Segment that the second sector of the core is loaded at: GRUB_BOOT_MACHINE_KERNEL_SEG and a sector further. */
const segment = 0x820;

/**
 * The 440 bytes of code for the MBR, out of GRUB's `boot.img`, that load the core from the sector `first` on.
 * @throws UserError `grub-image` for a file that is no boot.img
 */
export function grubMasterBoot(bootImage: Buffer, first: number, where: string): Buffer {
  if (bootImage.length !== sectorSize || bootImage[driveCheckAt] !== jump)
    throw unknownImage("boot.img", where);
  const code = Buffer.from(bootImage.subarray(0, codeSize));
  code.writeBigUInt64LE(BigInt(first), kernelSectorAt);
  code.fill(nop, driveCheckAt, driveCheckAt + 2);
  return code;
}

/**
 * GRUB's core, as `grub-mkimage -O i386-pc` makes it, for the sector `first` on and in one piece; whole sectors.
 * @throws UserError `grub-image` for a file that is no such core, or does not fit into `sectors`
 */
export function grubCore(core: Buffer, first: number, sectors: number, where: string): Buffer {
  const count = Math.ceil(core.length / sectorSize);
  if (count < 2 || core.readUInt16LE(listAt + 10) !== segment) throw unknownImage("core", where);
  if (count > sectors) {
    throw new UserError(`GRUB's core has ${count} sectors, but there is room for ${sectors} only`, {
      code: "grub-image",
      where: printName(where),
      hint: "use the GRUB of your distribution",
    });
  }
  const placed = Buffer.alloc(count * sectorSize);
  core.copy(placed);
  placed.writeBigUInt64LE(BigInt(first + 1), listAt);
  placed.writeUInt16LE(count - 1, listAt + 8);
  return placed;
}

function unknownImage(what: string, where: string): UserError {
  return new UserError(`the file is not a ${what} of GRUB for BIOS`, {
    code: "grub-image",
    where: printName(where),
    hint: "install the GRUB of your distribution again (grub-pc-bin on Debian)",
  });
}
