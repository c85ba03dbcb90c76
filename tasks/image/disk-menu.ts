/** The menu of a disk: that of the ISO, for GRUB, with boot codes that name the disk's data partition. */
import type { BootLabel, BootMenu } from "../../src/formats/index.ts";
import { closeGrubMenu } from "./closed-menu.ts";
import { grubMenu } from "./grub-menu.ts";

/** The `grub.cfg`; a menu that is `closed` takes no boot codes. Each code is added to each entry that does not have it. */
export function diskMenu(menu: BootMenu, codes: readonly string[], isClosed: boolean): string {
  const labels = new Map(menu.labels.map((label) => [label, withCodes(label, codes)]));
  const { automatic } = menu;
  const text = grubMenu({
    ...menu,
    labels: [...labels.values()],
    automatic: typeof automatic === "object" ? (labels.get(automatic) ?? automatic) : automatic,
  });
  return isClosed ? closeGrubMenu(text) : text;
}

function withCodes(label: BootLabel, codes: readonly string[]): BootLabel {
  // What an ISO has in cde/ is in the disk's tce directory.
  const own = label.args.filter((code) => code !== "cde");
  const missing = codes.filter((code) => !own.includes(code));
  return { ...label, args: [...own, ...new Set(missing)] };
}
