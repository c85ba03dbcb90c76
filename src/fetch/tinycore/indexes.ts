/**
 * The repository indexes that stand beside a mirror's extensions, and the small files beside each one. It reads
 * text; fetching is for the catalogue.
 *
 * Formats as written by the mirror's own scripts and read by Tiny Core's: `md5.db.gz` has md5sum lines,
 * `sizelist.gz` lines of `NAME BYTES`, `info.lst.gz` one name a line, `dep.db.gz` records separated by blank
 * lines, the first line of each the extension and the others what it depends on directly.
 */
import { UserError } from "../../errors/index.ts";
import { excerpt, nameFault } from "../pins/list.ts";
import { broken, lines, type NumberedLine } from "../pins/numbered-lines.ts";

/** Names as in the mirror, possibly with `-KERNEL`; md5 lower-case hexadecimal; sizes in bytes. */
type Md5Index = ReadonlyMap<string, string>;
type SizeIndex = ReadonlyMap<string, number>;
/** For each extension where its record is in the text, to be read only when it is asked for: see `dependenciesIn`. */
interface DependencyIndex {
  readonly text: string;
  readonly records: ReadonlyMap<string, DependencyRecord>;
}

interface DependencyRecord {
  /** Position behind the record's first line, and that line's number, from 1. */
  readonly position: number;
  readonly line: number;
}

/** How many names an index may have. */
export interface IndexLimit {
  readonly most: number;
  /** The setting that allows more, for the hint. */
  readonly setting?: string | undefined;
}

const noLimit: IndexLimit = { most: Number.POSITIVE_INFINITY };

/** What to do where an index is larger than a limit that the setting raises. */
export function indexHint(setting: string | undefined): string {
  return setting === undefined
    ? "use another mirror"
    : `use another mirror, or raise the limit with ${setting}`;
}

/** An index as it is filled, with no more names than the limit. */
class BoundedIndex<T> extends Map<string, T> {
  readonly #limit: IndexLimit;
  readonly #where: string;

  constructor(limit: IndexLimit, where: string) {
    super();
    this.#limit = limit;
    this.#where = where;
  }

