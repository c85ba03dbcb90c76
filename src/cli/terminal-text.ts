/**
 * What reaches the terminal: our own colours, and nothing else that a terminal would act on, wherever the text came from.
 *
 * Source of the sequences: ECMA-48, 8.3.117 (SGR).
 */
import { printable } from "../errors/index.ts";

/** Colours and weight. What hides text (8) or moves the cursor is not among them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked for
const colourSequence = /(\u001b\[(?:(?:[0-79]|[1-9]\d{1,2})?(?:;(?:[0-79]|[1-9]\d{1,2})?)*)m)/;

/** The text with colour sequences, where `colours` are on, and with everything else of the kind escaped. */
export function terminalText(text: string, colours: boolean): string {
  if (!colours) return printable(text);
  const parts = text.split(colourSequence);
  return parts.map((part, index) => (index % 2 === 1 ? part : printable(part))).join("");
}

/**
 * A line that a program printed, as a terminal would have left it: what a carriage return wrote over is gone, colours stay where
 * they are on, and end with the line.
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
