/**
 * Limits on what one archive may unpack to, so that a small hostile file fills neither the disk nor the memory.
 */
import { UserError } from "../errors/index.ts";

export interface UnpackLimits {
  /** Bytes that may come out of one archive; default 4 GiB. */
  readonly maxBytes?: number;
  /** How many times larger than the compressed bytes they may be; default 64. */
  readonly maxRatio?: number;
  /** Files, directories and links in one archive; default 200,000. Their paths may have 256 characters on average. */
  readonly maxEntries?: number;
  /** Nesting depth of directories; default 128. */
  readonly maxDepth?: number;
  /** How the user raises these limits, for hints: src/formats knows no options. */
  readonly settings?: LimitSettings;
  /** Called when there are more than `maxBytes`, before the error is thrown: for limits that several archives share. */
  readonly onTooLarge?: () => void;
}

/** The settings that raise the limits, as they are shown to the user. */
export type LimitSettings = { readonly [limit in "maxBytes" | "maxEntries" | "maxDepth"]?: string };

type Limits = Required<Omit<UnpackLimits, "onTooLarge" | "settings">>;

/** What to do with a file that exceeds a limit. */
export function limitHint({ settings = {} }: UnpackLimits, limit: keyof LimitSettings): string {
  const setting = settings[limit];
  return setting === undefined
    ? "get the file from a source that you trust"
    : `if you trust the file, raise the limit with ${setting}`;
}

export const defaultLimits: Limits = {
  maxBytes: 4 * 1024 ** 3,
  maxRatio: 64,
  maxEntries: 200_000,
  maxDepth: 128,
};

/** For archives that this build made itself, which may compress arbitrarily well. */
export const noLimits: Limits = {
  maxBytes: Number.POSITIVE_INFINITY,
  maxRatio: Number.POSITIVE_INFINITY,
  maxEntries: Number.POSITIVE_INFINITY,
  maxDepth: Number.POSITIVE_INFINITY,
};

/** A ratio says nothing about little: an empty tarball is already 200 times its compressed size. */
const ratioFrom = 1024 * 1024;

/** The most that may come out of an archive of `size` bytes. */
export function mostBytes(size: number, limits: UnpackLimits): number {
  const { maxBytes, maxRatio } = { ...defaultLimits, ...limits };
  return Math.min(maxBytes, Math.max(ratioFrom - 1, size * maxRatio));
}

/**
 * A check to call with the bytes taken in and given out so far. `before` are the bytes that came out of other parts of the same
 * archive, each with a check of its own. @throws UserError `bomb`
 */
export function createLimit(
  limits: UnpackLimits,
  where: string,
  before = 0,
): (takenIn: number, givenOut: number) => void {
  const { maxBytes, maxRatio } = { ...defaultLimits, ...limits };
  return (takenIn, givenOut) => {
    const tooLarge = before + givenOut > maxBytes;
    if (!tooLarge && (givenOut < ratioFrom || givenOut <= takenIn * maxRatio)) return;
    if (tooLarge) limits.onTooLarge?.();
    const why = tooLarge ? `more than ${maxBytes} bytes` : `more than ${maxRatio} times its compressed size`;
    throw new UserError(`the archive unpacks to ${why}`, {
      code: "bomb",
      where,
      hint: limitHint(limits, "maxBytes"),
    });
  };
}

/** Refuses an archive with `count` entries, or with as many so far, where these are too many. @throws UserError `bomb` */
export function limitEntries(count: number, limits: UnpackLimits, where: string): void {
  const { maxEntries } = { ...defaultLimits, ...limits };
  if (count > maxEntries) throw tooMany(`more than ${maxEntries} entries`, where, limits);
}

function tooMany(what: string, where: string, limits: UnpackLimits): UserError {
  return new UserError(`the archive contains ${what}`, {
    code: "bomb",
    where,
    hint: limitHint(limits, "maxEntries"),
  });
}

const meanPathLength = 256;

/** Returns a check to call with the path of each entry. @throws UserError `bomb` */
export function createEntryLimit(limits: UnpackLimits, where: string): (path: string) => void {
  const { maxEntries, maxDepth } = { ...defaultLimits, ...limits };
  const maxCharacters = maxEntries * meanPathLength;
  let entries = 0;
  let characters = 0;
  return (path) => {
    entries += 1;
    characters += path.length;
    if (entries > maxEntries || characters > maxCharacters) {
      const why =
        entries > maxEntries
          ? `more than ${maxEntries} entries`
          : `paths of more than ${maxCharacters} characters in total`;
      throw tooMany(why, where, limits);
    }
    if (depthOf(path) > maxDepth) {
      throw new UserError(`the archive contains directories nested more than ${maxDepth} deep`, {
        code: "bomb",
        where,
        hint: limitHint(limits, "maxDepth"),
      });
    }
  };
}

function depthOf(path: string): number {
  let depth = 0;
  for (let at = path.indexOf("/"); at !== -1; at = path.indexOf("/", at + 1)) depth += 1;
  return depth;
}
