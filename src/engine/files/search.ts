/**
 * Finding files by patterns: fast-glob, for all names that Linux allows. Its `**` ends at a line break in a name, and
 * what is not found would be an input that does not count; so breaks have stand-ins while it looks.
 */
import { type Dirent, lstatSync, readdirSync, type Stats, statSync } from "node:fs";
import type { Entry, Options } from "fast-glob";
import { systemErrorCode } from "../../errors/index.ts";

/** What a regular expression's dot does not match, and for each a lone surrogate, which no decoded name can hold. */
const standIns: ReadonlyMap<string, string> = new Map([
  ["\n", "\udc0a"],
  ["\r", "\udc0d"],
  ["\u2028", "\udc28"],
  ["\u2029", "\udc29"],
]);
const breaks: ReadonlyMap<string, string> = new Map([...standIns].map(([name, standIn]) => [standIn, name]));

function hide(text: string): string {
  return text.replace(/[\n\r\u2028\u2029]/g, (found) => standIns.get(found) ?? found);
}

function show(text: string): string {
  return text.replace(/[\udc0a\udc0d\udc28\udc29]/g, (found, index: number) =>
    // The second half of a pair is a part of some other character.
    /[\ud800-\udbff]/.test(text[index - 1] ?? "") ? found : (breaks.get(found) ?? found),
  );
}

/**
 * Everything that the patterns match: dot files, directories and links too, which are not followed. Paths as fast-glob's.
 * Directories are read on this thread: another one's answer costs more than most of them take.
 */
export async function search(
  patterns: readonly string[],
  options: Pick<Options, "cwd" | "onlyDirectories"> & { readonly ignore: readonly string[] },
): Promise<readonly Entry[]> {
  const [directory, ...others] = new Set(patterns.map(flatDirectory));
  if (options.onlyDirectories !== true && directory !== undefined && others.length === 0)
    return searchFlat(patterns, directory, options);
  const { default: glob } = await import("fast-glob");
  const found = glob.sync(patterns.map(hide), {
    ...options,
    ignore: options.ignore.map(hide),
    dot: true,
    onlyFiles: false,
    followSymbolicLinks: false,
    objectMode: true,
    fs: disguised as unknown as NonNullable<Options["fs"]>,
  });
  return found.map((entry) => ({ ...entry, path: show(entry.path) }));
}

/** Names as they are, then stars and question marks in the last name only: one directory holds all that these match. */
const flatPattern = /^((?:[^*?{}[\]()!+@|\\/]+\/)*)(?=[^/]*[*?])(?:(?!\*\*)[^{}[\]()!+@|\\/])+$/;

/** The directory, relative, that holds everything a pattern matches; undefined for patterns that have to be walked for. */
export function flatDirectory(pattern: string): string | undefined {
  const directory = flatPattern.exec(pattern)?.[1];
  if (directory === undefined || /^\.{0,2}\/|\/\.{0,2}\//.test(directory)) return undefined;
  return directory === "" ? "." : directory.slice(0, -1);
}

/** As `search`, for flat patterns of one directory: fast-glob would come to the same, with fifty times the work. */
async function searchFlat(
  patterns: readonly string[],
  directory: string,
  { cwd = ".", ignore }: Pick<Options, "cwd"> & { readonly ignore: readonly string[] },
): Promise<readonly Entry[]> {
  const { default: picomatch } = await import("picomatch");
  const options = { dot: true, flags: "s" };
  const matches = picomatch([...patterns], options);
  const ignored = ignore.length === 0 ? () => false : picomatch([...ignore], options);
  return entriesOf(`${cwd}/${directory}`).flatMap((dirent) => {
    const { name } = dirent;
    const path = directory === "." ? name : `${directory}/${name}`;
    if (!matches(path) || ignored(path) || (dirent.isDirectory() && ignored(`${path}/`))) return [];
    return [{ name, path, dirent }];
  });
}

function entriesOf(directory: string): readonly Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return [];
    throw error;
  }
}

/** The functions of node:fs that fast-glob calls, as it calls them. */
const disguised = {
  lstatSync: (path: string): Stats => lstatSync(show(path)),
  statSync: (path: string): Stats => statSync(show(path)),
  readdirSync: (path: string, how: { readonly withFileTypes: true }): Dirent[] => {
    const entries = readdirSync(show(path), how);
    // Without a break in a name, as almost always, nothing is touched.
    for (const entry of entries) if (/[\n\r\u2028\u2029]/.test(entry.name)) entry.name = hide(entry.name);
    return entries;
  },
};
