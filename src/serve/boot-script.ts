/**
 * The scripts that iPXE runs: a menu of the variants, and what starts one of them.
 *
 * Sources: ipxe.org/scripting, ipxe.org/cmd/{kernel,initrd,menu,item,choose,chain}; ipxe.org/appnote/debian_preseed (several
 * initrds: iPXE hands them over one behind the other; under UEFI the kernel takes their names from its arguments). Paths are
 * relative to the script's own URL.
 */
import type { OpenFile } from "./open-file.ts";
import type { ShelvedImage } from "./shelf.ts";

/** Milliseconds that the menu waits. */
const patience = 5000;

/** Starts an image; `more` follows the image's own arguments. */
export function bootScript({ kernel, initrds, args }: ShelvedImage, more: readonly string[]): string {
  const names = initrds.map(({ name }) => `initrd=${name}`);
  return script([
    ["kernel", filePath(kernel), ...names, ...args, ...more].join(" "),
    ...initrds.map((file) => `initrd ${filePath(file)}`),
    "boot",
  ]);
}

/** Lets somebody at the machine choose among variants, and else starts the first one. */
export function menuScript(variants: readonly string[]): string {
  const [first = ""] = variants;
  return script([
    "menu Which image?",
    ...variants.map((variant) => `item ${variant} ${variant}`),
    // iPXE can be built without menus.
    `choose --default ${first} --timeout ${patience} variant || set variant ${first}`,
    // iPXE puts the variable's value there.
    `chain boot.ipxe?variant=\${variant}`,
  ]);
}

/** A script that is built into iPXE, or given to it by DHCP: it fetches the others from `url`, without a slash at its end. */
export function embeddedScript(url: string): string {
  return script(["dhcp", `chain ${url}/boot.ipxe`]);
}

/** Where a file is, from the server's root without a slash. The digest keeps files of different builds apart. */
export function filePath({ sha256, name }: Pick<OpenFile, "sha256" | "name">): string {
  return `files/${sha256}/${name}`;
}

function script(lines: readonly string[]): string {
  return ["#!ipxe", ...lines, ""].join("\n");
}
