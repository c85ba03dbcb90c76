/** The time of a pinned artifact. */
import { parseHttpDate } from "../http/http-date.ts";
import type { LockLine } from "./lock.ts";

/** The last second that the 32 bits of a cpio archive's time can hold. */
const lastSecond = 0xffff_ffff;

/**
 * When upstream last changed the artifact, in seconds since 1970 (UTC), from the `Last-Modified` in its lock line. Undefined when
 * upstream sent none (as for a source that is a directory), or none that is a date between 1970 and 2106. The same line always
 * gives the same time.
 */
export function pinnedTime(line: LockLine | undefined): number | undefined {
  if (line === undefined || "absent" in line || line.lastModified === undefined) return undefined;
  // Years of two digits are read as of a fixed day, or the time of a line would change with the clock.
  const milliseconds = parseHttpDate(line.lastModified, Date.UTC(2026, 0, 1));
  const seconds = milliseconds === undefined ? undefined : Math.floor(milliseconds / 1000);
  return seconds === undefined || seconds < 0 || seconds > lastSecond ? undefined : seconds;
}
