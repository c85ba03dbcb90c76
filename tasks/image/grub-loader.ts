/** GRUB as one program that finds its menu on a disk's data partition, for BIOS and for UEFI, made of the files of the host's packages. */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { type FileSet, files } from "../../src/engine/index.ts";
import { installHint, type Shell } from "../../src/host/index.ts";

/** All that a disk's menu needs. What is on the disk is read by the modules of the first line. */
const modules = [
  ...["part_gpt", "part_msdos", "ext2", "fat", "search_fs_uuid"],
  ...["normal", "configfile", "linux", "echo", "test", "ls", "reboot", "halt"],
];

/** What `modules` bring along, as `moddep.lst` has it, in any release since 2.02. */
const dependencies = [
  ...["acpi", "boot", "bufio", "cmp", "crypto", "datetime", "disk", "extcmd", "fshelp", "gettext", "lsapm"],
  ...["mmap", "net", "pci", "priority_queue", "relocator", "terminal", "vbe", "vga", "video", "video_fb"],
];

const targets = {
  bios: { name: "i386-pc", own: ["biosdisk"], tool: "GRUB for BIOS" },
  uefi: { name: "x86_64-efi", own: ["efi_gop"], tool: "grub-mkimage" },
} as const;

export type Firmware = keyof typeof targets;

/** The files of GRUB in one of the directories where distributions have them. */
export const grubFilesIn = (directory: string, firmware: Firmware) =>
  files(
    [
      ...["kernel.img", "moddep.lst", "modinfo.sh", "boot.img", "diskboot.img", "lzma_decompress.img"],
      ...[...modules, ...targets[firmware].own, ...dependencies].map((name) => `${name}.mod`),
    ],
    { root: `${directory}/${targets[firmware].name}`, optional: true },
  );

/** What is missing of GRUB for a firmware in what was found of it, with how it is installed; undefined if nothing is. */
export function missingGrub(
  firmware: Firmware,
  found: FileSet | undefined,
): { readonly why: string; readonly hint: string | undefined } | undefined {
  const { own, tool } = targets[firmware];
  const hint = installHint(tool);
  if (found === undefined)
    return { why: `GRUB for ${firmware === "bios" ? "BIOS" : "UEFI"} is not installed`, hint };
  const lacking = [...modules, ...own].filter((name) => !found.paths.includes(`${name}.mod`));
  return lacking.length === 0 ? undefined : { why: `${found.root} lacks ${lacking.join(", ")}`, hint };
}

/**
 * Makes the program, `out` (absolute), that starts the menu `/boot/grub/grub.cfg` of the file system with the UUID. `program` is the
 * name of grub-mkimage on this host.
 */
export async function makeGrubLoader(
  $: Shell,
  program: string,
  firmware: Firmware,
  {
    from,
    uuid,
    out,
    scratch,
  }: { readonly from: FileSet; readonly uuid: string; readonly out: string; readonly scratch: string },
): Promise<void> {
  const { name, own } = targets[firmware];
  const config = path.join(scratch, `${firmware}.cfg`);
  // No disk's number: a machine may have others, and a virtual one may call this one anything.
  await writeFile(config, `search.fs_uuid ${uuid} root\nset prefix=($root)/boot/grub\n`);
  const names = [...modules, ...own];
  await $`${program} -d ${from.root} -O ${name} -o ${out} -p /boot/grub -c ${config} ${names}`;
}
