/**
 * Boot codes appended to the menus of an ISO: to every `append` line of isolinux's files, and to every kernel that GRUB starts.
 *
 * Sources: syslinux `doc/syslinux.cfg.txt` (APPEND; keywords in any case; a single hyphen stands for no options), the GNU GRUB manual
 * ("linux", "linuxefi", "linux16"; "Quoting").
 */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { shellWord } from "../../src/errors/index.ts";

/** Maximum bytes of a menu: one that is larger is a picture or a program. */
const largest = 1024 * 1024;

/**
 * The menus below `root` (absolute), with the codes, by their paths relative to it: every `.cfg` and `.conf` file in a directory named
 * isolinux, syslinux or grub. Menus that have all codes are left out.
 */
export async function menusWithCodes(
  root: string,
  codes: readonly string[],
): Promise<ReadonlyMap<string, Buffer>> {
  const changed = new Map<string, Buffer>();
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const file = path.join(entry.parentPath, entry.name);
    const kind = menuKind(path.relative(root, file));
    if (!entry.isFile() || kind === undefined) continue;
    const bytes = await readFile(file);
    if (bytes.length > largest || bytes.includes(0)) continue;
    const text = bytes.toString("latin1");
    const result = kind === "grub" ? appendToGrub(text, codes) : appendToIsolinux(text, codes);
    if (result !== text) changed.set(path.relative(root, file), Buffer.from(result, "latin1"));
  }
  return changed;
}

function menuKind(name: string): "grub" | "isolinux" | undefined {
  const [, directory = ""] = /(?:^|\/)([^/]+)\/[^/]+\.(?:cfg|conf)$/i.exec(name) ?? [];
  if (/^grub2?$/i.test(directory)) return "grub";
  return /^(isolinux|syslinux)$/i.test(directory) ? "isolinux" : undefined;
}

/** Each code once at the end of every `append` line of an isolinux.cfg. */
export function appendToIsolinux(text: string, codes: readonly string[]): string {
  return text.replace(
    /^([ \t]*append)((?:[ \t][^\r\n]*)?)(\r?)$/gim,
    (line, keyword: string, options: string, end: string) => {
      const present = options.split(/[ \t]+/).filter((word) => word !== "");
      const missing = missingCodes(present, codes);
      if (missing.length === 0) return line;
      const kept = present.join() === "-" ? "" : options.trimEnd();
      return `${keyword}${kept} ${missing.join(" ")}${end}`;
    },
  );
}

/** Each code once at the end of every line of a grub.cfg that starts Linux. */
export function appendToGrub(text: string, codes: readonly string[]): string {
  const quoted = codes.map(shellWord);
  return text.replace(
    /^([ \t]*linux(?:efi|16)?[ \t][^\r\n]*?)[ \t]*(\r?)$/gm,
    (line, command: string, end: string) => {
      const missing = missingCodes(command.trim().split(/[ \t]+/), quoted);
      return missing.length === 0 ? line : `${command} ${missing.join(" ")}${end}`;
    },
  );
}

function missingCodes(present: readonly string[], codes: readonly string[]): readonly string[] {
  return [...new Set(codes)].filter((code) => !present.includes(code));
}
