/**
 * The one matcher of an input's patterns, for searching, ownership checks, `affected` and the watch.
 */
import path from "node:path";
import type { FilesInput } from "./declared-input.ts";
import { type AbsolutePath, cacheDirectory } from "./names.ts";

/** Whether a pattern is negated; `!(a|b)` is an extglob, and not a negation. */
export function isNegative(pattern: string): boolean {
  return pattern.startsWith("!") && pattern[1] !== "(";
}

/** The patterns that are not negated. */
export function positiveIn(input: Pick<FilesInput, "patterns">): readonly string[] {
  return input.patterns.filter((pattern) => !isNegative(pattern));
}

/**
 * The patterns that an input excludes: those in `ignore`, those with a leading `!`, and the cache unless the input's root lies
 * in it.
 */
export function ignoredBy(input: FilesInput, root: AbsolutePath, workspace: AbsolutePath): readonly string[] {
  const negative = input.patterns.filter(isNegative).map((pattern) => pattern.slice(1));
  const said = [...input.ignore, ...negative];
  // Most directories do not hold the cache, and need no closer look.
  if (!workspace.startsWith(root)) return said;
  const cache = path.relative(root, path.join(workspace, cacheDirectory));
  if (cache === "" || cache.startsWith("..")) return said;
  return [...said, `${cache.replace(/[\\!*?{}()[\]|@+]/g, "\\$&")}/**`];
}

/** Dot files count, and a name may hold line breaks. */
export const asSearched = { dot: true, flags: "s" } as const;

/** Whether a path (relative to the input's root; existing or not) belongs to the input. */
export type Matcher = (relative: string) => boolean;

/** The matcher of an input at `root`. An excluded directory is excluded with everything below it. */
export async function matcherOf(
  input: FilesInput,
  root: AbsolutePath,
  workspace: AbsolutePath,
): Promise<Matcher> {
  const { default: picomatch } = await import("picomatch");
  const patterns = positiveIn(input);
  const matches = patterns.length === 0 ? () => false : picomatch([...patterns], asSearched);
  const isLeftOut = await ignoredMatcher(input, root, workspace);
  return (relative) => matches(relative) && !isLeftOut(relative);
}

/** The matcher of what an input at `root` leaves out. */
export async function ignoredMatcher(
  input: FilesInput,
  root: AbsolutePath,
  workspace: AbsolutePath,
): Promise<Matcher> {
  const { default: picomatch } = await import("picomatch");
  const ignore = ignoredBy(input, root, workspace);
  const isIgnored = ignore.length === 0 ? () => false : picomatch([...ignore], asSearched);
  const directories = new Map<string, boolean>();
  const isDirectoryIgnored = (directory: string): boolean => {
    if (directory === ".") return false;
    const known = directories.get(directory);
    if (known !== undefined) return known;
    const ignored = isDirectoryIgnored(path.dirname(directory)) || isIgnored(directory);
    directories.set(directory, ignored);
    return ignored;
  };
  return (relative) => isIgnored(relative) || isDirectoryIgnored(path.dirname(relative));
}
