/** A manual as text for the terminal, examples first. What it says is manual.ts's. */

import type { Style } from "../terminal/style.ts";
import type { Manual, ManualRow } from "./manual.ts";

/** Lines of more than this many columns are hard to read, however wide the terminal is. */
const widest = 110;

/** The whole text, wrapped to the terminal's columns (80 when there is none). */
export function renderHelp(manual: Manual, style: Style, terminalColumns = 80): string {
  const columns = Math.max(40, Math.min(widest, terminalColumns));
  const blocks = [
    manual.synopsis.map((usage, index) => `${index === 0 ? "usage: " : "       "}${usage}`).join("\n"),
    wrap(`${capitalised(manual.summary)}.`, columns, 0),
  ];
  if (manual.examples.length > 0) {
    const rows = manual.examples.map(({ command, does }): ManualRow => [`task ${command}`, does]);
    blocks.push(`${style.bold("Examples:")}\n${renderRows(rows, style, columns)}`);
  }
  for (const { title, text, rows } of manual.sections) {
    const paragraph = text === undefined ? "" : `  ${wrap(text, columns, 2)}\n`;
    blocks.push(`${style.bold(`${title}:`)}\n${paragraph}${renderRows(rows, style, columns)}`);
  }
  return `${blocks.join("\n\n")}\n`;
}

function renderRows(rows: readonly ManualRow[], style: Style, columns: number): string {
  // A long term stands on a line of its own rather than pushing every text to the right.
  const widths = rows.map(([term]) => term.length).filter((length) => length <= columns * 0.4);
  const indent = Math.max(4, ...widths) + 4;
  return rows
    .map(([term, text]) => {
      const wrapped = wrap(text, columns, indent);
      if (term.length + 4 > indent) return `  ${style.cyan(term)}\n${" ".repeat(indent)}${wrapped}`;
      return `  ${style.cyan(term)}${" ".repeat(indent - term.length - 2)}${wrapped}`;
    })
    .join("\n");
}

/** Breaks at blanks; lines after the first are indented. */
export function wrap(text: string, columns: number, indent: number): string {
  const lines: string[] = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) ?? "";
    if (line === "") lines[lines.length - 1] = word;
    else if (indent + line.length + 1 + word.length <= columns) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines.join(`\n${" ".repeat(indent)}`);
}

function capitalised(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
