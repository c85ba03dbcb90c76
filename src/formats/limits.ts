/**
 * Limits on what one archive may unpack to, so that a small hostile file fills neither the disk nor the memory.
 */
import { UserError } from "../errors/index.ts";

export interface UnpackLimits {
  /** Bytes that may come out of one archive; default 4 GiB. */
  readonly maxBytes?: number;
  /** How many times larger than the compressed bytes they may be; default 64. */
  readonly maxRatio?: number;
  /** Files, folders and links in one archive; default 200,000. Their paths may have 256 characters on average. */
  readonly maxEntries?: number;
  /** Nesting depth of folders; default 128. */
  readonly maxDepth?: number;
  /** Called when there are more than `maxBytes`, before the error is thrown: for limits that several archives share. */
  readonly onTooLarge?: () => void;
}

type Limits = Required<Omit<UnpackLimits, "onTooLarge">>;

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
    throw new UserError(`unpacking gives ${why}`, {
      code: "bomb",
      where,
      hint: "if the file is what it should be, allow more with --max-unpacked SIZE, e.g. --max-unpacked 8GB",
    });
  };
}

/** Refuses an archive with `count` entries, or with as many so far, where these are too many. @throws UserError `bomb` */
export function limitEntries(count: number, limits: UnpackLimits, where: string): void {
  const { maxEntries } = { ...defaultLimits, ...limits };
  if (count > maxEntries) throw tooMany(`more than ${maxEntries} files, folders and links`, where);
}

function tooMany(what: string, where: string): UserError {
  return new UserError(`the archive holds ${what}`, {
    code: "bomb",
    where,
    hint: "if the file is what it should be, allow more with --max-entries NUMBER",
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
          ? `more than ${maxEntries} files, folders and links`
          : `paths of more than ${maxCharacters} characters altogether`;
      throw tooMany(why, where);
    }
    if (depthOf(path) > maxDepth) {
      throw new UserError(`the archive holds folders more than ${maxDepth} deep`, {
        code: "bomb",
        where,
        hint: "if the file is what it should be, allow more with --max-depth NUMBER",
      });
    }
  };
}

function depthOf(path: string): number {
  let depth = 0;
  for (let at = path.indexOf("/"); at !== -1; at = path.indexOf("/", at + 1)) depth += 1;
  return depth;
}
