/**
 * Which paths the patterns of an input mean: the one matcher behind searching, ownership, `affected` and the watch.
 */
import path from "node:path";
import type { FilesInput } from "./declared-input.ts";
import { type AbsolutePath, cacheFolder } from "./names.ts";

/** Whether a pattern takes away what others match; `!(a|b)` is a group of picomatch's, and matches something itself. */
export function isNegative(pattern: string): boolean {
  return pattern.startsWith("!") && pattern[1] !== "(";
}

/** The patterns that match something. */
export function positiveIn(input: Pick<FilesInput, "patterns">): readonly string[] {
  return input.patterns.filter((pattern) => !isNegative(pattern));
}

/**
 * The patterns of what an input leaves out: what it says, with `ignore` or with a `!` in front, and the cache, which is the
 * input of nobody who does not name a folder in it.
 */
export function ignoredBy(input: FilesInput, root: AbsolutePath, workspace: AbsolutePath): readonly string[] {
  const negative = input.patterns.filter(isNegative).map((pattern) => pattern.slice(1));
  const said = [...input.ignore, ...negative];
  // Most folders do not hold the cache, and need no closer look.
  if (!workspace.startsWith(root)) return said;
  const cache = path.relative(root, path.join(workspace, cacheFolder));
  if (cache === "" || cache.startsWith("..")) return said;
  return [...said, `${cache.replace(/[\\!*?{}()[\]|@+]/g, "\\$&")}/**`];
}

/** Dot files count, and a name may hold line breaks. */
export const asSearched = { dot: true, flags: "s" } as const;

/** Whether a path, relative to the input's root, is one that it means, be something there or not. */
export type Matcher = (relative: string) => boolean;

/** The matcher of an input at `root`. A folder that is left out is left out with all below it. */
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
  const folders = new Map<string, boolean>();
  const isFolderIgnored = (folder: string): boolean => {
    if (folder === ".") return false;
    const known = folders.get(folder);
    if (known !== undefined) return known;
    const ignored = isFolderIgnored(path.dirname(folder)) || isIgnored(folder);
    folders.set(folder, ignored);
    return ignored;
  };
  return (relative) => isIgnored(relative) || isFolderIgnored(path.dirname(relative));
}
