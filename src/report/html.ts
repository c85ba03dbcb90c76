/** Text for HTML in which nothing of the data can become markup. */
import { printableName } from "../errors/index.ts";

/** Markup that is safe to put into a page. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Value = Html | string | number | undefined | readonly Value[];

/** A template whose values are escaped, unless they are markup themselves. */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  return new Html(
    parts.map((part, index) => part + (index < values.length ? markup(values[index]) : "")).join(""),
  );
}

function markup(value: Value): string {
  if (value === undefined) return "";
  if (value instanceof Html) return value.text;
  if (typeof value === "string" || typeof value === "number") return escapeText(`${value}`);
  return value.map(markup).join("");
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Characters that control a terminal or the direction of text are shown as escapes, as everywhere in this program. */
function escapeText(text: string): string {
  return printableName(text).replace(/[&<>"']/g, (character) => entities[character] ?? character);
}

/** JSON inside of a script element: no character of the data can end the element (HTML, "Restrictions for contents of script"). */
export function jsonScript(id: string, value: unknown): Html {
  const text = printableName(JSON.stringify(value)).replaceAll("<", "\\u003c");
  return new Html(`<script type="application/json" id="${id}">${text}</script>`);
}

/** An identifier for a name: letters and digits, everything else as its number, so that names stay apart. */
export function anchor(kind: string, name: string): string {
  return `${kind}-${name.replace(/[^A-Za-z0-9]/g, (letter) => `_${(letter.codePointAt(0) ?? 0).toString(16)}_`)}`;
}

/** `bash` of `bash@dev`. */
export function shortName(id: string): string {
  return id.replace(/@.*$/, "");
}

export function shownBytes(bytes: number): string {
  const sign = bytes < 0 ? "−" : "";
  const size = Math.abs(bytes);
  if (size < 1000) return `${sign}${size} B`;
  if (size < 1_000_000) return `${sign}${(size / 1000).toFixed(1)} kB`;
  return `${sign}${(size / 1_000_000).toFixed(1)} MB`;
}

export function shownSeconds(seconds: number): string {
  return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
}

/** A table in a box that scrolls by itself; the first column names the row. */
export function table(
  caption: string,
  heads: readonly string[],
  rows: readonly (readonly (Html | string)[])[],
): Html {
  const cells = (row: readonly (Html | string)[]) =>
    row.map((cell, index) => (index === 0 ? html`<th scope="row">${cell}</th>` : html`<td>${cell}</td>`));
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table>
<caption>${caption}</caption>
<thead><tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
<tbody>${rows.map(
    (row) => html`<tr>${cells(row)}</tr>
`,
  )}</tbody></table></div>`;
}
