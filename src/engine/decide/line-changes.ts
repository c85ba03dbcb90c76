/**
 * Which lines of a text changed, for saying why a task runs. It does not matter where in the
 * text a line stands.
 */

export interface LineChange {
  /** The line, or its first word where it is long or only the rest of it changed. */
  readonly line: string;
  readonly change: "added" | "removed" | "changed";
}

/** A longer line is named by its first word. */
const longest = 60;

/**
 * Lines of `after` that `before` has not, and the other way round, in the order of the texts; a line whose first word
 * stayed is one change. Blank lines and the blanks around a line do not count.
 */
export function compareLines(before: string, after: string): readonly LineChange[] {
  const old = linesOf(before);
  const now = linesOf(after);
  const removed = without(old, now);
  const added = without(now, old);
  const removedWords = new Set(removed.map(firstWord));
  const changedWords = new Set(added.map(firstWord).filter((word) => word !== "#" && removedWords.has(word)));
  const isChanged = (line: string): boolean => changedWords.has(firstWord(line));
  return [
    ...[...changedWords].map((line): LineChange => ({ line: shorten(line), change: "changed" })),
    ...added
      .filter((line) => !isChanged(line))
      .map((line): LineChange => ({ line: shorten(line), change: "added" })),
    ...removed
      .filter((line) => !isChanged(line))
      .map((line): LineChange => ({ line: shorten(line), change: "removed" })),
  ];
}

/** The text with `***` for user names and passwords in URLs (RFC 3986, 3.2.1): it is kept, and shown. */
export function withoutCredentials(text: string): string {
  return text.replace(/(?<=:\/\/)[^\s/?#"']*@/g, "***@");
}

function linesOf(text: string): readonly string[] {
  return text
    .split(/\r\n|\n|\r/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/** The lines of `all` that are not in `others`, as often as they stand there more often. */
function without(all: readonly string[], others: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const line of others) counts.set(line, (counts.get(line) ?? 0) + 1);
  return all.filter((line) => {
    const left = counts.get(line) ?? 0;
    counts.set(line, left - 1);
    return left <= 0;
  });
}

function firstWord(line: string): string {
  return /^\S+/.exec(line)?.[0] ?? "";
}

function shorten(line: string): string {
  if (line.length <= longest) return line;
  const word = firstWord(line);
  return word.length <= longest && word !== "#" ? word : `${line.slice(0, longest - 1)}…`;
}
