/**
 * What an ISO starts: the kernel, the initrds and the arguments of its boot menu's default entry. It reads the menus of isolinux
 * and GRUB; without one, kernel and initrd are known by Tiny Core's names.
 *
 * Sources: syslinux `doc/isolinux.txt` (places of the menu); the GRUB manual, "linux" and "initrd".
 */
import {
  contentSize,
  defaultLabel,
  type FileTree,
  followLinks,
  interpretMenu,
  onIso,
  parentOf,
  readContent,
  readStatements,
} from "../formats/index.ts";

/** Paths of the ISO; the kernel may be missing. */
interface BootFiles {
  readonly kernel: string | undefined;
  readonly initrds: readonly string[];
  readonly args: readonly string[];
}

const isolinuxMenus = [
  "boot/isolinux/isolinux.cfg",
  "isolinux/isolinux.cfg",
  "boot/isolinux.cfg",
  "isolinux.cfg",
  "boot/syslinux/syslinux.cfg",
  "syslinux/syslinux.cfg",
];
const grubMenus = ["boot/grub/grub.cfg", "EFI/BOOT/grub.cfg", "grub/grub.cfg"];
const knownPairs = [
  ["boot/vmlinuz64", "boot/corepure64.gz"],
  ["boot/vmlinuz", "boot/core.gz"],
] as const;

const largestMenu = 1024 * 1024;

/** Undefined where the ISO starts no kernel with an initrd that it has. */
export async function findBootFiles(iso: FileTree): Promise<BootFiles | undefined> {
  for (const menu of isolinuxMenus) {
    const text = await textOf(iso, menu);
    if (text === undefined) continue;
    const directory = `/${parentOf(menu) ?? ""}`;
    const statements = await readStatements(text, (name) => textOf(iso, onIso(name, directory).slice(1)));
    const read = interpretMenu(statements, false, directory);
    const found = read.labels.length === 0 ? undefined : present(iso, defaultLabel(read));
    if (found !== undefined) return found;
  }
  for (const menu of grubMenus) {
    const text = await textOf(iso, menu);
    const found = text === undefined ? undefined : present(iso, grubEntry(text));
    if (found !== undefined) return found;
  }
  for (const [kernel, initrd] of knownPairs) {
    const found = present(iso, { kernel, initrds: [initrd], args: [] });
    if (found !== undefined) return found;
  }
  return undefined;
}

async function textOf(iso: FileTree, path: string): Promise<string | undefined> {
  const node = iso.get(path);
  if (node?.type !== "file" || contentSize(node.content) > largestMenu) return undefined;
  return (await readContent(node.content)).toString("latin1");
}

/** The first entry of the menu. */
function grubEntry(text: string): BootFiles {
  const wordsAfter = (command: string): readonly string[] =>
    (new RegExp(`^[ \\t]*${command}(?:16|efi)?[ \\t]+(.*)$`, "m").exec(text)?.[1] ?? "")
      .split(/\s+/)
      .filter((word) => word !== "");
  const [kernel, ...args] = wordsAfter("linux");
  return { kernel, initrds: wordsAfter("initrd"), args };
}

/** The same with paths of the ISO's tree, links followed; undefined where an initrd is not there. */
function present(iso: FileTree, { kernel, initrds, args }: BootFiles): BootFiles | undefined {
  const inTree = (path: string): string | undefined => {
    const followed = followLinks(iso, path.replace(/^\(.*?\)/, ""), true).path;
    return iso.get(followed)?.type === "file" ? followed : undefined;
  };
  const found = initrds.flatMap((path) => inTree(path) ?? []);
  if (initrds.length === 0 || found.length < initrds.length) return undefined;
  return { kernel: kernel === undefined ? undefined : inTree(kernel), initrds: found, args };
}
