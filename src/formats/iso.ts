/**
 * ISO 9660 images with Rock Ridge, written through xorriso.
 */
import { lutimes, rm } from "node:fs/promises";
import path from "node:path";
import { UserError } from "../errors/index.ts";
import type { Shell } from "../host/index.ts";
import { entriesBelow } from "./directory-entries.ts";
import { withTool } from "./tool-failure.ts";

export interface IsoBoot {
  /** Path of isolinux.bin in the ISO, e.g. `boot/isolinux/isolinux.bin`; it is taken from `root`. */
  readonly isolinux: string;
  /** Path of the boot catalogue that is made, e.g. `boot/isolinux/boot.cat`. */
  readonly catalog: string;
  /**
   * Path in the ISO of a FAT image for UEFI firmware, e.g. `boot/grub/efi.img`: another boot image of the CD, and with `mbr` a
   * partition of the disk.
   */
  readonly efi?: string;
  /** Absolute path of isolinux's MBR code (isohdpfx.bin): with it the ISO also starts when written to a disk or a stick. */
  readonly mbr?: string;
}

export interface IsoOptions {
  /** Absolute path of the directory that becomes the ISO's root. */
  readonly root: string;
  /** Absolute path of the file to write. */
  readonly out: string;
  readonly volumeId: string;
  readonly applicationId: string;
  readonly systemId: string;
  readonly publisher?: string;
  /** Seconds since 1970, for the volume and every file. */
  readonly epoch: number;
  readonly boot?: IsoBoot;
  /** Paths in the ISO of files whose contents lie behind all others, in this order. */
  readonly last?: readonly string[];
}

/** Field sizes of the primary volume descriptor, ECMA-119 8.4. */
const fieldSizes = { volumeId: 32, systemId: 32, applicationId: 128, publisher: 128 } as const;

/**
 * Writes `root` as an ISO to `out`, which is replaced. Directories are 0755 and files 0644, all root's, whatever the
 * disk says; the bytes depend on names, contents and options only. `root` is not changed, save the times of its files
 * where `epoch` is 0: xorriso writes the boot information table into the image's copy of isolinux.bin, unlike
 * genisoimage, which patches the file itself.
 * @throws UserError `iso-field` for an id that is too long or holds characters an ISO cannot, `tool-failed`, `tool-missing`
 */
export async function writeIso($: Shell, options: IsoOptions): Promise<void> {
  for (const [field, size] of Object.entries(fieldSizes)) {
    refuseBadField(field, options[field as keyof typeof fieldSizes] ?? "", size);
  }
  await rm(options.out, { force: true });
  const { epoch, root, out } = options;
  // All three are needed: the variable for what follows the clock otherwise, the file dates because directories keep
  // their own, and "uuid" for the volume's times and the boot catalogue's.
  const fileDates = await fileDatesOf(root, epoch);
  const dates = ["-volume_date", "all_file_dates", fileDates, "-volume_date", "uuid", isoTime(epoch)];
  const ids = [
    ...["-V", options.volumeId, "-appid", options.applicationId, "-sysid", options.systemId],
    // The default preparer names xorriso's version.
    ...["-publisher", options.publisher ?? "", "-preparer", ""],
  ];
  // Level 3 and -l: names of 31 characters are whole for loaders that read no Rock Ridge.
  const tree = [
    "-iso-level",
    "3",
    "-l",
    "-r",
    "-J",
    "-joliet-long",
    "-dir-mode",
    "0755",
    "-file-mode",
    "0644",
  ];
  // No 150 sectors of padding: they are for mounting CDs that were written track at once, where old Linux kernels read too far.
  const end = ["-no-pad"];
  const { boot } = options;
  const loader =
    boot === undefined
      ? []
      : [
          ...["-b", boot.isolinux, "-c", boot.catalog],
          ...["-no-emul-boot", "-boot-load-size", "4", "-boot-info-table"],
          // Whole cylinders, a MiB each, please partitioning programs only: the MBR's code asks the BIOS for its geometry.
          ...(boot.mbr === undefined ? [] : ["-isohybrid-mbr", boot.mbr, "-partition_cyl_align", "off"]),
          ...(boot.efi === undefined ? [] : ["-eltorito-alt-boot", "-e", boot.efi, "-no-emul-boot"]),
          // Makes the FAT image a partition of both tables; their ids follow the volume's time.
          ...(boot.mbr === undefined || boot.efi === undefined ? [] : ["-isohybrid-gpt-basdat"]),
        ];
  // The heavier, the nearer to the beginning; 0 is what all others weigh.
  const order = (options.last ?? []).flatMap((name, index) => ["--sort-weight", `${-1 - index}`, `/${name}`]);
  await withTool({ tool: "xorriso", what: "write the ISO", where: out, hint: spaceHint }, () => {
    return $`env SOURCE_DATE_EPOCH=${epoch} xorriso -no_rc ${dates} -as mkisofs -quiet -o ${out} ${ids} ${tree} ${end} ${loader} ${order} ${root}`;
  });
}

const spaceHint = "check that the disk has free space and every file of the ISO is readable";

/**
 * The argument for the date of all files. xorriso treats 0 as no date and writes the current time; but a file's own date
 * may be 0.
 */
async function fileDatesOf(root: string, epoch: number): Promise<string> {
  if (epoch !== 0) return `=${epoch}`;
  for (const name of [".", ...(await entriesBelow(root)).map((entry) => entry.path)])
    await lutimes(path.join(root, name), 0, 0);
  return "set_to_mtime";
}

/** ECMA-119 8.4.26.1 without the time zone: 16 digits, UTC. */
function isoTime(epoch: number): string {
  return `${new Date(epoch * 1000).toISOString().replace(/[-T:]/g, "").slice(0, 14)}00`;
}

function refuseBadField(field: string, value: string, size: number): void {
  const printable = /^[\x20-\x7e]*$/.test(value);
  if (printable && value.length <= size) return;
  const why = printable
    ? `has ${value.length} characters, but at most ${size} fit`
    : "has characters that are not ASCII";
  throw new UserError(`the ISO's ${field} ${JSON.stringify(value)} ${why}`, {
    code: "iso-field",
    hint: field === "volumeId" ? "use a shorter version" : "use a shorter text",
  });
}
