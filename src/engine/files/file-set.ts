/**
 * The files that an input's patterns match. The set is remembered with the status of every directory that was walked; as long
 * as none of these changed, no file was added or removed, and nothing has to be walked.
 */
import { statSync } from "node:fs";
import path from "node:path";
import { UserError } from "../../errors/index.ts";
import type { FilesInput } from "../define/declared-input.ts";
import { type AbsolutePath, byteOrder, displayPath, isBelow } from "../define/names.ts";
import { ignoredBy, matcherOf, positiveIn } from "../define/patterns.ts";
import type { RecordLog } from "./record-log.ts";
import { flatDirectory, search } from "./search.ts";

interface SearchContext {
  readonly workspace: AbsolutePath;
  /** Remembers file sets. */
  readonly memory: RecordLog;
  /** Milliseconds since the epoch, for the racy-directory rule. */
  readonly now: () => number;
}

/** What the patterns of an input match in the absolute directory `root`: paths relative to it, in byte order. */
export async function matchesOf(
  declaration: FilesInput,
  root: AbsolutePath,
  context: SearchContext,
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

/** The same without a search; undefined where one is needed. */
export function knownMatchesOf(
  declaration: FilesInput,
  root: AbsolutePath,
  { workspace, memory }: Pick<SearchContext, "workspace" | "memory">,
): readonly string[] | undefined {
  const known = remembered(globKey(declaration, root, ignoredBy(declaration, root, workspace)), memory);
  return known !== undefined && isCurrent(known, root) ? known.paths : undefined;
}

function refuseFileAsRoot(root: AbsolutePath, context: SearchContext): void {
  const status = statSync(root, { throwIfNoEntry: false });
  if (status === undefined || status.isDirectory()) return;
  throw new UserError("an input's root is a file, but must be a directory", {
    code: "input-type",
    where: displayPath(context.workspace, root),
    hint: "name its directory, or use file() for a single file",
  });
}

/** The directories, absolute, in which a new file would change what the patterns mean; undefined when not remembered. */
export function directoriesOf(
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
 * Every directory in which a matching file could appear: all of them below the patterns' fixed parts, and the fixed
 * parts themselves with what leads to them, which may not exist yet or be reached through a link.
 */
async function walkedDirectories(
  declaration: FilesInput,
  root: string,
  ignore: readonly string[],
): Promise<readonly string[]> {
  const wanted = positiveIn(declaration);
  const flat = wanted.map(flatDirectory);
  const searches = flat.every((directory) => directory !== undefined) ? [] : await searchesOf(wanted);
  const bases =
    searches.length === 0
      ? flat.filter((directory) => directory !== undefined)
      : searches.map(({ base }) => base);
  const patterns = searches.flatMap(({ below }) => below ?? []);
  const below =
    patterns.length === 0 ? [] : await search(patterns, { cwd: root, onlyDirectories: true, ignore });
  const directories = new Set(below.map((entry) => entry.path));
  for (const base of bases) {
    for (let directory = base; directory !== "." && directory !== "/"; directory = path.dirname(directory))
      directories.add(directory);
  }
  return [...directories].sort(byteOrder);
}

/** The fixed parts of patterns; where matches may lie deeper than in that directory, a pattern for all below it. */
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

/** Whether all that a pattern matches lies in the directory `base` itself, its fixed part: no walk is needed for that. */
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
