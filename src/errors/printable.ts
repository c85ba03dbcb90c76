/** Makes untrusted text safe to print: characters that control a terminal become readable escapes. */

/**
 * Control characters (C0, DEL, C1), what changes the direction of text (Unicode, annex 9; CVE-2021-42574), separators of lines,
 * the byte order mark; and lone surrogates, which stand for bytes that are not UTF-8 (PEP 383).
 */
const unprintable =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is to be shown
  /[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]/gu;

/** `\xNN` for a byte, `\uNNNN` for any other character. The latter also means the same in a JSON text. */
function escapeCharacter(character: string): string {
  const code = character.charCodeAt(0);
  const isByte = code >= 0xdc80 && code <= 0xdcff;
  if (isByte) return `\\x${(code - 0xdc00).toString(16)}`;
  if (code < 0x20) return `\\x${code.toString(16).padStart(2, "0")}`;
  return `\\u${code.toString(16).padStart(4, "0")}`;
}

/** A name in one line: line feeds and tabs are escaped, too. */
export function printableName(name: string): string {
  return name.replace(unprintable, escapeCharacter);
}

/** Text of several lines: line feeds and tabs stay. */
export function printable(text: string): string {
  return text.replace(unprintable, (character) =>
    character === "\n" || character === "\t" ? character : escapeCharacter(character),
  );
}
