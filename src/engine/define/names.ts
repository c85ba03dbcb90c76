/**
 * The branded strings of the engine: they are plain strings at run time, and cannot be mixed up before it.
 */
import path from "node:path";

/** A sha256 in 64 lower-case hex digits. */
export type Digest = string & { readonly brand: "Digest" };
/** Digest of everything that may change a task's result. */
export type Fingerprint = string & { readonly brand: "Fingerprint" };
/** A path relative to the workspace (or, where said, to an output), with `/`, without `.` and `..`. */
export type RelativePath = string & { readonly brand: "RelativePath" };
/** An absolute path of this machine. */
export type AbsolutePath = string & { readonly brand: "AbsolutePath" };

/** A text that is an absolute path. @throws Error for another one. */
export function absolutePath(text: string): AbsolutePath {
  if (!isAbsolutePath(text)) throw new Error(`"${text}" is no absolute path`);
  return text;
}

function isAbsolutePath(text: string): text is AbsolutePath {
  return text.startsWith("/");
}

/** The path of what lies below a directory: `relative` has neither `.` nor `..`; an empty one is the directory itself. */
export function pathBelow(directory: AbsolutePath, relative: string): AbsolutePath {
  return relative === "" ? directory : absolutePath(`${directory}/${relative}`);
}

/** A text that is a digest. @throws Error for another one. */
export function digestFrom(text: string): Digest {
  if (!isDigest(text)) throw new Error(`"${text}" is no sha256 in lower-case hex digits`);
  return text;
}

/** Whether a value that was read from a record has the form of a digest. */
export function isDigest(text: unknown): text is Digest {
  return typeof text === "string" && /^[0-9a-f]{64}$/.test(text);
}

/** Name of a task within one variant: `overlay@prod`, or `fetch-iso` where variants share the result. */
export type TaskId = string & { readonly brand: "TaskId" };

/** Where, in a workspace, all that the engine keeps is. */
export const cacheDirectory = ".buildcache";

/**
 * The name of a task's directories. A colon would separate paths in PATH and the like, and GNU tar takes what precedes it for
 * a host; `~` is in no task's name.
 */
export function directoryName(name: string): string {
  return name.replaceAll(":", "~");
}

/** The inverse of `directoryName`. */
export function taskOfDirectory(directory: string): string {
  return directory.replaceAll("~", ":");
}

export function taskId(name: string, variant: string | undefined): TaskId {
  return (variant === undefined ? name : `${name}@${variant}`) as TaskId;
}

/** Names of tasks, variants and outputs: they become parts of paths, records and command lines. */
export const nameable = /^[\p{L}\p{N}][\p{L}\p{N}._+-]*$/u;
/** Segments that resolving removes: empty ones, `.` and `..`. */
const irregular = /(?:^|\/)\.{0,2}(?:\/|$)/;

/**
 * The same as `path.resolve` for a `directory` that is already resolved, and faster: most paths need no normalisation, which
 * is quick to check.
 */
export function resolveIn(directory: string, given: string): AbsolutePath {
  const isPlain = directory !== "/" && !irregular.test(given);
  return absolutePath(isPlain ? `${directory}/${given}` : path.resolve(directory, given));
}

/** Whether `inner` lies below `outer`; both absolute. */
export function isBelow(inner: string, outer: string): boolean {
  return inner.startsWith(outer.endsWith("/") ? outer : `${outer}/`);
}

/** Compares by the bytes of the UTF-8 encoding, the only order that no locale changes. */
export function byteOrder(a: string, b: string): number {
  if (a === b) return 0;
  // Code unit order differs from byte order only where surrogates meet other characters above U+D7FF.
  if (surrogate.test(a) || surrogate.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : 1;
}

const surrogate = /[\ud800-\udfff]/;

/** The entries in byte order of their keys. What was read from a sorted source is in order already, and only looked at. */
export function sortEntries<T>(
  entries: readonly (readonly [key: string, T])[],
): readonly (readonly [key: string, T])[] {
  const inOrder = entries.every((entry, index) => {
    const before = entries[index - 1];
    return before === undefined || byteOrder(before[0], entry[0]) < 0;
  });
  return inOrder ? entries : [...entries].sort(([a], [b]) => byteOrder(a, b));
}

/** Path as a user would write it: relative to the workspace where it lies inside. */
export function displayPath(workspace: string, absolute: string): string {
  if (absolute === workspace) return ".";
  return absolute.startsWith(`${workspace}/`) ? absolute.slice(workspace.length + 1) : absolute;
}
