/**
 * The lock: what was pinned for each artifact of each source, and its text. Pure: reading and writing the file
 * is for the lock file. It does not know how an artifact is resolved.
 */
import { UserError } from "../../errors/index.ts";
import { publicUrl } from "../http/location.ts";
import { excerpt } from "./list.ts";

/** What is known of one artifact. Digests are lower-case hexadecimal, sizes bytes, URLs without credentials. */
export interface LockEntry {
  readonly url: string;
  readonly size: number;
  readonly sha256: string;
  readonly md5?: string;
  readonly etag?: string;
  readonly lastModified?: string;
  /** A gem's version. */
  readonly version?: string;
  /** Direct dependencies: extension names as upstream has them, or gem requirements. */
  readonly deps?: readonly string[];
  /** An RPM's repository, by its id. */
  readonly repository?: string;
  /** Who wants it: names of packages, or `file:line`. */
  readonly wantedBy?: readonly string[];
}

/** An optional file that upstream was found not to have. */
export interface AbsentEntry {
  readonly url: string;
  readonly absent: true;
}

export type LockLine = LockEntry | AbsentEntry;

/** Artifact name → what is pinned, for one source. */
export type SourceLock = ReadonlyMap<string, LockLine>;

/** Source name → its artifacts. */
export type Lock = ReadonlyMap<string, SourceLock>;

const lockVersion = 1;

/** The pinned bytes of an artifact; undefined when it is not pinned, or pinned as absent. */
export function entryOf(lock: SourceLock, name: string): LockEntry | undefined {
  const line = lock.get(name);
  return line === undefined || "absent" in line ? undefined : line;
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** The lock's text: JSON, names in byte order, keys in a fixed order, one artifact a line. */
export function formatLock(lock: Lock): string {
  const sources = [...lock].filter(([, artifacts]) => artifacts.size > 0).sort(([a], [b]) => byBytes(a, b));
  const blocks = sources.map(([source, artifacts]) => {
    const rows = [...artifacts]
      .sort(([a], [b]) => byBytes(a, b))
      .map(([name, line]) => `      ${JSON.stringify(name)}: ${JSON.stringify(ordered(line))}`);
    return `    ${JSON.stringify(source)}: {\n${rows.join(",\n")}\n    }`;
  });
  const body = blocks.length === 0 ? "{}" : `{\n${blocks.join(",\n")}\n  }`;
  return `{\n  "version": ${lockVersion},\n  "sources": ${body}\n}\n`;
}

function ordered(line: LockLine): LockLine {
  const url = publicUrl(line.url);
  if ("absent" in line) return { url, absent: true };
  const { size, sha256, md5, etag, lastModified, version, deps, repository, wantedBy } = line;
  return {
    ...(version === undefined ? {} : { version }),
    url,
    size,
    sha256,
    ...(md5 === undefined ? {} : { md5 }),
    ...(etag === undefined ? {} : { etag }),
    ...(lastModified === undefined ? {} : { lastModified }),
    ...(deps === undefined ? {} : { deps }),
    ...(repository === undefined ? {} : { repository }),
    ...(wantedBy === undefined ? {} : { wantedBy }),
  };
}

/**
 * Reads a lock's text; `file` is how it is called in messages. Throws a UserError naming file and line for what
 * is not JSON, and file, line and artifact for a value that is not what it should be.
 */
export function parseLock(text: string, file: string): Lock {
  const fail = (reason: string, line: number): never => {
    throw new UserError(`the lock cannot be read: ${reason}`, {
      code: "bad-lock",
      where: `${file}:${line}`,
      hint: "restore the file from version control, or delete it to pin everything again",
    });
  };
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    const line = mergeLine(text);
    if (line !== undefined) return fail("it has an unresolved merge conflict", line);
    return fail("it is not valid JSON", syntaxLine(error, text));
  }
  if (!isRecord(value)) return fail("it is not a JSON object", 1);
  if (value.version !== lockVersion) {
    return fail(
      `its version is ${excerpt(JSON.stringify(value.version) ?? "missing")}, not ${lockVersion}`,
      lineOf(text, ['"version"']),
    );
  }
  if (!isRecord(value.sources)) return fail('"sources" is not an object', lineOf(text, ['"sources"']));
  const lock = new Map<string, SourceLock>();
  for (const [source, artifacts] of Object.entries(value.sources)) {
    const sourceKey = JSON.stringify(source);
    if (!isRecord(artifacts)) return fail(`"${excerpt(source)}" is not an object`, lineOf(text, [sourceKey]));
    const lines = new Map<string, LockLine>();
    for (const [name, raw] of Object.entries(artifacts)) {
      const fault = artifactFault(name) ?? lineFault(raw);
      if (fault !== undefined) {
        return fail(`"${excerpt(name)}": ${fault}`, lineOf(text, [sourceKey, `${JSON.stringify(name)}:`]));
      }
      lines.set(name, raw as LockLine);
    }
    lock.set(source, lines);
  }
  return lock;
}

/** Why `name` cannot name an artifact: it becomes a file name in the outputs. */
export function artifactFault(name: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  const hostile = name === "" || name.startsWith(".") || /[\u0000-\u001f\u007f/\\]/.test(name);
  return hostile || name.length > 220 ? "it is not a plain file name" : undefined;
}

type Rule = readonly [key: string, required: boolean, holds: (value: unknown) => boolean, expected: string];

const isText = (value: unknown): boolean => typeof value === "string";
const isHex = (length: number) => (value: unknown) =>
  typeof value === "string" && value.length === length && /^[0-9a-f]+$/.test(value);

const rules: readonly Rule[] = [
  ["url", true, isText, "text"],
  ["size", true, (value) => Number.isSafeInteger(value) && Number(value) >= 0, "a number of bytes"],
  ["sha256", true, isHex(64), "64 hexadecimal digits"],
  ["md5", false, isHex(32), "32 hexadecimal digits"],
  ["etag", false, isText, "text"],
  ["lastModified", false, isText, "text"],
  ["version", false, isText, "text"],
  ["deps", false, (value) => Array.isArray(value) && value.every(isText), "a list of texts"],
  ["repository", false, isText, "text"],
  ["wantedBy", false, (value) => Array.isArray(value) && value.every(isText), "a list of texts"],
];

function lineFault(raw: unknown): string | undefined {
  if (!isRecord(raw)) return "it is not an object";
  if (raw.absent === true) return isText(raw.url) ? undefined : '"url" should be text';
  for (const [key, required, holds, expected] of rules) {
    const value = raw[key];
    if (value === undefined ? required : !holds(value)) return `"${key}" should be ${expected}`;
  }
  return undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The line on which the last of these texts first follows the ones before it. */
function lineOf(text: string, keys: readonly string[]): number {
  let position = 0;
  for (const key of keys) position = Math.max(text.indexOf(key, position), position);
  return text.slice(0, position).split("\n").length;
}

function mergeLine(text: string): number | undefined {
  const index = text.split("\n").findIndex((line) => line.startsWith("<<<<<<<"));
  return index < 0 ? undefined : index + 1;
}

function syntaxLine(error: unknown, text: string): number {
  // V8 says where, except at the very end of the text.
  const position = /at position (\d+)/.exec(error instanceof Error ? error.message : "")?.[1];
  const before = position === undefined ? text.trimEnd() : text.slice(0, Number(position));
  return before.split("\n").length;
}
