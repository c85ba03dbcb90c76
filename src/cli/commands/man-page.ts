/** A manual as a page for man(1), in roff with the macros of man(7). What it says is manual.ts's. */
import type { Manual, ManualRow } from "./manual.ts";

/** The whole page; it names no date and no version, so that it changes only when what it says does. */
export function renderManPage(manual: Manual, names: readonly [string, ...string[]]): string {
  const [name] = names;
  const lines = [
    `.TH ${name.toUpperCase()} 1 "" "${name}"`,
    ".SH NAME",
    roff(`${names.join(", ")} - ${manual.summary}`),
    ".SH SYNOPSIS",
    ".nf",
    ...manual.synopsis.map(bold),
    ".fi",
    ".SH EXAMPLES",
    ...manual.examples.flatMap(({ command, does }) => row([`task ${command}`, does])),
    ...manual.sections.flatMap(({ title, text, rows }) => [
      `.SH ${title.toUpperCase()}`,
      ...(text === undefined ? [] : [roff(text)]),
      ...rows.flatMap(row),
    ]),
  ];
  return `${lines.join("\n")}\n`;
}

function row([term, text]: ManualRow): readonly string[] {
  return [".TP", bold(term), roff(text)];
}

function bold(text: string): string {
  return `\\fB${roff(text)}\\fR`;
}

/** What roff would take for an escape, a hyphenation or, at the beginning of a line, a request. */
function roff(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("~", "\\(ti")
    .replace(/^[.']/, "\\&$&");
}
