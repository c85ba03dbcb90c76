/** `lists/edits.yaml`: changes of what Core, the overlay and extensions bring, in order. */
import { didYouMean } from "../../src/errors/index.ts";
import { SettingsYaml } from "./settings-yaml.ts";

/** Where the patches and scripts of edits are, relative to the workspace. */
export const editsDirectory = "edits";

/** A change; `file` is relative to the image's root. */
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
  | {
      readonly kind: "link";
      readonly file: string;
      readonly target: string;
      /** Only where nothing is yet. */
      readonly isOptional: boolean;
    }
  /** Replaces `{NAME}` in a file by values of the build. */
  | { readonly kind: "substitute"; readonly file: string; readonly names: readonly string[] }
  /** A unified diff; `patch` is a file of `edits/`. */
  | { readonly kind: "patch"; readonly patch: string }
  | { readonly kind: "remove"; readonly patterns: readonly string[] }
  /** Files of an extension, laid below the directory `to`, which is "" for the root. */
  | {
      readonly kind: "take";
      readonly from: string;
      readonly patterns: readonly string[];
      readonly to: string;
    }
  /** An extension and what it needs as files of the image. */
  | { readonly kind: "unpack"; readonly from: string; readonly installed: StartScripts }
  /** A shell script of `edits/` that runs in the image's files. */
  | { readonly kind: "run"; readonly script: string };

type EditKind = Edit["kind"];

/**
 * What becomes of the start scripts of an unpacked extension: they run during the build, or only the mark of a loaded extension stays, or
 * they stay for a boot that runs them, or nothing of them stays.
 */
type StartScripts = (typeof startScripts)[number];
const startScripts = ["run", "marker", "boot", "drop"] as const;

/** Names that an edit may substitute. */
const substitutes = ["VERSION", "VARIANT", "KERNEL"] as const;

export interface EditList {
  readonly edits: readonly Edit[];
  /** The error about the edit with this index. */
  readonly error: (index: number, message: string, hint: string) => Error;
}

type Fields = Readonly<Record<string, unknown>>;
type Fail = (key: string, message: string, hint: string) => Error;

const keys: Readonly<Record<EditKind, readonly string[]>> = {
  replace: ["file", "line", "regex", "with", "count"],
  insert: ["file", "after", "text"],
  append: ["file", "text"],
  link: ["from", "to", "where"],
  substitute: ["file", "names"],
  patch: ["patch"],
  remove: ["files"],
  take: ["from", "files", "to"],
  unpack: ["from", "installed"],
  run: ["script"],
};

/** What the kinds with one important key may be written as: `remove: PATTERN`. */
const shortKeys: Readonly<Partial<Record<EditKind, string>>> = {
  patch: "patch",
  remove: "files",
  unpack: "from",
  run: "script",
};

/** Reads the text of the file; `file` is its name in messages. @throws UserError `edits` with the line */
export async function readEditList(source: string, file: string): Promise<EditList> {
  const yaml = await SettingsYaml.parse(source, file, "edits");
  const value = yaml.value ?? [];
  if (!Array.isArray(value)) throw yaml.error([], "the file is not a list", "write each edit as - KIND: {…}");
  const edits = value.map((entry: unknown, index) => {
    const [[kind = "", given] = [], ...more] = isRecord(entry) ? Object.entries(entry) : [];
    const known = Object.hasOwn(keys, kind) ? keys[kind as EditKind] : undefined;
    if (known === undefined || more.length > 0)
      throw yaml.error(
        [index],
        `"${kind}" is no kind of edit`,
        didYouMean(kind, Object.keys(keys)) ?? `kinds: ${Object.keys(keys).join(", ")}`,
      );
    const short = shortKeys[kind as EditKind];
    const fields = short !== undefined && !isRecord(given) ? { [short]: given } : given;
    const fail: Fail = (key, message, hint) => yaml.error([index, kind, key], message, hint);
    if (!isRecord(fields)) throw yaml.error([index], `${kind} needs keys`, `keys: ${known.join(", ")}`);
    for (const key of Object.keys(fields))
      if (!known.includes(key))
        throw fail(
          key,
          `"${key}" is not a key of ${kind}`,
          didYouMean(key, known) ?? `keys: ${known.join(", ")}`,
        );
    return editOf(kind as EditKind, new EditFields(kind, fields, fail));
  });
  return { edits, error: (index, message, hint) => yaml.error([index], message, hint) };
}

