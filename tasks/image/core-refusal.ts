/** Why an ISO cannot be the base of an image, and what to do. */
import { UserError } from "../../src/errors/index.ts";
import type { BootLabel } from "../../src/formats/index.ts";
import { printName } from "../../src/formats/index.ts";

export function notCore(where: string): UserError {
  return new UserError(
    "the ISO has neither boot/core.gz with boot/vmlinuz nor boot/corepure64.gz with boot/vmlinuz64",
    { code: "not-a-core-iso", where, hint: "use the ISO of a Tiny Core release (Core or CorePure64)" },
  );
}

export function onlyGrub(where: string): UserError {
  return new UserError("the ISO boots with GRUB only, and the image's boot loader is isolinux", {
    code: "no-boot-loader",
    where,
    hint: "use the ISO of a Tiny Core release, or add boot/isolinux/isolinux.bin (package isolinux) and an isolinux.cfg to this one",
  });
}

export function nothingStarts(where: string): UserError {
  return new UserError("the boot menu has no label that starts a kernel with Core's initrd", {
    code: "boot-menu",
    where,
    hint: "add a label with KERNEL and APPEND initrd=…, or use the ISO of a Tiny Core release",
  });
}

/** `file` is an absolute path on the ISO. */
export function missingFile(label: BootLabel, file: string, where: string): UserError {
  return new UserError(
    `the boot menu starts "${printName(label.name)}" with ${printName(file)}, which the ISO does not have`,
    { code: "boot-menu", where, hint: "correct the label, or make another one the default" },
  );
}

export function otherInitrd(label: BootLabel, where: string): UserError {
  return new UserError(
    `the boot menu starts "${printName(label.name)}", which loads ${label.initrds.map(printName).join(", ")} and not Core's initrd`,
    { code: "boot-menu", where, hint: "make a label that loads Core's initrd the default" },
  );
}

export function severalSystems(label: BootLabel, other: BootLabel, where: string): UserError {
  const loads = ({ name, initrds }: BootLabel): string =>
    `"${printName(name)}" loads ${initrds.map(printName).join(", ")}`;
  return new UserError(`the boot menu starts several systems: ${loads(label)}, ${loads(other)}`, {
    code: "several-systems",
    where,
    hint: "an image is made of one: use the ISO of Core or of CorePure64, or remove the labels of the other system",
  });
}
