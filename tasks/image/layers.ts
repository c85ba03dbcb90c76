/** The layers of an image's initrd: how much room they are given. It knows nothing of what is in them. */

/** A layer's room is a multiple of this many bytes; also the ISO's sector size times sixteen. */
const step = 32 * 1024;

/** Bytes for a layer of this size: NULs fill the rest, which the kernel skips. */
export function roomFor(size: number): number {
  return Math.ceil(size / step) * step;
}

/** What follows a layer of this size, so that the next one may be a plain archive: these begin at multiples of four. */
export function paddingAfter(size: number): number {
  return (4 - (size % 4)) % 4;
}
