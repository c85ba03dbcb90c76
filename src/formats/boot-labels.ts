/**
 * What an isolinux.cfg offers: its labels that start a kernel with an initrd, and its settings. It knows nothing of what is
 * made of them.
 *
 * Sources: syslinux `doc/syslinux.txt` and `doc/isolinux.txt`.
 */
import { UserError } from "../errors/index.ts";

export interface BootLabel {
  readonly name: string;
  readonly kernel: string;
  readonly initrds: readonly string[];
  readonly args: readonly string[];
}

/** The labels, in the order of the file, which lies in `folder` of the ISO; paths in them begin at the ISO's root. */
export function readLabels(text: string, folder = "/boot/isolinux"): readonly BootLabel[] {
  return text
    .split(/^[ \t]*label[ \t]+/im)
    .slice(1)
    .flatMap((block): readonly BootLabel[] => {
      const name = (block.split("\n")[0] ?? "").trim();
      const kernel = (settingOf(block, "kernel") ?? settingOf(block, "linux"))?.split(/\s+/)[0];
      const words = (settingOf(block, "append") ?? "").split(/\s+/).filter((word) => word !== "");
      const inAppend = words.find((word) => word.startsWith("initrd="))?.slice("initrd=".length);
      const initrds = (settingOf(block, "initrd") ?? inAppend ?? "").split(",").filter((one) => one !== "");
      if (kernel === undefined || initrds.length === 0) return [];
      const args = words.filter((word) => !word.startsWith("initrd="));
      return [
        { name, kernel: inIso(kernel, folder), initrds: initrds.map((one) => inIso(one, folder)), args },
      ];
    });
}

/** The one that is started when nobody chooses; the first where none is named. Throws a `UserError` without labels. */
export function defaultLabel(labels: readonly BootLabel[], text: string): BootLabel {
  const chosen = settingOf(text, "default")?.split(/\s+/)[0];
  const label = labels.find(({ name }) => name === chosen) ?? labels[0];
  if (label !== undefined) return label;
  throw new UserError("the boot menu has no label with a kernel and an initrd", {
    code: "boot-menu",
    where: "boot/isolinux/isolinux.cfg",
    hint: "use the ISO of a Tiny Core release",
  });
}

/** The value of a keyword. Those that are for the whole menu may follow labels too. */
export function settingOf(text: string, keyword: string): string | undefined {
  return new RegExp(`^[ \\t]*${keyword}[ \\t]+(.*)$`, "im").exec(text)?.[1]?.trim();
}

/** isolinux looks for a name without folders beside its configuration. */
function inIso(file: string, folder: string): string {
  return file.startsWith("/") ? file : `${folder}/${file}`;
}
