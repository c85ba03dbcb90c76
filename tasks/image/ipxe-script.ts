/**
 * The script with which iPXE starts an image, and the names that its files have on the boot server.
 *
 * Sources: ipxe.org/appnote/debian_preseed (several initrds; under UEFI the kernel takes their names from its arguments).
 */
import path from "node:path";

/** Files are looked for beside the script; `initrds` are names there, in the order in which the kernel unpacks them. */
export function ipxeScript(kernel: string, initrds: readonly string[], args: readonly string[]): string {
  return [
    "#!ipxe",
    `kernel ${[kernel, ...initrds.map((name) => `initrd=${name}`), ...args].join(" ")}`,
    ...initrds.map((name) => `initrd ${name}`),
    "boot",
    "",
  ].join("\n");
}

/** The name of a file of the ISO (an absolute path there) on the server, which has one directory. */
export function servedName(file: string): string {
  return path.posix
    .relative("/boot", file)
    .replace(/^(\.\.\/)+/, "")
    .replaceAll("/", "-");
}