function editOf(kind: EditKind, fields: EditFields): Edit {
  switch (kind) {
    case "link":
      return {
        ...{ kind, file: fields.path("from"), target: fields.word("to") },
        isOptional: fields.choice("where", ["free"]) === "free",
      };
    case "append":
      return { kind, file: fields.path("file"), text: fields.word("text") };
    case "insert":
      return { kind, file: fields.path("file"), after: fields.word("after"), text: fields.word("text") };
    case "substitute":
      return { kind, file: fields.path("file"), names: fields.names("names", substitutes) };
    case "patch":
      return { kind, patch: fields.own("patch") };
    case "run":
      return { kind, script: fields.own("script") };
    case "remove":
      return { kind, patterns: fields.patterns("files") };
    case "take":
      return {
        kind,
        from: fields.extension("from"),
        patterns: fields.patterns("files"),
        to: fields.directory("to"),
      };
    case "unpack":
      return {
        kind,
        from: fields.extension("from"),
        installed: fields.choice("installed", startScripts) ?? "run",
      };
    case "replace":
      return fields.replacement();
  }
}

/** The keys of one edit, each checked as it is read. */
class EditFields {
  readonly #kind: string;
  readonly #fields: Fields;
  readonly #fail: Fail;

  constructor(kind: string, fields: Fields, fail: Fail) {
    this.#kind = kind;
    this.#fields = fields;
    this.#fail = fail;
  }

  word(key: string): string {
    const value = this.#fields[key];
    if (typeof value === "string") return value;
    throw this.#fail(key, `${this.#kind} needs "${key}", a text`, `write ${key}: TEXT`);
  }

  /** A path in the image, without the slash at its beginning. */
  path(key: string): string {
    const path = this.word(key).replace(/^\/+/, "");
    if (isPlain(path)) return path;
    throw this.#fail(key, `"${key}" must be a path of the image`, "write it from the root, without . and ..");
  }

  /** A directory of the image; "" for the root, which is the default. */
  directory(key: string): string {
    const path = `${this.#fields[key] ?? ""}`.replace(/^\/+|\/+$/g, "");
    return path === "" ? "" : this.path(key).replace(/\/+$/, "");
  }

  /** A file of the project's `edits/`. */
  own(key: string): string {
    const path = this.word(key);
    if (isPlain(path)) return path;
    throw this.#fail(
      key,
      `"${key}" must be a file in ${editsDirectory}/`,
      `write its path relative to ${editsDirectory}/`,
    );
  }

  extension(key: string): string {
    const name = this.word(key);
    if (/^\w[\w+.~@%:,=-]*\.tcz$/.test(name)) return name;
    throw this.#fail(key, `"${key}" must be the file name of an extension`, "write NAME.tcz");
  }

  patterns(key: string): readonly string[] {
    const value = this.#fields[key];
    const list: unknown = typeof value === "string" ? [value] : value;
    if (Array.isArray(list) && list.length > 0 && list.every((one) => typeof one === "string"))
      return list.map((one: string) => one.replace(/^\/+/, ""));
    throw this.#fail(
      key,
      `${this.#kind} needs "${key}", a pattern of paths or a list of them`,
      `write ${key}: [PATTERN]`,
    );
  }

  names<T extends string>(key: string, known: readonly T[]): readonly T[] {
    const value = this.#fields[key] ?? known;
    const list: unknown = typeof value === "string" ? [value] : value;
    if (Array.isArray(list) && list.every((one) => known.includes(one as T))) return list as readonly T[];
    throw this.#fail(key, `"${key}" must be of these: ${known.join(", ")}`, "remove the others");
  }

  choice<T extends string>(key: string, known: readonly T[]): T | undefined {
    const value = this.#fields[key];
    const found = known.find((one) => one === value);
    if (found !== undefined || value === undefined) return found;
    throw this.#fail(key, `"${key}" must be one of: ${known.join(", ")}`, "correct the value");
  }

  replacement(): Edit {
    const { count = 1 } = this.#fields;
    if (!Number.isInteger(count) || (count as number) < 1)
      throw this.#fail("count", '"count" must be a positive integer', "write how many lines must match");
    if ((this.#fields.line === undefined) === (this.#fields.regex === undefined))
      throw this.#fail(
        "line",
        "replace needs either line or regex",
        "write line: the whole line, or regex: a part of it",
      );
    const isLine = this.#fields.line !== undefined;
    const wanted = this.word(isLine ? "line" : "regex");
    return {
      ...{
        kind: "replace",
        file: this.path("file"),
        wanted,
        replacement: this.word("with"),
        count: count as number,
      },
      pattern: isLine ? lineOf(wanted) : this.#regex(wanted),
    };
  }

  #regex(source: string): RegExp {
    try {
      return new RegExp(source);
    } catch {
      throw this.#fail("regex", "this is not a regular expression", "write one as JavaScript has it");
    }
  }
}

/** Whether it is relative, and leads to no other directory. */
function isPlain(path: string): boolean {
  return path !== "" && !/(^|\/)\.{0,2}(\/|$)/.test(path);
}

function lineOf(line: string): RegExp {
  return new RegExp(`^${line.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`);
}

function isRecord(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
