/** The text files beside an extension and the indexes of the repository, in the forms of Tiny Core's mirrors. */
import { gzipSync } from "node:zlib";
import { type FileTree, followLinks } from "../../src/formats/index.ts";

export interface ExtensionFacts {
  /** Without `.tcz`. */
  readonly name: string;
  readonly version: string;
  /** One line. */
  readonly description: string;
  readonly homepage: string;
  /** Names of the licences, as the packages' copyright files have them. */
  readonly licences: readonly string[];
  /** `name version` of each package inside; none where it was made of something else. */
  readonly packages: readonly string[];
  /** Who made it; by default this program, from packages. */
  readonly by?: string;
  readonly tags: readonly string[];
  /** Bytes of the `.tcz`. */
  readonly size: number;
  /** Hex. */
  readonly md5: string;
  /** Paths of files and links, in byte order. */
  readonly paths: readonly string[];
  /** Extensions needed directly, without `.tcz`. */
  readonly depends: readonly string[];
}

/** The `.info` file: `Key: value`, where a line that begins with a blank continues the one above. */
function formatInfo(facts: ExtensionFacts, epoch: number): string {
  const date = new Date(epoch * 1000).toISOString().slice(0, 10).replaceAll("-", "/");
  const fields: readonly (readonly [string, readonly string[]])[] = [
    ["Title", [`${facts.name}.tcz`]],
    ["Description", [facts.description]],
    ["Version", [facts.version]],
    ["Author", ["see Original-site"]],
    ["Original-site", [facts.homepage]],
    ["Copying-policy", [facts.licences.join(", ") || "see Original-site"]],
    ["Size", [formatSize(facts.size)]],
    ["Extension_by", [facts.by ?? "razor-mk, from the distribution's packages"]],
    ["Tags", [facts.tags.join(" ")]],
    ["Comments", facts.packages.length === 0 ? ["---"] : ["Made from these packages:", ...facts.packages]],
    ["Change-log", ["---"]],
    ["Current", [`${date} ${facts.version}`]],
  ];
  return fields
    .map(([key, lines]) => `${`${key}:`.padEnd(16)}${lines.join(`\n${" ".repeat(16)}`)}`.trimEnd())
    .join("\n")
    .concat("\n");
}

/** The `.tree` file: what is needed, directly or not, each level indented by three blanks, root first. */
function formatTree(root: string, depends: ReadonlyMap<string, readonly string[]>): string {
  const lines: string[] = [];
  function visit(name: string, above: readonly string[]): void {
    lines.push(`${"   ".repeat(above.length)}${name}.tcz`);
    if (above.includes(name)) return;
    for (const next of depends.get(name) ?? []) visit(next, [...above, name]);
  }
  visit(root, []);
  return toLines(lines);
}

/** The files beside `NAME.tcz`, by name. Without dependencies there is no `.dep`, as on the mirrors. */
export function formatSidecars(
  facts: ExtensionFacts,
  depends: ReadonlyMap<string, readonly string[]>,
  epoch: number,
): ReadonlyMap<string, string> {
  const file = `${facts.name}.tcz`;
  const texts = new Map([
    [`${file}.md5.txt`, `${facts.md5}  ${file}\n`],
    [`${file}.info`, formatInfo(facts, epoch)],
    [`${file}.list`, toLines(facts.paths)],
    [`${file}.tree`, formatTree(facts.name, depends)],
  ]);
  if (facts.depends.length > 0) {
    texts.set(`${file}.dep`, toLines(facts.depends.map((name) => `${name}.tcz`)));
  }
  return texts;
}

/**
 * The indexes of a repository's `tcz` directory: `info.lst.gz` (names), `md5.db.gz` (`md5  name`), `sizelist.gz`
 * (`name bytes`), `dep.db.gz` and `provides.db.gz` (records of a name and its lines, parted by blank lines).
 */
export function formatIndexes(extensions: readonly ExtensionFacts[]): ReadonlyMap<string, Uint8Array> {
  const files = (facts: ExtensionFacts): string => `${facts.name}.tcz`;
  const records = (lines: (facts: ExtensionFacts) => readonly string[]): string =>
    extensions.map((facts) => toLines([files(facts), ...lines(facts)])).join("\n");
  return new Map([
    ["info.lst.gz", pack(toLines(extensions.map(files)))],
    ["md5.db.gz", pack(toLines(extensions.map((facts) => `${facts.md5}  ${files(facts)}`)))],
    ["sizelist.gz", pack(toLines(extensions.map((facts) => `${files(facts)} ${facts.size}`)))],
    ["dep.db.gz", pack(records((facts) => facts.depends.map((name) => `${name}.tcz`)))],
    ["provides.db.gz", pack(records((facts) => facts.paths))],
  ]);
}

/** The licences of a package by its copyright file, which may be in another package. */
export async function copyrightLicences(files: FileTree, name: string): Promise<readonly string[]> {
  const { path, loops } = followLinks(files, `usr/share/doc/${name}/copyright`, true);
  if (loops || files.get(path)?.type !== "file") return [];
  return readLicences((await files.read(path)).toString());
}

/** The licences' names in a copyright file: the `License` fields of Debian's machine-readable form, each once. */
function readLicences(copyright: string): readonly string[] {
  const names = [...copyright.matchAll(/^License:[ \t]*(\S[^\n]*)$/gm)].map((match) =>
    (match[1] ?? "").trim(),
  );
  return [...new Set(names)];
}

function formatSize(bytes: number): string {
  return bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)}K` : `${(bytes / 1024 / 1024).toFixed(1)}M`;
}

function toLines(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

function pack(text: string): Uint8Array {
  return gzipSync(text, { level: 9 });
}
