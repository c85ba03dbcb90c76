/**
 * Boot menus that take no boot codes: their labels start as they are written, and nothing can be added, edited or typed.
 *
 * Sources: syslinux `doc/syslinux.cfg.txt` (ALLOWOPTIONS, PROMPT, NOESCAPE, NOCOMPLETE, SERIAL, INCLUDE, CONFIG) and
 * `doc/menu.txt` (ALLOWOPTIONS disables the Tab and Esc keys of menu.c32; MENU QUIT; submenus inherit the properties
 * of their parent, and may override them); the GNU GRUB manual, "Authentication and authorisation" (superusers,
 * --unrestricted).
 */
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { readLoaderFile } from "./boot-menu.ts";

/** What makes isolinux and menu.c32 take no boot codes. IMPLICIT stays as it is: 0 refuses a menu module that no label starts. */
const settings = { allowoptions: 0, prompt: 0, noescape: 1, nocomplete: 1 } as const;

/** These, and MENU QUIT, which leaves the menu for the prompt even where options are not allowed. */
const openingLine = new RegExp(
  `^[^\\S\\n]*(?:${Object.keys(settings).join("|")}|menu[^\\S\\n]+quit)(?:[^\\S\\n][^\\n]*)?(?:\\n|$)`,
  "gim",
);

/** An isolinux.cfg, or a file that it includes, with the settings of a closed menu in place of its own. */
export function closeIsolinuxMenu(text: string): string {
  const rest = text.replace(openingLine, "");
  const lines = Object.entries(settings).map(([keyword, value]) => `${keyword} ${value}\n`);
  // SERIAL works for certain only as the first directive. Submenus inherit what is set before them.
  const [serial = ""] = /^(?:[^\S\n]*(?:#[^\n]*)?\n)*[^\S\n]*serial[^\S\n][^\n]*\n?/i.exec(rest) ?? [];
  return [endLine(serial), ...lines, rest.slice(serial.length)].join("");
}

function endLine(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}

/**
 * A grub.cfg of ours whose entries anybody may start. No user is a superuser, so the editor and the command line ask
 * for a name and a password that nobody has.
 */
export function closeGrubMenu(text: string): string {
  const entries = text.replace(/^(menuentry .*?)(?: --unrestricted)? \{$/gm, "$1 --unrestricted {");
  const head = `set superusers=""\nexport superusers\n`;
  return entries.startsWith(head) ? entries : head + entries;
}

/** Words of a configuration that may name another one: of an INCLUDE, a CONFIG, or a menu module started with a file. */
const reference = /^\s*(?:menu\s+)?(?:include|config|append|ui|default|kernel|com32)[^\S\n]+([^\n]*)/gim;

/**
 * The closed menus of an ISO, by their paths in its boot directory (`boot`, absolute): isolinux.cfg, every file that
 * it includes or loads, and grub/grub.cfg where there is one.
 */
export async function closedMenus(boot: string): Promise<ReadonlyMap<string, Buffer>> {
  // isolinux ignores case where an ISO has no Rock Ridge names.
  const entries = await readdir(boot, { recursive: true, withFileTypes: true });
  const files = new Map(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(boot, path.join(entry.parentPath, entry.name)))
      .map((name) => [name.toLowerCase(), name]),
  );
  const closed = new Map<string, Buffer>();
  const queue = ["isolinux/isolinux.cfg"];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (closed.has(name)) continue;
    const bytes = await readMenu(boot, name);
    if (bytes === undefined) continue;
    const text = bytes.toString("latin1");
    closed.set(name, Buffer.from(closeIsolinuxMenu(text), "latin1"));
    for (const [, words = ""] of text.matchAll(reference)) {
      for (const word of words.split(/\s+/)) {
        const found = [path.posix.dirname(name), "isolinux"].map((directory) =>
          files.get(path.posix.relative("/boot", path.posix.resolve("/boot", directory, word)).toLowerCase()),
        );
        queue.push(...found.filter((file) => file !== undefined));
      }
    }
  }
  if (files.has(grubMenu)) {
    const text = (await readLoaderFile(path.join(boot, "grub"), "grub.cfg")).toString("latin1");
    closed.set(grubMenu, Buffer.from(closeGrubMenu(text), "latin1"));
  }
  return closed;
}

const grubMenu = "grub/grub.cfg";

/** Maximum bytes of a menu; what a label starts is larger, or has a NUL in it. */
const largestMenu = 256 * 1024;

/** A menu in the boot directory; undefined for a program, a kernel or an archive. */
async function readMenu(boot: string, name: string): Promise<Buffer | undefined> {
  const file = path.join(boot, name);
  if ((await stat(file)).size > largestMenu) return undefined;
  const bytes = await readLoaderFile(path.dirname(file), path.basename(file));
  return bytes.includes(0) ? undefined : bytes;
}
