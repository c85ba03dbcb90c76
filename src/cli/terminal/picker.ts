/**
 * Choosing one row of a list on a terminal, with arrows or by typing a name. What the rows stand for it does not know.
 */
import { stripVTControlCharacters } from "node:util";
import type { Terminal } from "./io.ts";
import { keepWhole } from "./redraw.ts";
import { type Style, truncate } from "./style.ts";

export interface Choice<T> {
  readonly value: T;
  /** What may be typed to find it. */
  readonly names: readonly string[];
  readonly label: string;
  readonly description: string;
  /** Heading of the group to which it and its neighbours belong. */
  readonly heading?: string | undefined;
}

export interface PickRequest<T> {
  /** Lines above the list, as they are now. */
  readonly banner: () => readonly string[];
  readonly choices: readonly Choice<T>[];
  /** The value on which the mark stands at first; otherwise on the first one. */
  readonly first: T | undefined;
  readonly style: Style;
  readonly terminal: Terminal;
  /** Leaves without a choice, and gives the terminal back. */
  readonly signal: AbortSignal;
  /** Called before it leaves without a choice because of Ctrl-C. */
  readonly onInterrupt: () => void;
  /** What Enter does, as a verb: `runs`. */
  readonly enter: string;
  /** Something beside the choice that Tab changes; the banner shows it. */
  readonly tab?: { readonly changes: string; readonly onTab: () => void };
}

/** The chosen value, or undefined when the user left. The list stays on the screen, the terminal is as it was. */
export async function pick<T>(request: PickRequest<T>): Promise<T | undefined> {
  const { choices, first, terminal, signal, style, onInterrupt, tab } = request;
  const changes = tab === undefined ? "" : `, Tab changes ${tab.changes}`;
  const hint = `arrows or letters select, Enter ${request.enter}${changes}, q or Esc quits`;
  const { AutocompletePrompt, isCancel } = await import("@clack/core");
  const labelWidth = Math.max(...choices.map(({ label }) => label.length)) + 2;
  const prompt = new AutocompletePrompt<{ value: Choice<T> }>({
    options: choices.map((choice) => ({ value: choice })),
    initialValue: choices.filter(({ value }) => value === first),
    filter: (typed, { value }) => value.names.some((name) => name.includes(typed.toLowerCase())),
    validate: (chosen) => (chosen === undefined ? "no match" : undefined),
    input: terminal.input,
    output: terminal.output,
    signal,
    render() {
      const banner = request.banner();
      const isOver = this.state === "submit" || this.state === "cancel";
      const shown = isOver ? choices : this.filteredOptions.map(({ value }) => value);
      const rows = shown.map((choice) => {
        const isMarked = this.state !== "cancel" && choice === this.focusedValue;
        const said = choice.description === "" ? "" : `- ${choice.description}`;
        const text = truncate(said, columns() - labelWidth - 3);
        const label = truncate(choice.label.padEnd(labelWidth), columns() - 3);
        return isMarked ? `${style.bold(`› ${label}${text}`)}` : `  ${style.cyan(label)}${text}`;
      });
      const typed =
        this.userInput === ""
          ? style.dim(hint)
          : `${this.userInput}▏ ${style.dim(rows.length === 0 ? "no match; Backspace deletes a letter" : hint)}`;
      // A description that was cut off is shown whole for the row that is marked.
      const marked = this.filteredOptions[this.cursor]?.value.description ?? "";
      const whole = marked.length + 2 > columns() - labelWidth - 3 ? [style.dim(marked)] : [];
      const room = (terminal.output.rows || 24) - height([...banner, ...whole, hint]) - 3;
      const { lines, at } = withHeadings(shown, rows, this.cursor);
      const list = isOver ? lines : visible(lines, at, room);
      return [...banner, "", ...list, ...(isOver ? [] : ["", ...whole, typed])].join("\n");
    },
  });
  const columns = (): number => terminal.output.columns || 80;
  const height = (lines: readonly string[]): number =>
    lines.reduce((sum, line) => sum + Math.ceil(stripVTControlCharacters(line).length / columns()), 0);
  prompt.on("key", (key) => {
    if (key === "\u0003") onInterrupt();
    if (key === "\t") tab?.onTab();
  });
  // A name may have a q in it, but none begins with one that is alone.
  prompt.on("key", (key) => {
    if (key === "q" && prompt.userInput === "q") prompt.state = "cancel";
  });
  const answer = prompt.prompt();
  const leave = keepWhole(prompt, terminal);
  const chosen = await answer.finally(leave);
  return isCancel(chosen) || chosen === undefined ? undefined : (chosen as Choice<T>).value;
}

/** The rows with a heading above each group; `at` is the index of the marked row among these lines. */
function withHeadings(
  choices: readonly Pick<Choice<unknown>, "heading">[],
  rows: readonly string[],
  marked: number,
): { readonly lines: readonly string[]; readonly at: number } {
  const lines: string[] = [];
  let at = 0;
  for (const [index, row] of rows.entries()) {
    const heading = choices[index]?.heading;
    if (heading !== undefined && heading !== choices[index - 1]?.heading) lines.push(` ${heading}`);
    if (index === marked) at = lines.length;
    lines.push(row);
  }
  return { lines, at };
}

/** As many rows as fit, the marked one among them. */
function visible(rows: readonly string[], marked: number, room: number): readonly string[] {
  const count = Math.max(1, room);
  if (rows.length <= count) return rows;
  const start = Math.min(Math.max(0, marked - Math.floor(count / 2)), rows.length - count);
  return rows.slice(start, start + count);
}
