/**
 * The boot menu of UEFI machines, made from that of BIOS machines: what is edited there counts here too.
 * It knows nothing of where either is kept.
 *
 * Source: the GNU GRUB manual, "Special environment variables" (timeout_style) and "Quoting".
 */
import { type BootMenu, defaultLabel } from "../../src/formats/index.ts";

/** GRUB's `grub.cfg` for an isolinux.cfg: every offered label that starts a kernel with an initrd. */
export function grubMenu(menu: BootMenu): string {
  const automatic = defaultLabel(menu);
  const labels = menu.labels.filter((label) => label.isOffered || label === automatic);
  return [
    `set default=${labels.indexOf(automatic)}`,
    `set timeout=${menu.seconds}`,
    ...(menu.isHidden && menu.seconds > 0 ? ["set timeout_style=hidden"] : []),
    ...labels.flatMap(({ title, kernel, initrds, args }) => [
      `menuentry ${quoteWord(title)} {`,
      `  linux ${[kernel, ...args].map(quoteWord).join(" ")}`,
      `  initrd ${initrds.map(quoteWord).join(" ")}`,
      "}",
    ]),
    "",
  ].join("\n");
}

/** A word as GRUB reads it back. */
export function quoteWord(word: string): string {
  return /^[\w/.:,=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
