/**
 * Limits on what one archive may unpack to, so that a small hostile file fills neither the disk nor the memory.
 */
import { UserError } from "../errors/index.ts";

export interface UnpackLimits {
  /** Bytes that may come out of one archive; default 4 GiB. */
  readonly maxBytes?: number;
  /** How many times larger than the compressed bytes they may be; default 64. */
  readonly maxRatio?: number;
  /** Files, folders and links of one archive; default 200,000. Their paths may have 256 characters on average. */
  readonly maxEntries?: number;
}

export const defaultLimits: Required<UnpackLimits> = {
  maxBytes: 4 * 1024 ** 3,
  maxRatio: 64,
  maxEntries: 200_000,
};

/** For archives that this build made itself: a layer of zeros is no attack. */
export const noLimits: Required<UnpackLimits> = {
  maxBytes: Number.POSITIVE_INFINITY,
  maxRatio: Number.POSITIVE_INFINITY,
  maxEntries: Number.POSITIVE_INFINITY,
};

/** Every error about a limit ends with one of these, so that a user learns how to raise it. */
export const limitHints = {
  bytes: "if the file is what it should be, allow more with --max-unpacked SIZE, e.g. --max-unpacked 8GB",
  entries: "if the file is what it should be, allow more with --max-entries NUMBER",
} as const;

/** A ratio says nothing about little: an empty tarball is already 200 times its compressed size. */
const ratioFrom = 1024 * 1024;

/** A check to call with the bytes taken in and given out so far. @throws UserError `bomb` */
export function createLimit(
  limits: UnpackLimits,
  where: string,
): (takenIn: number, givenOut: number) => void {
  const { maxBytes, maxRatio } = { ...defaultLimits, ...limits };
  return (takenIn, givenOut) => {
    if (givenOut <= maxBytes && (givenOut < ratioFrom || givenOut <= takenIn * maxRatio)) return;
    const why =
      givenOut > maxBytes ? `more than ${maxBytes} bytes` : `more than ${maxRatio} times its compressed size`;
    throw new UserError(`unpacking gives ${why}`, { code: "bomb", where, hint: limitHints.bytes });
  };
}

const meanPathLength = 256;

/** A check to call with the path of each entry, as it is found. @throws UserError `bomb` */
export function createEntryLimit(limits: UnpackLimits, where: string): (path: string) => void {
  const { maxEntries } = { ...defaultLimits, ...limits };
  let entries = 0;
  let characters = 0;
  return (path) => {
    entries += 1;
    characters += path.length;
    if (entries <= maxEntries && characters <= maxEntries * meanPathLength) return;
    const why =
      entries > maxEntries
        ? `more than ${maxEntries} entries`
        : `paths of more than ${maxEntries * meanPathLength} characters altogether`;
    throw new UserError(`the archive holds ${why}`, { code: "bomb", where, hint: limitHints.entries });
  };
}
