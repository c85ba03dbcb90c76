/**
 * Extension lists: which `.tcz` and `.deb` names a user wrote, and on which line. It does not know what the
 * names stand for.
 */
import { printableName, UserError } from "../../errors/index.ts";

export interface ListEntry {
  /** `bash.tcz`, `scsi-KERNEL.tcz`, `hello.deb`. */
  readonly name: string;
  readonly kind: "tcz" | "deb";
  /** `file:line`, for messages. */
  readonly where: string;
}

export interface ExtensionList {
  /** In the order of the file, each name once. */
  readonly entries: readonly ListEntry[];
  /** Later lines that repeat a name. */
  readonly duplicates: readonly ListEntry[];
}

/** The lines of a text file with what every reader of lists leaves out: BOM, CR, comments and outer blanks. */
export function* contentLines(text: string): Generator<{ readonly number: number; readonly text: string }> {
  let number = 0;
  for (const line of text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/)) {
    number += 1;
    const content = line.replace(/(^|[ \t])#.*$/, "").trim();
    if (content !== "") yield { number, text: content };
  }
}

/**
 * Reads a list: one name a line, `#` comments, blank lines, surrounding blanks, CRLF and a BOM allowed. `file`
 * is how the list is called in messages. Throws a UserError naming file and line for anything that is not a
 * plain `.tcz` or `.deb` file name.
 */
export function parseExtensionList(text: string, file: string): ExtensionList {
  const entries: ListEntry[] = [];
  const duplicates: ListEntry[] = [];
  const seen = new Set<string>();
  for (const line of contentLines(text)) {
    const where = `${file}:${line.number}`;
    const name = line.text;
    const fault = nameFault(name);
    if (fault !== undefined) {
      throw new UserError(`"${excerpt(name)}" is not the name of an extension: ${fault}`, {
        code: "bad-extension-name",
        where,
        hint: "write one file name per line, such as bash.tcz or hello.deb",
      });
    }
    const entry: ListEntry = { name, kind: name.endsWith(".deb") ? "deb" : "tcz", where };
    if (seen.has(name)) duplicates.push(entry);
    else entries.push(entry);
    seen.add(name);
  }
  return { entries, duplicates };
}

/** Why `name` cannot be the file name of an extension or package, or undefined when it can. */
export function nameFault(name: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f\u007f-\u009f]/.test(name)) return "it has a control character";
  if (name.includes("/") || name.includes("\\")) return "it has a slash";
  if (name.includes("..")) return "it has two dots in a row";
  if (/\s/.test(name)) return "it has a blank; write one name per line";
  if (name.startsWith(".") || name.startsWith("-")) return `it starts with "${name.charAt(0)}"`;
  if (name.length > 200) return "it is longer than 200 characters";
  if (!/\.(tcz|deb)$/.test(name)) return "it ends neither in .tcz nor in .deb";
  if (!/^[\w+.~@%:,=-]+$/.test(name))
    return "it has a character that is not allowed in file names of extensions";
  return undefined;
}

/** Text from elsewhere as it is quoted in a message: printable, in one line, and cut after 80 characters. */
export function excerpt(text: string): string {
  const shown = printableName(text);
  return shown.length > 80 ? `${shown.slice(0, 77)}…` : shown;
}
