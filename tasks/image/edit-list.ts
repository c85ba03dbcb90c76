/** `lists/edits.yaml`: changes of text files that Core or the overlay has, in order. */
import { didYouMean } from "../../src/errors/index.ts";
import { SettingsYaml } from "./settings-yaml.ts";

/** A change of one file; `file` is relative to the image's root. */
export type Edit =
  | {
      readonly kind: "replace";
      readonly file: string;
      /** Matches whole lines, or parts of them. */
      readonly pattern: RegExp;
      /** As it is written, for messages. */
      readonly wanted: string;
      readonly replacement: string;
      /** How many lines must match. */
      readonly count: number;
    }
  | { readonly kind: "insert"; readonly file: string; readonly after: string; readonly text: string }
  | { readonly kind: "append"; readonly file: string; readonly text: string }
  | { readonly kind: "link"; readonly file: string; readonly target: string };

export interface EditList {
  readonly edits: readonly Edit[];
  /** The error about the edit with this index. */
  readonly error: (index: number, message: string, hint: string) => Error;
}

type Fields = Readonly<Record<string, unknown>>;

const keys: Readonly<Record<Edit["kind"], readonly string[]>> = {
  replace: ["file", "line", "regex", "with", "count"],
  insert: ["file", "after", "text"],
  append: ["file", "text"],
  link: ["from", "to"],
};

/** Reads the text of the file; `file` is its name in messages. @throws UserError `edits` with the line */
export async function readEditList(source: string, file: string): Promise<EditList> {
  const yaml = await SettingsYaml.parse(source, file, "edits");
  const value = yaml.value ?? [];
  if (!Array.isArray(value)) throw yaml.error([], "the file is not a list", "write each edit as - KIND: {…}");
  const edits = value.map((entry: unknown, index) => {
    const [[kind = "", fields] = [], ...more] = isRecord(entry) ? Object.entries(entry) : [];
    const known = Object.hasOwn(keys, kind) ? keys[kind as Edit["kind"]] : undefined;
    if (known === undefined || more.length > 0)
      throw yaml.error(
        [index],
        `"${kind}" is no kind of edit`,
        didYouMean(kind, Object.keys(keys)) ?? `kinds: ${Object.keys(keys).join(", ")}`,
      );
    const fail = (key: string, message: string, hint: string): Error =>
      yaml.error([index, kind, key], message, hint);
    if (!isRecord(fields)) throw yaml.error([index], `${kind} needs keys`, `keys: ${known.join(", ")}`);
    for (const key of Object.keys(fields))
      if (!known.includes(key))
        throw fail(
          key,
          `"${key}" is not a key of ${kind}`,
          didYouMean(key, known) ?? `keys: ${known.join(", ")}`,
        );
    return editOf(kind as Edit["kind"], fields, fail);
  });
  return { edits, error: (index, message, hint) => yaml.error([index], message, hint) };
}

function editOf(
  kind: Edit["kind"],
  fields: Fields,
  fail: (key: string, message: string, hint: string) => Error,
): Edit {
  const word = (key: string): string => {
    const value = fields[key];
    if (typeof value === "string") return value;
    throw fail(key, `${kind} needs "${key}", a text`, `write ${key}: TEXT`);
  };
  const pathOf = (key: string): string => {
    const path = word(key).replace(/^\/+/, "");
    if (path !== "" && !/(^|\/)\.{0,2}(\/|$)/.test(path)) return path;
    throw fail(key, `"${key}" must be a path of the image`, "write it from the root, without . and ..");
  };
  switch (kind) {
    case "link":
      return { kind, file: pathOf("from"), target: word("to") };
    case "append":
      return { kind, file: pathOf("file"), text: word("text") };
    case "insert":
      return { kind, file: pathOf("file"), after: word("after"), text: word("text") };
    case "replace": {
      const { count = 1 } = fields;
      if (!Number.isInteger(count) || (count as number) < 1)
        throw fail("count", '"count" must be a positive integer', "write how many lines must match");
      if ((fields.line === undefined) === (fields.regex === undefined))
        throw fail(
          "line",
          "replace needs either line or regex",
          "write line: the whole line, or regex: a part of it",
        );
      const isLine = fields.line !== undefined;
      const wanted = word(isLine ? "line" : "regex");
      return {
        ...{ kind, file: pathOf("file"), wanted, replacement: word("with"), count: count as number },
        pattern: isLine ? lineOf(wanted) : regexOf(wanted, fail),
      };
    }
  }
}

function lineOf(line: string): RegExp {
  return new RegExp(`^${line.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`);
}

function regexOf(source: string, fail: (key: string, message: string, hint: string) => Error): RegExp {
  try {
    return new RegExp(source);
  } catch {
    throw fail("regex", "this is not a regular expression", "write one as JavaScript has it");
  }
}

function isRecord(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
