/** What a disk's image is: its size, partition table, file system and format, and the boot codes that name its data partition. */
import { type Parameter, param } from "../../src/engine/index.ts";
import { UsageError } from "../../src/errors/index.ts";
import { type DiskFileSystem, type DiskIds, type DiskTable, diskIds } from "./disk-ids.ts";
import { parseSize } from "./limit-options.ts";
import { bootCodes } from "./remaster-options.ts";

/** Bytes. */
export const diskSize: Parameter<number> = {
  kind: "text",
  name: "disk-size",
  description:
    "with disk: size of the disk (default: 20G; G is 10^9 bytes, GiB is 2^30); the image is sparse",
  value: "SIZE",
  env: "MK_BUNDLE_DISK_SIZE",
  default: 20e9,
  parse: (text) => {
    const size = parseSize(text);
    if (size !== undefined && size <= mostBytes) return size;
    throw new UsageError(
      size === undefined
        ? `--disk-size is "${text}", but must be a number with a unit: M, G, T (powers of 1000), MiB, GiB, TiB`
        : `--disk-size is "${text}", but a disk with an image has at most 2 TiB`,
      { code: "disk-size", hint: "for example --disk-size 20G, or --disk-size 512MiB" },
    );
  },
};

/** Sectors are numbered with 32 bits in an MBR, and so they are for BIOS. */
const mostBytes = 2 * 1024 ** 4;

export const diskLayout: Parameter<string> = param.choice({
  name: "disk-layout",
  description: "with disk: partition table: gpt (default), mbr; both start under BIOS and UEFI",
  value: "TABLE",
  env: "MK_BUNDLE_DISK_LAYOUT",
  choices: ["gpt", "mbr"],
  default: "gpt",
});

export const diskFs: Parameter<string> = param.choice({
  name: "disk-fs",
  description: "with disk: file system of the data partition: ext4 (default), ext3, ext2, fat32",
  value: "FS",
  env: "MK_BUNDLE_DISK_FS",
  choices: ["ext4", "ext3", "ext2", "fat32"],
  default: "ext4",
});

export const diskFormat: Parameter<string> = param.choice({
  name: "disk-format",
  description:
    "with disk: format of the image: raw (default), qcow2, vmdk, vhdx; the last three need qemu-img",
  value: "FORMAT",
  env: "MK_BUNDLE_DISK_FORMAT",
  choices: ["raw", "qcow2", "vmdk", "vhdx"],
  default: "raw",
});

export const diskId: Parameter<string> = param.text({
  name: "disk-id",
  description: "with disk: text that the disk's UUIDs are made of; disks of one machine need different ones",
  value: "TEXT",
  env: "MK_BUNDLE_DISK_ID",
  default: "",
});

/** What the choices are: `param.choice` has checked them. */
export function diskKind(params: { readonly diskLayout: string; readonly diskFs: string }): {
  readonly table: DiskTable;
  readonly fs: DiskFileSystem;
} {
  return { table: params.diskLayout as DiskTable, fs: params.diskFs as DiskFileSystem };
}

/** What the UUIDs are made of, with layout and file system. They stay the same when the disk's content changes. */
export const diskSeed: Parameter<string> = param.derived({
  name: "disk-seed",
  description: "text that the disk's UUIDs are made of",
  default: async (host) => `${host.variant} ${await host.value(diskId)}`,
});

/** The ids of the disk. */
export function diskNames(params: {
  readonly diskSeed: string;
  readonly diskLayout: string;
  readonly diskFs: string;
}): DiskIds {
  const { table, fs } = diskKind(params);
  return diskIds(params.diskSeed, table, fs);
}

/** Stands for the UUID of the disk's data partition in boot codes. */
const placeholder = "UUID=DATA";

/** Boot codes for the entries of the disk's menu. */
export const diskCodes: Parameter<readonly string[]> = param.derived({
  name: "disk-codes",
  description: "boot codes of the disk",
  default: async (host) => {
    const { data } = diskNames({
      diskSeed: await host.value(diskSeed),
      diskLayout: await host.value(diskLayout),
      diskFs: await host.value(diskFs),
    });
    const given = (await host.value(bootCodes)).split(/\s+/).filter((code) => code !== "");
    // Another disk has a UUID or a label of its own.
    const onFat = given.find((code) => /^(?:home|opt)=(?!LABEL=|UUID=(?!DATA))/.test(code));
    if (onFat !== undefined && (await host.value(diskFs)) === "fat32") {
      throw new UsageError(
        `${onFat} cannot be kept on FAT: it has no owners and links, so Tiny Core stops its boot with a question`,
        { code: "disk-fat", where: "--boot-codes", hint: "use --disk-fs ext4, or omit the code" },
      );
    }
    for (const code of given.filter((one) => /^(?:tce|home|opt|restore)=(?:\/dev\/)?[hsv]d[a-z]/.test(one))) {
      const [name = ""] = code.split("=");
      host.note(
        `${code} names a disk by its place in the machine; ${name}=${placeholder} would be this disk's partition`,
      );
    }
    const has = (name: string): boolean => given.some((code) => code.startsWith(`${name}=`));
    return [
      ...(has("tce") ? [] : [`tce=${placeholder}`]),
      // Drivers of disks are loaded while Tiny Core boots; it waits no longer than it has to.
      ...(has("waitusb") ? [] : [`waitusb=10:${placeholder}`]),
      ...given,
    ].map((code) => code.replaceAll(placeholder, `UUID=${data}`));
  },
});
