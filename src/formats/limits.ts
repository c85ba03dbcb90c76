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
}

/** A ratio says nothing about little: an empty tarball is already 200 times its compressed size. */
const ratioFrom = 1024 * 1024;

/** A check to call with the bytes taken in and given out so far. @throws UserError `bomb` */
export function createLimit(
  limits: UnpackLimits,
  where: string,
): (takenIn: number, givenOut: number) => void {
  const { maxBytes = 4 * 1024 ** 3, maxRatio = 64 } = limits;
  return (takenIn, givenOut) => {
    if (givenOut <= maxBytes && (givenOut < ratioFrom || givenOut <= takenIn * maxRatio)) return;
    const why =
      givenOut > maxBytes ? `more than ${maxBytes} bytes` : `more than ${maxRatio} times its compressed size`;
    throw new UserError(`unpacking gives ${why}`, {
      code: "bomb",
      where,
      hint: "if the file is what it should be, raise the limit for unpacked sizes",
    });
  };
}
