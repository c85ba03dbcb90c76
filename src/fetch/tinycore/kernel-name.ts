/** Names of extensions that are made for one kernel: how the kernel's release gets into them, and which one is in them. */
import { UserError } from "../../errors/index.ts";
import { excerpt, type ListEntry } from "../pins/list.ts";

export type Group = "builtin" | "mirror";

/** A list entry with the kernel's release filled in. */
export interface Root extends ListEntry {
  readonly group: Group;
}

/** `NAME-KERNEL.tcz` stands for `NAME-<release>.tcz`. */
export function fillKernel(name: string, kernel: string | undefined, where: string): string {
  if (!/-KERNEL\.(tcz|deb)$/.test(name)) return name;
  if (kernel === undefined) {
    throw new UserError(`${name} depends on the kernel release, which is unknown`, {
      code: "unknown-kernel",
      where,
      hint: "use a Core ISO whose initrd has lib/modules/RELEASE",
    });
  }
  return name.replace(/-KERNEL\.(tcz|deb)$/, `-${kernel}.$1`);
}

/** The entry for the kernel's release. Throws a `UserError` for an entry that names another one. */
export function rootOf(entry: ListEntry, group: Group, kernel: string | undefined): Root {
  const named = kernel === undefined ? undefined : kernelNamedBy(entry.name, kernel);
  if (named !== undefined && named !== kernel) {
    const generic = entry.name.replace(`-${named}.`, "-KERNEL.");
    throw new UserError(
      `${excerpt(entry.name)} is for the kernel ${named}, but the Core ISO's kernel is ${kernel}`,
      {
        code: "kernel-mismatch",
        where: entry.where,
        hint: `write ${generic}, which matches every release`,
      },
    );
  }
  return { ...entry, name: fillKernel(entry.name, kernel, entry.where), group };
}

/** The kernel release in an extension's name: one like Tiny Core's, or one that looks like the present kernel's. */
function kernelNamedBy(name: string, kernel: string): string | undefined {
  const literal = kernel.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/\d+/g, "\\d+");
  const pattern = new RegExp(`-(\\d+(?:\\.\\d+)+-tinycore(?:64)?|${literal})\\.(?:tcz|deb)$`);
  return pattern.exec(name)?.[1];
}
