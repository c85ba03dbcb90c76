/** What of the files that a task's own JavaScript touched it does not declare. */
import { readdirSync, statSync } from "node:fs";
import path from "node:path";
import { byteOrder } from "../define/names.ts";
import { bothWays, type Declared, isWithin, kernelDirectories, replacementMatcher } from "./audit.ts";
import { type CodeAccess, type CodeAccessKind, withRealDirectory } from "./code-access.ts";

/** Of several accesses to one path the first of these is named. */
const kinds: readonly CodeAccessKind[] = [
  "ran",
  "wrote",
  "read",
  "copied",
  "searched",
  "listed",
  "looked at",
];

/**
 * The accesses that no declaration covers, in the order of their paths. Unlike a command, code needs no system
 * directories. What is not there counts as well: whether a file exists is something that a result can depend on.
 */
export function undeclaredByCode(accesses: Iterable<CodeAccess>, declared: Declared): readonly CodeAccess[] {
  const writable = bothWays([...declared.writable, ...declared.mutable, ...kernelDirectories]);
  const program = declared.program === undefined ? [] : [declared.program];
  const readable = [...writable, ...bothWays([...declared.directories, ...program])];
  // A link is declared under its own name, also where the workspace is reached through another one.
  const named = [...declared.files, ...declared.unfollowed];
  const files = new Set([...bothWays(declared.files), ...named.map(withRealDirectory)]);
  /** That these are there follows from what is declared below them. */
  const above = directoriesAbove([...files, ...readable]);

  const isReplacement = replacementMatcher(declared);
  const isReadable = (file: string): boolean =>
    files.has(file) || isWithin(file, readable) || isReplacement(file);
  const isWhole = (directory: string): boolean =>
    namesIn(directory)?.every((name) => {
      const below = path.join(directory, name);
      return isReadable(below) || isWhole(below);
    }) ?? false;
  const isCovered = ({ kind, path: place }: CodeAccess): boolean => {
    switch (kind) {
      case "ran":
        return false;
      case "wrote":
        return isWithin(place, writable) || isReplacement(place);
      case "read":
        return isReadable(place) || (above.has(place) && isDirectory(place));
      case "looked at":
        return isReadable(place) || above.has(place) || declared.isIgnored(place);
      case "listed":
        return (
          isReadable(place) ||
          (namesIn(place)?.every((name) => {
            const below = path.join(place, name);
            return isReadable(below) || above.has(below) || declared.isIgnored(below);
          }) ??
            false)
        );
      case "copied":
      case "searched":
        return isReadable(place) || isWhole(place);
    }
  };
  const found = new Map<string, CodeAccess>();
  for (const access of accesses) {
    const known = found.get(access.path);
    if (known !== undefined && kinds.indexOf(known.kind) <= kinds.indexOf(access.kind)) continue;
    if (!isCovered(access)) found.set(access.path, access);
  }
  return [...found.values()].sort((a, b) => byteOrder(a.path, b.path));
}

function directoriesAbove(paths: Iterable<string>): ReadonlySet<string> {
  const above = new Set<string>();
  for (const one of paths) {
    for (let directory = path.dirname(one); !above.has(directory); directory = path.dirname(directory))
      above.add(directory);
  }
  return above;
}

/** The names in a directory; undefined where it is none. */
function namesIn(directory: string): readonly string[] | undefined {
  try {
    return readdirSync(directory);
  } catch {
    return undefined;
  }
}

function isDirectory(place: string): boolean {
  return statSync(place, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
