/**
 * The script with which iPXE starts an image, and the names that its files have on the boot server.
 *
 * Sources: ipxe.org/appnote/debian_preseed (several initrds; under UEFI the kernel takes their names from its arguments).
 */
import path from "node:path";

/**
 * The paths are relative to the script; `initrds` are in the order in which the kernel unpacks them. iPXE names a file after the
 * last part of its path (`imgfetch`).
 */
export function ipxeScript(kernel: string, initrds: readonly string[], args: readonly string[]): string {
  return [
    "#!ipxe",
    `kernel ${[kernel, ...initrds.map((file) => `initrd=${path.posix.basename(file)}`), ...args].join(" ")}`,
    ...initrds.map((file) => `initrd ${file}`),
    "boot",
    "",
  ].join("\n");
}

/** The name of a file of the ISO (an absolute path there) in the server's directory of boot files. */
export function servedName(file: string): string {
  return path.posix
    .relative("/boot", file)
    .replace(/^(\.\.\/)+/, "")
    .replaceAll("/", "-");
}
