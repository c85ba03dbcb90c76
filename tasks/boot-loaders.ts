/**
 * What an ISO needs to start other than from a CD under BIOS: MBR code for a stick, and GRUB for UEFI, both out of the
 * host's packages. Made once: no edit of the image touches it.
 */

import { existsSync } from "node:fs";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { file, files, out, task } from "../src/engine/index.ts";
import { UserError } from "../src/errors/index.ts";
import { bytesContent, FileTree, printName, writeFat } from "../src/formats/index.ts";
import { installHint, type Shell } from "../src/host/index.ts";
import { fetchIso } from "./fetch-iso.ts";
import { readBootMenu, readLoaderFile } from "./image/boot-menu.ts";
import { readCoreFacts } from "./image/core-facts.ts";
import { describeLostPasswords, grubMenu } from "./image/grub-menu.ts";
import { firmware } from "./settings/image-options.ts";
import { shownPath } from "./settings/shown-path.ts";
import { undated } from "./settings/undated.ts";

/** Where distributions keep isolinux's MBR code. */
const mbrFiles = {
  debianMbr: file("/usr/lib/ISOLINUX/isohdpfx.bin", { optional: true }),
  fedoraMbr: file("/usr/share/syslinux/isohdpfx.bin", { optional: true }),
  archMbr: file("/usr/lib/syslinux/bios/isohdpfx.bin", { optional: true }),
};

/** All that the menu needs, and no more: reading the ISO, as a CD or a partitioned disk, and starting Linux. */
const grubModules = [
  ...["normal", "configfile", "echo", "test", "regexp", "search", "search_fs_file"],
  ...["iso9660", "part_gpt", "part_msdos", "linux", "efi_gop", "efi_uga", "ls", "reboot", "halt"],
];

/** Graphics of very old firmware, which not every distribution's GRUB knows any more. */
const dispensable: readonly string[] = ["efi_uga"];

/** What `grubModules` bring along, as `moddep.lst` has it. */
const grubDependencies = [
  ...[
    "acpi",
    "boot",
    "bufio",
    "crypto",
    "datetime",
    "extcmd",
    "fshelp",
    "gettext",
    "mmap",
    "net",
    "priority_queue",
  ],
  ...["relocator", "search_fs_uuid", "search_label", "terminal", "video", "video_fb"],
];

/** The medium that GRUB itself came from is asked first: another one may hold a file of this name too. */
const findMenu = `regexp --set=1:medium '^\\(([^,)]*)' "$cmdpath"
search --no-floppy --file --set=root --hint="$medium" /boot/grub/grub.cfg
set prefix=($root)/boot/grub
`;

const underUefi = "under UEFI";

const grubTarget = "x86_64-efi";

/** The files of GRUB that its program is made of; a distribution has them in one of the directories. */
const grubFiles = (directory: string) =>
  files(
    [
      ...["kernel.img", "moddep.lst", "modinfo.sh"],
      ...[...grubModules, ...grubDependencies].map((name) => `${name}.mod`),
    ],
    { root: `${directory}/${grubTarget}`, optional: true },
  );

/** By what distributions call it: Debian and Arch; Fedora and openSUSE. */
const grubPrograms = ["grub-mkimage", "grub2-mkimage"] as const;

