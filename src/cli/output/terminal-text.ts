/**
 * Makes output safe for terminals: colour sequences are kept, every other control character is escaped.
 *
 * Source of the sequences: ECMA-48, 8.3.117 (SGR).
 */
import { printable } from "../../errors/index.ts";

/** Colours and font weight, but not hidden text (8). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked for
const colourSequence = /(\u001b\[(?:(?:[0-79]|[1-9]\d{1,2})?(?:;(?:[0-79]|[1-9]\d{1,2})?)*)m)/;

/** The text with all control characters escaped, except colour sequences where `colours` are on. */
export function terminalText(text: string, colours: boolean): string {
  if (!colours) return printable(text);
  const parts = text.split(colourSequence);
  return parts.map((part, index) => (index % 2 === 1 ? part : printable(part))).join("");
}

/**
 * A line that a program printed, as a terminal would show it: text that a carriage return overwrote is dropped; colours are kept
 * where they are on, and reset at the end of the line.
 */
export function capturedLine(line: string, colours: boolean): string {
  const last = line.replace(/\r+$/, "").split("\r").at(-1) ?? "";
  const parts = last.split(colourSequence);
  if (parts.length === 1 || !colours) {
    return parts
      .filter((_, index) => index % 2 === 0)
      .map(printable)
      .join("");
  }
  return `${terminalText(last, true)}\u001b[0m`;
}
