/** The layers of an image's initrd: how much room they are given. */

/** ECMA-119 6.1.2: a file of an ISO takes up a multiple of it. */
const sector = 2048;

/** An edited layer's room is a multiple of this many bytes where it is edited often. */
const step = 16 * sector;

/** Bytes for an edited layer of this size: NULs fill the rest, which the kernel skips. What is deployed has no room for edits. */
export function roomFor(size: number, variant: string): number {
  return variant === "prod" ? wholeSectors(size) : Math.ceil(size / step) * step;
}

/** Bytes that a file of this size takes up in an ISO. */
export function wholeSectors(size: number): number {
  return Math.ceil(size / sector) * sector;
}

/** What follows a layer of this size, so that the next one may be a plain archive: these begin at multiples of four. */
export function paddingAfter(size: number): number {
  return (4 - (size % 4)) % 4;
}