export const bootLoaders = task({
  name: "boot-loaders",
  description: "Prepare the boot loaders for USB sticks and UEFI",
  internal: true,
  variants: "shared",
  needs: { core: fetchIso },
  inputs: {
    ...mbrFiles,
    // Debian, Arch and Fedora; older releases of Fedora; openSUSE.
    grub: grubFiles("/usr/lib/grub"),
    oldGrub2: grubFiles("/usr/lib/grub2"),
    grub2: grubFiles("/usr/share/grub2"),
  },
  params: { firmware },
  optionalTools: ({ firmware }) => {
    const use = ({ bios: "unused", both: "self-checked" } as const)[firmware] ?? "useful";
    return Object.fromEntries(grubPrograms.map((name) => [name, use]));
  },
  outputs: {
    /** `mbr.bin`, `efi.img` and `grub.cfg`, as far as they are to be had. */
    loaders: out.directory("loaders"),
  },
  async run({ $, needs, inputs, params, outputs, scratch, missingTools, note, signal }) {
    const isolinux = path.join(needs.core.boot, "isolinux");
    const without = (what: string, why: string, hint?: string): void => {
      if (["both", "uefi"].includes(params.firmware) && what === underUefi) {
        throw new UserError(`the ISO cannot start ${what}: ${why}`, {
          code: "firmware",
          where: "--firmware both",
          hint: hint ?? "build with --firmware bios, or from a Core that supports UEFI",
        });
      }
      note(`the ISO will not start ${what}: ${why}${hint === undefined ? "" : `; ${hint}`}`);
    };

    const mbr = [inputs.debianMbr, inputs.fedoraMbr, inputs.archMbr].find((name) => existsSync(name));
    if (!isHybridLoader(await readLoaderFile(isolinux, "isolinux.bin"))) {
      without("from a stick", "the base's isolinux.bin is too old");
    } else if (mbr === undefined) {
      without("from a stick", "isohdpfx.bin is not installed", installHint("isohdpfx.bin"));
    } else await copyFile(mbr, path.join(outputs.loaders, "mbr.bin"));

    if (params.firmware === "bios") return;
    const menu = await readBootMenu(needs.core.boot);
    const program = grubPrograms.find((name) => !missingTools.includes(name));
    const modules = [inputs.grub, inputs.oldGrub2, inputs.grub2].find(({ paths }) =>
      paths.includes("kernel.img"),
    );
    const lacking = grubModules.filter((name) => modules?.paths.includes(`${name}.mod`) === false);
    const { kernel } = await readCoreFacts(needs.core.core);
    if (kernel !== "vmlinuz64") {
      without(underUefi, "the base's kernel is for 32 bits");
    } else if (program === undefined || modules === undefined) {
      without(underUefi, "GRUB for EFI is not installed", installHint("grub-mkimage"));
    } else if (lacking.some((name) => !dispensable.includes(name))) {
      without(
        underUefi,
        `${shownPath(modules.root)} lacks ${lacking.join(", ")}`,
        installHint("grub-mkimage"),
      );
    } else {
      for (const { name } of menu.broken)
        note(`the menu under UEFI omits "${printName(name)}", whose files the ISO does not have`);
      for (const sentence of describeLostPasswords(menu)) note(sentence);
      await writeFile(path.join(outputs.loaders, "grub.cfg"), grubMenu(menu), "latin1");
      const names = grubModules.filter((name) => !lacking.includes(name));
      const loader = await makeLoader($, program, modules.root, names, scratch);
      const mtime = undated;
      const tree = new FileTree().addFile("EFI/BOOT/BOOTX64.EFI", bytesContent(loader), { mtime });
      const image = path.join(outputs.loaders, "efi.img");
      await writeFat(tree.ensureParents({ mtime }), image, { epoch: mtime, signal });
    }
  },
});

/** Since syslinux 3.72 a number in isolinux.bin says that MBR code may start it (isohybrid.c of syslinux). */
function isHybridLoader(loader: Buffer): boolean {
  return loader.subarray(64, 68).equals(Buffer.from([0xfb, 0xc0, 0x78, 0x70]));
}

/** GRUB as one EFI program, less than a megabyte, of modules in a directory. */
async function makeLoader(
  $: Shell,
  mkimage: string,
  directory: string,
  modules: readonly string[],
  scratch: string,
): Promise<Buffer> {
  const config = path.join(scratch, "early.cfg");
  const program = path.join(scratch, "BOOTX64.EFI");
  await writeFile(config, findMenu);
  await $`${mkimage} -d ${directory} -O ${grubTarget} -o ${program} -p /boot/grub -c ${config} ${modules}`;
  return await readFile(program);
}
