/**
 * How much an archive may unpack to, so that a small hostile file cannot fill the disk.
 * It knows nothing of any format.
 */
import { UserError } from "../errors/index.ts";

export interface UnpackLimits {
  /** Bytes that may come out of one archive; default 4 GiB. */
  readonly maxBytes?: number;
  /** How many times larger than the compressed bytes they may be; default 64. */
  readonly maxRatio?: number;
  /** How many files, folders and links an archive may hold; default 250,000. */
  readonly maxEntries?: number;
  /** How a user raises each limit, for messages: names of options. */
  readonly raisedBy?: { readonly bytes: string; readonly ratio: string; readonly entries: string };
}

/** For a file that was unpacked before, within limits. */
export const unlimited: UnpackLimits = {
  maxBytes: Number.POSITIVE_INFINITY,
  maxRatio: Number.POSITIVE_INFINITY,
  maxEntries: Number.POSITIVE_INFINITY,
};

/** A ratio says nothing about little: an empty tarball is already 200 times its compressed size. */
const ratioFrom = 1024 * 1024;

/** The most that may come out of an archive of `size` bytes. */
export function mostBytes(size: number, { maxBytes = 4 * 1024 ** 3, maxRatio = 64 }: UnpackLimits): number {
  return Math.min(maxBytes, Math.max(ratioFrom - 1, size * maxRatio));
}

/** A check to call with the bytes taken in and given out so far. @throws UserError `bomb` */
export function createLimit(
  limits: UnpackLimits,
  where: string,
): (takenIn: number, givenOut: number) => void {
  const { maxBytes = 4 * 1024 ** 3, maxRatio = 64, raisedBy } = limits;
  return (takenIn, givenOut) => {
    if (givenOut <= maxBytes && (givenOut < ratioFrom || givenOut <= takenIn * maxRatio)) return;
    const tooMuch = givenOut > maxBytes;
    const why = tooMuch ? `more than ${maxBytes} bytes` : `more than ${maxRatio} times its compressed size`;
    const option = tooMuch ? raisedBy?.bytes : raisedBy?.ratio;
    throw new UserError(`unpacking gives ${why}`, {
      code: "bomb",
      where,
      hint: `if the file is what it should be, raise the limit${option === undefined ? " for unpacked sizes" : ` with ${option}`}`,
    });
  };
}

/** Refuses an archive with `count` entries, or with as many so far, where these are too many. @throws UserError `bomb` */
export function limitEntries(count: number, limits: UnpackLimits, where: string): void {
  const { maxEntries = 250_000, raisedBy } = limits;
  if (count <= maxEntries) return;
  throw new UserError(`the archive holds more than ${maxEntries} entries`, {
    code: "bomb",
    where,
    hint: `if the file is what it should be, raise the limit${raisedBy === undefined ? "" : ` with ${raisedBy.entries}`}`,
  });
}
