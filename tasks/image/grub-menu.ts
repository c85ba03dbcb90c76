/**
 * The boot menu of UEFI machines, made from that of BIOS machines: what is edited there counts here too.
 * It knows nothing of where either is kept.
 *
 * Source: the GNU GRUB manual, 6.1 (quoting).
 */
import { defaultLabel, readLabels, settingOf } from "../../src/formats/index.ts";

/** GRUB's `grub.cfg` for what an `isolinux.cfg` says: every label that starts a kernel with an initrd. */
export function grubMenu(isolinuxConfig: string): string {
  const labels = readLabels(isolinuxConfig);
  const entry = Math.max(0, labels.indexOf(defaultLabel(labels, isolinuxConfig)));
  return [
    `set default=${entry}`,
    `set timeout=${secondsToWait(isolinuxConfig)}`,
    ...labels.flatMap(({ name, kernel, initrds, args }) => [
      `menuentry ${quote(name)} {`,
      `  linux ${[kernel, ...args].map(quote).join(" ")}`,
      `  initrd ${initrds.map(quote).join(" ")}`,
      "}",
    ]),
    "",
  ].join("\n");
}

/** isolinux counts tenths of a second and waits for ever at 0; without a prompt it does not wait at all. */
function secondsToWait(text: string): number {
  if ((settingOf(text, "prompt") ?? "0") === "0") return 0;
  const tenths = Number(settingOf(text, "timeout") ?? "0");
  return Number.isInteger(tenths) && tenths > 0 ? Math.ceil(tenths / 10) : -1;
}

function quote(word: string): string {
  return /^[\w/.:,=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