  override set(name: string, value: T): this {
    if (this.size >= this.#limit.most && !this.has(name)) throw tooManyNames(this.#limit, this.#where);
    return super.set(name, value);
  }
}

/** The error for an index with more names than the limit. */
function tooManyNames({ most, setting }: IndexLimit, where: string): UserError {
  return new UserError(`the index lists more than ${most} extensions`, {
    code: "index-too-large",
    where,
    hint: indexHint(setting),
  });
}

function isExtension(name: string): boolean {
  return name.endsWith(".tcz") && nameFault(name) === undefined;
}

/**
 * `where` names the file in messages. Names that cannot be an extension's are left out: nobody can ask for
 * them, and one odd file on a mirror of thousands must not stand in the way of the others.
 */
export function parseMd5Index(text: string, where: string, limit = noLimit): Md5Index {
  const index = new BoundedIndex<string>(limit, where);
  for (const line of lines(text)) {
    if (line.text === "") continue;
    const match = /^([0-9a-fA-F]{32})[ \t]+\*?(.+)$/.exec(line.text);
    if (match?.[1] === undefined || match[2] === undefined) {
      throw broken(where, line.number, line.text, "an md5 and a name");
    }
    const name = match[2].replace(/^\.\//, "");
    if (isExtension(name)) index.set(name, match[1].toLowerCase());
  }
  return index;
}

export function parseSizeIndex(text: string, where: string, limit = noLimit): SizeIndex {
  const index = new BoundedIndex<number>(limit, where);
  for (const line of lines(text)) {
    if (line.text === "") continue;
    const match = /^(\S+)[ \t]+(\d+)$/.exec(line.text);
    const size = Number(match?.[2]);
    if (match?.[1] === undefined || !Number.isSafeInteger(size)) {
      throw broken(where, line.number, line.text, "a name and a number of bytes");
    }
    if (isExtension(match[1])) index.set(match[1], size);
  }
  return index;
}

export function parseDependencyIndex(text: string, where: string, limit = noLimit): DependencyIndex {
  const records = new BoundedIndex<DependencyRecord>(limit, where);
  let isHead = true;
  for (const line of lines(text)) {
    if (isHead && isExtension(line.text)) records.set(line.text, { position: line.next, line: line.number });
    isHead = line.text === "";
  }
  return { text, records };
}

/** Direct dependencies of one extension, each once; none when it has no record. */
export function dependenciesIn(index: DependencyIndex, name: string, where: string): readonly string[] {
  const record = index.records.get(name);
  if (record === undefined) return [];
  const names = new Set<string>();
  for (const line of lines(index.text, record.position, record.line)) {
    if (line.text === "") break;
    addDependencies(names, line, where);
  }
  return [...names];
}

/** The names of all extensions, for suggestions only: what is not a name is left out, and so is what comes behind `most`. */
export function parseNameIndex(text: string, most = Infinity): readonly string[] {
  const names: string[] = [];
  for (const line of lines(text)) {
    if (names.length >= most) break;
    if (isExtension(line.text)) names.push(line.text);
  }
  return names;
}

/** How many direct dependencies one extension may have. */
const mostDependencies = 10_000;

/** A `.dep` file: direct dependencies, each name once. `where` is the file in messages. */
export function parseDependencies(text: string, where: string): readonly string[] {
  const names = new Set<string>();
  for (const line of lines(text)) addDependencies(names, line, where);
  return [...names];
}

/**
 * Adds the names in a line of a `.dep` file. As tce-load reads it (Core-scripts, usr/bin/tce-load: `for d in $(cat NAME.dep)`):
 * every word is the file name of an extension, so that there are no comments, and `.tcz` is not added.
 */
function addDependencies(names: Set<string>, line: NumberedLine, where: string): void {
  for (const name of line.text.split(/[ \t]+/)) {
    if (name === "") continue;
    const fault = dependencyFault(name);
    if (fault !== undefined) {
      const isOwn = !/^https?:/i.test(where);
      throw new UserError(`"${excerpt(line.text)}" is not a valid line of a .dep file: ${fault}`, {
        code: "bad-index",
        where: `${where}:${line.number}`,
        hint: isOwn
          ? "write only names of extensions, such as readline.tcz"
          : "report it to the mirror's maintainer, or use another mirror",
      });
    }
    if (names.size >= mostDependencies) {
      throw new UserError(`the extension has more than ${mostDependencies} dependencies`, {
        code: "bad-index",
        where: `${where}:${line.number}`,
        hint: "use another mirror",
      });
    }
    names.add(name);
  }
}

function dependencyFault(name: string): string | undefined {
  if (name.startsWith("#")) return "tce-load does not support comments and takes every word for an extension";
  if (/^[\w+.~@%:,=-]+$/.test(name) && !/\.(tcz|deb)$/.test(name) && nameFault(`${name}.tcz`) === undefined)
    return `"${name}" does not end in .tcz, and tce-load looks for a file of exactly this name`;
  return nameFault(name) ?? (name.endsWith(".tcz") ? undefined : "it does not end in .tcz");
}

/** An `.info` file: `Key: value`, continuation lines indented or without a key, joined by newlines. */
export function parseInfo(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  let current: string | undefined;
  for (const line of text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/)) {
    const match = /^([A-Za-z][\w -]{0,40}?)[ \t]*:[ \t]*(.*)$/.exec(line);
    if (match?.[1] !== undefined) {
      current = match[1];
      fields.set(current, (match[2] ?? "").trim());
    } else if (current !== undefined && line.trim() !== "") {
      fields.set(current, `${fields.get(current) ?? ""}\n${line.trim()}`.trim());
    }
  }
  return fields;
}

/** The text of the `.md5.txt` and `.dep` files that belong to an extension. */
export function formatMd5File(md5: string, name: string): string {
  return `${md5}  ${name}\n`;
}

export function formatDependencies(names: readonly string[]): string {
  return names.map((name) => `${name}\n`).join("");
}
