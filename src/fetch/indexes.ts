/**
 * The repository indexes that stand beside a mirror's extensions, and the small files beside each one. It reads
 * text; fetching is for the catalogue.
 *
 * Formats as written by the mirror's own scripts and read by Tiny Core's: `md5.db.gz` has md5sum lines,
 * `sizelist.gz` lines of `NAME BYTES`, `info.lst.gz` one name a line, `dep.db.gz` records separated by blank
 * lines, the first line of each the extension and the others what it depends on directly.
 */
import { UserError } from "../errors/index.ts";
import { nameFault, printable } from "./list.ts";

/** Names as in the mirror, possibly with `-KERNEL`; md5 lower-case hexadecimal; sizes in bytes. */
export type Md5Index = ReadonlyMap<string, string>;
export type SizeIndex = ReadonlyMap<string, number>;
/** For each extension the lines of its record, read only when it is asked for: see `dependenciesIn`. */
export type DependencyIndex = ReadonlyMap<string, readonly NumberedLine[]>;

interface NumberedLine {
  readonly number: number;
  readonly text: string;
}

function* lines(text: string): Generator<NumberedLine> {
  let number = 0;
  for (const line of text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/)) {
    number += 1;
    yield { number, text: line.trim() };
  }
}

function broken(where: string, number: number, text: string, expected: string): UserError {
  return new UserError(`a line that cannot be read: "${printable(text)}", where ${expected} was expected`, {
    code: "bad-index",
    where: `${where}:${number}`,
    hint: "the mirror's file is damaged: try again later, or use another mirror",
  });
}

function checkName(name: string, where: string, number: number): string {
  if (!name.endsWith(".tcz")) throw broken(where, number, name, "the name of a .tcz");
  const fault = nameFault(name);
  if (fault !== undefined) throw broken(where, number, name, `a plain file name (${fault})`);
  return name;
}

function isExtension(name: string): boolean {
  return name.endsWith(".tcz") && nameFault(name) === undefined;
}

/**
 * `where` names the file in messages. Names that cannot be an extension's are left out: nobody can ask for
 * them, and one odd file on a mirror of thousands must not stand in the way of the others.
 */
export function parseMd5Index(text: string, where: string): Md5Index {
  const index = new Map<string, string>();
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

export function parseSizeIndex(text: string, where: string): SizeIndex {
  const index = new Map<string, number>();
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

export function parseDependencyIndex(text: string): DependencyIndex {
  const index = new Map<string, readonly NumberedLine[]>();
  let record: NumberedLine[] = [];
  const close = (): void => {
    const [head, ...dependencies] = record;
    if (head !== undefined) index.set(head.text, dependencies);
    record = [];
  };
  for (const line of lines(text)) {
    if (line.text === "") close();
    else record.push(line);
  }
  close();
  return index;
}

/** Direct dependencies of one extension, each once; none when it has no record. */
export function dependenciesIn(index: DependencyIndex, name: string, where: string): readonly string[] {
  const names = (index.get(name) ?? []).map((line) => checkName(line.text, where, line.number));
  return [...new Set(names)];
}

/** The names of all extensions, for suggestions only: what is not a name is left out. */
export function parseNameIndex(text: string): readonly string[] {
  return [...lines(text)].map((line) => line.text).filter(isExtension);
}

/** A `.dep` file: direct dependencies, one a line, with stray blanks and blank lines, each name once. */
export function parseDependencies(text: string, where: string): readonly string[] {
  const names = new Set<string>();
  for (const line of lines(text)) {
    if (line.text !== "") names.add(checkName(line.text, where, line.number));
  }
  return [...names];
}

/** The md5 (lower-case hexadecimal) in an `.md5.txt`: one md5sum line, of whatever file name. */
export function parseMd5File(text: string, where: string): string {
  const [first] = [...lines(text)].filter((line) => line.text !== "");
  const md5 = /^([0-9a-fA-F]{32})(\s|$)/.exec(first?.text ?? "")?.[1];
  if (md5 === undefined) throw broken(where, first?.number ?? 1, first?.text ?? "", "an md5sum line");
  return md5.toLowerCase();
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
