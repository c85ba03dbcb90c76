/** Boot files of a distribution's tree: which they are, and what its `.treeinfo` says of them (productmd, treeinfo 1.2). */
import path from "node:path";
import { UserError } from "../../src/errors/index.ts";
import { sha256Of } from "../../src/release/index.ts";

/** Directories and files of a tree that boot an installer. */
export const bootPaths = ["images", "isolinux", "EFI", ".treeinfo", ".discinfo"] as const;

/** Whether a path of a tree (relative) is that of a boot file. */
export function isBootFile(name: string): boolean {
  return bootPaths.some((one) => name === one || name.startsWith(`${one}/`));
}

/**
 * Files that trees have and no index lists (lorax, templates for x86_64): isolinux reads them from its directory, and UEFI from EFI/BOOT.
 */
export const unlistedFiles: readonly string[] = [
  ".discinfo",
  ...["isolinux.bin", "isolinux.cfg", "boot.msg", "grub.conf", "vmlinuz", "initrd.img", "splash.png"].map(
    (name) => `isolinux/${name}`,
  ),
  ...["vesamenu.c32", "ldlinux.c32", "libcom32.c32", "libutil.c32", "memtest"].map(
    (name) => `isolinux/${name}`,
  ),
  ...["BOOTX64.EFI", "grubx64.efi", "mmx64.efi", "grub.cfg", "BOOT.conf"].map((name) => `EFI/BOOT/${name}`),
  "EFI/BOOT/fonts/unicode.pf2",
  "images/efiboot.img",
];

/** The digests of a tree's boot files by path, and the images that it must have. */
interface TreeInfo {
  /** sha256 in hex. */
  readonly checksums: ReadonlyMap<string, string>;
  /** Paths in the sections `images-…` and `stage2`. */
  readonly images: readonly string[];
}

/**
 * Reads a `.treeinfo`, an INI file; `label` is its name in messages.
 * @throws UserError `import-source`
 */
export function parseTreeinfo(text: string, label: string): TreeInfo {
  const checksums = new Map<string, string>();
  const images = new Set<string>();
  let section = "";
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#") || line.startsWith(";")) continue;
    const [, name] = /^\[(.+)\]$/.exec(line) ?? [];
    if (name !== undefined) {
      section = name;
      continue;
    }
    const [, key = "", value = ""] = /^([^=]*?)\s*[=:]\s*(.*)$/.exec(line) ?? [];
    if (section === "checksums") {
      const [, sha256] = /^sha256:([0-9a-f]{64})$/.exec(value) ?? [];
      if (sha256 !== undefined) checksums.set(plain(key, `${label}:${index + 1}`), sha256);
    }
    if (section.startsWith("images-") || section === "stage2")
      images.add(plain(value, `${label}:${index + 1}`));
  }
  return { checksums, images: [...images] };
}

/** A path that leads nowhere else. */
function plain(name: string, where: string): string {
  if (name !== "" && !name.startsWith("/") && !name.split("/").includes("..")) return name;
  throw new UserError(`"${name}" is not a path of the tree`, {
    code: "import-source",
    where,
    hint: "name a distribution's tree that you trust",
  });
}

/**
 * Throws a `UserError` `import-source` for boot files that are missing, or differ from the tree's own index. `directory` (absolute) has
 * the files of these relative paths; `label` is the tree's name in messages.
 */
export async function checkBootFiles(
  directory: string,
  names: ReadonlySet<string>,
  info: TreeInfo,
  label: string,
): Promise<void> {
  const missing = info.images.filter((name) => isBootFile(name) && !names.has(name));
  if (missing.length > 0)
    throw noTree(`the tree has no ${missing.join(", ")}, which its .treeinfo names`, label);
  for (const name of names) {
    const wanted = info.checksums.get(name);
    if (wanted !== undefined && (await sha256Of(path.join(directory, name))) !== wanted)
      throw noTree(`${name} is not the file that .treeinfo describes`, label);
  }
  if (!names.has("isolinux/isolinux.bin")) throw noTree("there is no isolinux/isolinux.bin", label);
}

export function noTree(why: string, where: string): UserError {
  return new UserError(`this is not a distribution's tree: ${why}`, {
    code: "import-source",
    where,
    hint: "name a directory, URL or ISO with .treeinfo, images/ and isolinux/",
  });
}

/** The volume id that boot menus (texts) look for, as `inst.stage2=hd:LABEL=…`; blanks are written `\\x20` there. */
export function wantedLabel(menus: readonly string[]): string | undefined {
  for (const text of menus) {
    const [, label] = /\bhd:LABEL=([^\s:]+)/.exec(text) ?? [];
    if (label !== undefined) return label.replaceAll("\\x20", " ");
  }
  return undefined;
}
