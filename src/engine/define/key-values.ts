/** Parses KEY=value lines as in a file that a shell script would source. Nothing is evaluated. */
import { didYouMean, UsageError } from "../../errors/index.ts";

/**
 * The values in `text`, which messages call `file`. Values may stand in single or double quotes; `#` starts a comment at the
 * beginning of a line or after a blank; `export` before a key is ignored. Nothing is expanded: a `$`, a backquote or a backslash
 * outside single quotes is refused rather than taken literally, since a shell would have done something else. With `allowed`
 * other keys are refused; `onKey` is told the line of each, from 1. Throws `UsageError` naming file and line.
 */
export function parseKeyValues(
  text: string,
  file: string,
  allowed?: ReadonlySet<string>,
  onKey?: (key: string, line: number) => void,
): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  const lines = text.replace(/^\ufeff/, "").split(/\r?\n/);
  for (const [index, line] of lines.entries()) {
    const trimmed = line.trim();
    if (trimmed === "" || trimmed.startsWith("#")) continue;
    const where = `${file}:${index + 1}`;
    const match = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(trimmed);
    if (match === null) {
      throw new UsageError("this line is not KEY=value", {
        code: "config-syntax",
        hint: "write one KEY=value per line; comments start with #",
        where,
      });
    }
    const [, key = "", raw = ""] = match;
    if (allowed !== undefined && !allowed.has(key)) {
      throw new UsageError(`${key} is not a known key`, {
        code: "config-key",
        where,
        hint: didYouMean(key, allowed) ?? `known keys: ${[...allowed].sort().join(", ")}`,
      });
    }
    values.set(key, unquote(raw, where));
    onKey?.(key, index + 1);
  }
  return values;
}

function unquote(raw: string, where: string): string {
  const single = /^'([^']*)'\s*(?:#.*)?$/.exec(raw);
  if (single !== null) return single[1] ?? "";
  const double = /^"([^"]*)"\s*(?:#.*)?$/.exec(raw);
  const value = double === null ? raw.replace(/\s+#.*$/, "").trim() : (double[1] ?? "");
  if (/[$`\\]/.test(value)) {
    throw new UsageError("the value contains $, ` or \\, which is not expanded here", {
      code: "config-expansion",
      where,
      hint: "write the value out, or put it in single quotes to keep the character",
    });
  }
  if (double === null && /['"\s;&|<>]/.test(value)) {
    throw new UsageError("the value has blanks or shell characters, but no quotes", {
      code: "config-syntax",
      where,
      hint: "put the value in single quotes",
    });
  }
  return value;
}
