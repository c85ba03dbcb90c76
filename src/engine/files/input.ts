/**
 * From declared inputs to the files they mean now: named files looked up, patterns expanded.
 *
 * A pattern's file set is remembered with the status of every directory that was walked; as long as none of these
 * changed, no file was added or removed, and nothing has to be walked.
 */

import { readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { UserError } from "../../errors/index.ts";
import type { FilesInput, Input } from "../define/declared-input.ts";
import { declaredPath, givenPath } from "../define/input-path.ts";
import {
  type AbsolutePath,
  byteOrder,
  type Digest,
  displayPath,
  isBelow,
  pathBelow,
  resolveIn,
} from "../define/names.ts";
import type { Parameter } from "../define/parameter.ts";
import { ignoredBy, matcherOf, positiveIn } from "../define/patterns.ts";
import { digestOfBytes } from "./digest.ts";
import { wayBehind } from "./link-path.ts";
import { behindLink } from "./linked-input.ts";
import { digestOfListing, type ListedEntry, type Listing, lineOf, listed, listingOf } from "./listing.ts";
import type { RecordLog } from "./record-log.ts";
import { flatFolder, search } from "./search.ts";
import type { StatCache } from "./stat-cache.ts";

export interface ResolvedInput {
  readonly name: string;
  readonly declaration: Input;
  /** Absolute: the file itself, or the folder that `paths` are relative to. */
  readonly root: AbsolutePath;
  /** Relative to `root`, in byte order; empty for a named file. */
  readonly paths: readonly string[];
  /** Absolute paths of the link targets, where links are followed. */
  readonly behind: readonly AbsolutePath[];
  /** Names as the user knows them: relative to the workspace, or absolute outside of it. */
  readonly listing: Listing;
  /** Of the listing: computed once, for it is asked for several times. */
  readonly digest: Digest;
  /** The part that counts, where only a part of the file does. */
  readonly selected?: string;
}

interface InputContext {
  readonly workspace: AbsolutePath;
  readonly files: StatCache;
  /** Remembers file sets; shared with the stat cache. */
  readonly memory: RecordLog;
  readonly value: <T>(parameter: Parameter<T>) => T;
  readonly variant: string | undefined;
  /** Milliseconds since the epoch, for the racy-directory rule. */
  readonly now: () => number;
}

/**
 * What an input means now. Throws `UserError` when a named file is missing, a pattern matches nothing (unless the
 * input is optional), or something that is neither file nor link is matched.
 */
export async function resolveInput(
  name: string,
  declaration: Input,
  context: InputContext,
): Promise<ResolvedInput> {
  const declared = declaredPath(declaration);
  const given = givenPath(declaration, context.value);
  const root = resolveIn(context.workspace, given);
  const asked =
    typeof declared === "string" ? given : `--${declared.name} ${displayPath(context.workspace, given)}`;
  const matches = declaration.kind === "file" ? [] : await expand(declaration, root, context);
  const paths: string[] = [];

  const entries: [string, ListedEntry][] = [];
  const behind = new Map<AbsolutePath, ListedEntry>();
  let selected: string | undefined;
  for (const relative of declaration.kind === "file" ? [""] : matches) {
    const absolute = pathBelow(root, relative);
    const found = context.files.at(absolute);
    const known = found instanceof Promise ? await found : found;
    // What was removed since it was found is no part of the input.
    if (known !== undefined && relative !== "") paths.push(relative);
    const entry =
      known?.type === "file" ? listed(known) : await followFile(known, declaration, absolute, context);
    if (entry === undefined) {
      if (relative.includes("\ufffd")) throw unreadableName(absolute, context);
      continue;
    }
    if (declaration.kind === "file" && declaration.select !== undefined) {
      selected = declaration.select(readFileSync(absolute, "utf8"), context.value, {
        variant: context.variant,
        read: (file) => textAt(path.resolve(context.workspace, file)),
      });
      // A file without anything that counts is as good as none: it may come into being by another task's pins.
      if (selected === "") continue;
    }
    const counts = selected === undefined ? entry : entryOfPart(selected);
    entries.push([displayPath(context.workspace, absolute), counts]);
    if (entry.type === "link" && declaration.kind === "files" && declaration.links === "follow")
      await behindLink(absolute, { workspace: context.workspace, root }, context.files, behind);
  }
  const matched = new Set(entries.map(([name]) => name));
  for (const [absolute, entry] of behind) {
    const name = displayPath(context.workspace, absolute);
    if (!matched.has(name)) entries.push([name, entry]);
  }
  if (
    entries.length === 0 &&
    !declaration.optional &&
    selected === undefined &&
    !isGenerated(declaration, root)
  )
    throw nothingFound(declaration, asked, root);
  const part = selected === undefined ? {} : { selected };
  const listing = listingOf(entries);
  return {
    name,
    declaration,
    root,
    paths,
    behind: [...behind.keys()],
    listing,
    digest: digestOfListing(listing),
    ...part,
  };
}

/**
 * The digest of an input for which nothing has to be walked, selected, followed or waited for: the same as that of
 * `resolveInput`. Undefined for all others, and where that would throw.
 */
export function digestOfKnownInput(
  declaration: Input,
  context: Pick<InputContext, "workspace" | "files" | "memory" | "value">,
): Digest | undefined {
  if (declaration.kind === "file" && declaration.select !== undefined) return undefined;
  const { workspace, files } = context;
  const root = resolveIn(workspace, givenPath(declaration, context.value));
  if (declaration.kind === "file") {
    const entry = files.at(root);
    if (entry instanceof Promise || entry?.type !== "file") return undefined;
    const counts = listed(entry);
    return counts && digestOfBytes(lineOf(displayPath(workspace, root), counts));
  }
  const key = globKey(declaration, root, ignoredBy(declaration, root, workspace));
  const known = remembered(key, context.memory);
  if (known === undefined || known.paths.length === 0 || !isCurrent(known, root)) return undefined;
  const shown = displayPath(workspace, root);
  const before = root === workspace ? "" : `${shown}/`;
  let text = "";
  // In byte order already, as in a listing.
  for (const relative of known.paths) {
    const entry = files.at(pathBelow(root, relative));
    if (entry instanceof Promise || entry === undefined) return undefined;
    // Links have to be followed, which needs I/O.
    if (entry.type !== "file" && !(entry.type === "link" && declaration.links === "keep")) return undefined;
    const counts = listed(entry);
    if (counts === undefined) return undefined;
    text += lineOf(before + relative, counts);
  }
  return digestOfBytes(text);
}

/** Whether the task itself may write to it. */
export function isMutable({ declaration }: Pick<ResolvedInput, "declaration">): boolean {
  return declaration.kind === "file" && declaration.mutable;
}

/** It is made before the task runs; a forecast, which makes nothing, comes before that. */
function isGenerated(declaration: Input, root: string): boolean {
  return declaration.kind === "files" && declaration.generate !== undefined && isEmptyFolder(root);
}

/** Also a folder that is not there. */
export function isEmptyFolder(directory: string): boolean {
  try {
    return readdirSync(directory).length === 0;
  } catch {
    return true;
  }
}

function textAt(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

/** Where only a part of a file counts, the entry is the part's. */
function entryOfPart(part: string): ListedEntry {
  return { type: "file", executable: false, digest: digestOfBytes(part), size: Buffer.byteLength(part) };
}

/** A named file may be reached through a link: what counts is the content behind it. */
async function followFile(
  found: Awaited<ReturnType<StatCache["at"]>>,
  declaration: Input,
  absolute: AbsolutePath,
  context: InputContext,
): Promise<ListedEntry | undefined> {
  if (found === undefined) return undefined;
  if (found.type === "link" && declaration.kind === "file") {
    const { links, end } = wayBehind(absolute);
    // Each of them decides what the file is.
    for (const link of links) await context.files.at(link);
    if (end === undefined) return undefined;
    const entry = await context.files.at(end);
    return entry?.type === "link" ? undefined : followFile(entry, declaration, end, context);
  }
  const entry = listed(found);
  if (entry === undefined || (entry.type === "directory" && declaration.kind === "file")) {
    throw new UserError(`an input is not a regular file`, {
      code: "input-type",
      where: displayPath(context.workspace, absolute),
      hint: "name a file, or remove the device, socket or pipe from the directory",
    });
  }
  return entry.type === "directory" ? undefined : entry;
}

/** Node gives a name's bytes that are no UTF-8 as U+FFFD: the file is there, and cannot be named. */
function unreadableName(absolute: string, context: InputContext): UserError {
  return new UserError("the name of an input file is not valid UTF-8", {
    code: "input-name",
    where: displayPath(context.workspace, absolute),
    hint: "rename the file; `find . | grep -axv '.*'` lists such names",
  });
}

function nothingFound(declaration: Input, asked: string, root: string): UserError {
  if (declaration.kind === "file") {
    return new UserError(`the file ${asked} does not exist`, {
      code: "input-missing",
      where: root,
      hint: "check the name, or restore the file",
    });
  }
  return new UserError(`nothing matches ${declaration.patterns.join(", ")} in ${asked}`, {
    code: "input-missing",
    where: root,
    hint: "check the directory's name, or restore its files",
  });
}

async function expand(
  declaration: FilesInput,
  root: AbsolutePath,
  context: InputContext,
): Promise<readonly string[]> {
  const ignore = ignoredBy(declaration, root, context.workspace);
  const key = globKey(declaration, root, ignore);
  const known = remembered(key, context.memory);
  if (known !== undefined && isCurrent(known, root)) return known.paths;
  const startedAt = context.now();
  refuseFileAsRoot(root, context);
  const found = await search(positiveIn(declaration), { cwd: root, ignore });
  const isMeant = await matcherOf(declaration, root, context.workspace);
  const paths = found
    .filter((entry) => !entry.dirent.isDirectory() && isMeant(entry.path))
    .map((entry) => entry.path)
    .sort(byteOrder);
  const directories = ["", ...(await walkedDirectories(declaration, root, ignore))].map(
    (directory) => [directory, directoryStatus(path.join(root, directory))] as const,
  );
  // A directory changed within the clock's grain may change again unseen: such a set is not remembered.
  const settled = directories.every(([directory, status]) => {
    if (status === absent) return !paths.some((one) => directory === "" || isBelow(one, directory));
    const [changed, moved = "0"] = status.split(":");
    return Math.max(Number(changed), Number(moved)) / 1e6 + 2000 < startedAt;
  });
  if (settled) context.memory.set(key, JSON.stringify({ directories, paths } satisfies GlobMemory));
  else context.memory.delete(key);
  return paths;
}

function refuseFileAsRoot(root: AbsolutePath, context: InputContext): void {
  const status = statSync(root, { throwIfNoEntry: false });
  if (status === undefined || status.isDirectory()) return;
  throw new UserError("an input's root is a file, but must be a directory", {
    code: "input-type",
    where: displayPath(context.workspace, root),
    hint: "name its directory, or use file() for a single file",
  });
}

/** The folders, absolute, in which a new file would change what the patterns mean; undefined when not remembered. */
export function foldersOf(
  declaration: FilesInput,
  root: AbsolutePath,
  workspace: AbsolutePath,
  memory: RecordLog,
): readonly string[] | undefined {
  const key = globKey(declaration, root, ignoredBy(declaration, root, workspace));
  return remembered(key, memory)?.directories.map(([name]) => path.join(root, name));
}

function globKey(declaration: FilesInput, root: string, ignore: readonly string[]): string {
  return `glob ${root} ${JSON.stringify([declaration.patterns, ignore])}`;
}

function remembered(key: string, memory: RecordLog): GlobMemory | undefined {
  const known = memory.get(key);
  if (known === undefined) return undefined;
  try {
    const found = JSON.parse(known) as unknown;
    return isGlobMemory(found) ? found : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a record has the form of a search result: in a foreign cache it may be anything. */
function isGlobMemory(found: unknown): found is GlobMemory {
  if (typeof found !== "object" || found === null) return false;
  const { directories, paths } = found as Partial<Record<keyof GlobMemory, unknown>>;
  if (!Array.isArray(directories) || !Array.isArray(paths)) return false;
  const [top] = directories as readonly unknown[];
  return (
    Array.isArray(top) &&
    top[0] === "" &&
    directories.every((one) => Array.isArray(one) && typeof one[0] === "string" && !one[0].includes("\0")) &&
    paths.every(isPathWithin)
  );
}

/** Whether a value is a relative path without empty segments, `.` and `..`. */
function isPathWithin(one: unknown): boolean {
  return typeof one === "string" && !/(^|\/)\.{0,2}(\/|$)|\0/.test(one);
}

/** Whether no file was added or removed since. */
function isCurrent({ directories }: GlobMemory, root: string): boolean {
  for (const [name, status] of directories)
    if (directoryStatus(name === "" ? root : path.join(root, name)) !== status) return false;
  return true;
}

interface GlobMemory {
  readonly directories: readonly (readonly [path: string, status: string])[];
  readonly paths: readonly string[];
}

/**
 * Every folder in which a matching file could appear: all of them below the patterns' fixed parts, and the fixed
 * parts themselves with what leads to them, which may not exist yet or be reached through a link.
 */
async function walkedDirectories(
  declaration: FilesInput,
  root: string,
  ignore: readonly string[],
): Promise<readonly string[]> {
  const wanted = positiveIn(declaration);
  const flat = wanted.map(flatFolder);
  const searches = flat.every((folder) => folder !== undefined) ? [] : await searchesOf(wanted);
  const bases =
    searches.length === 0 ? flat.filter((folder) => folder !== undefined) : searches.map(({ base }) => base);
  const patterns = searches.flatMap(({ below }) => below ?? []);
  const below =
    patterns.length === 0 ? [] : await search(patterns, { cwd: root, onlyDirectories: true, ignore });
  const directories = new Set(below.map((entry) => entry.path));
  for (const base of bases) {
    for (let folder = base; folder !== "." && folder !== "/"; folder = path.dirname(folder))
      directories.add(folder);
  }
  return [...directories].sort(byteOrder);
}

/** The fixed parts of patterns; where matches may lie deeper than in that folder, a pattern for all below it. */
async function searchesOf(
  patterns: readonly string[],
): Promise<readonly { readonly base: string; readonly below?: string }[]> {
  const { default: glob } = await import("fast-glob");
  return patterns
    .flatMap((pattern) => glob.generateTasks(pattern))
    .map(({ base, patterns: all }) => {
      if (all.every((one) => staysIn(base, one))) return { base };
      return { base, below: base === "." ? "**" : `${glob.escapePath(base)}/**` };
    });
}

/** Whether all that a pattern matches lies in the folder `base` itself, its fixed part: no walk is needed for that. */
function staysIn(base: string, pattern: string): boolean {
  const depth = base === "." ? 0 : base.split("/").length;
  return !pattern.includes("**") && pattern.split("/").length === depth + 1;
}

/** The status of a directory that does not exist. It has no time, so it says nothing of when the directory went. */
const absent = "0:0:absent";

function directoryStatus(directory: string): string {
  const status = statSync(directory, { bigint: true, throwIfNoEntry: false });
  return status === undefined ? absent : `${status.mtimeNs}:${status.ctimeNs}:${status.ino}`;
}
