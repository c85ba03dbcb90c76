/**
 * The boot menu of UEFI machines, made from that of BIOS machines: what is edited there counts here too.
 *
 * Source: the GNU GRUB manual, "Special environment variables" (timeout_style) and "Quoting".
 */
import { shellWord } from "../../src/errors/index.ts";
import { type BootMenu, defaultLabel, printName } from "../../src/formats/index.ts";

/** GRUB's `grub.cfg` for an isolinux.cfg: every offered label that starts a kernel with an initrd. */
export function grubMenu(menu: BootMenu): string {
  const automatic = defaultLabel(menu);
  const labels = menu.labels.filter((label) => label.isOffered || label === automatic);
  return [
    `set default=${labels.indexOf(automatic)}`,
    `set timeout=${menu.seconds}`,
    ...(menu.isHidden && menu.seconds > 0 ? ["set timeout_style=hidden"] : []),
    ...labels.flatMap(({ title, kernel, initrds, args }) => [
      `menuentry ${shellWord(title)} {`,
      `  linux ${[kernel, ...args].map(shellWord).join(" ")}`,
      `  initrd ${initrds.map(shellWord).join(" ")}`,
      "}",
    ]),
    "",
  ].join("\n");
}
/**
 * What the passwords of an isolinux menu protect under BIOS and not under UEFI; a sentence for each. They are not carried over: most are
 * hashes of syslinux (menu.txt, MENU PASSWD), from which GRUB's own cannot be computed.
 */
export function describeLostPasswords(menu: BootMenu): readonly string[] {
  const labels = menu.labels
    .filter(({ hasPassword }) => hasPassword)
    .map(({ name }) => `"${printName(name)}"`);
  return [
    ...(labels.length > 0
      ? [
          `the menu under UEFI starts ${labels.join(", ")} without the password of MENU PASSWD, which is not carried over`,
        ]
      : []),
    ...(menu.hasMasterPassword
      ? [
          "the menu under UEFI has no password for MENU MASTER PASSWD, which is not carried over; with --boot-menu closed it has no editor",
        ]
      : []),
  ];
}
