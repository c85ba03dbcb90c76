import { describe, expect, it } from "vitest";
import { parseRetryAfter } from "../../src/fetch/http/retry.ts";
import { pinnedTime } from "../../src/fetch/index.ts";

const line = (lastModified?: string) => ({
  url: "http://mirror.example/4.x/x86/tcz/a.tcz",
  size: 1,
  sha256: "0".repeat(64),
  ...(lastModified === undefined ? {} : { lastModified }),
});

describe("the time of what was fetched", () => {
  // The three forms of RFC 9110 5.6.7, all of the same second.
  it.each(["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"])(
    "is upstream's Last-Modified %s, in UTC, whatever this machine's time zone",
    (text) => {
      const zone = process.env.TZ;
      try {
        for (const other of ["UTC", "Asia/Tokyo", "America/St_Johns"]) {
          process.env.TZ = other;
          expect(pinnedTime(line(text))).toBe(784_111_777);
        }
      } finally {
        if (zone === undefined) delete process.env.TZ;
        else process.env.TZ = zone;
      }
    },
  );

  it.each([
    "",
    "yesterday",
    "0",
    "Sun, 31 Feb 2010 08:49:37 GMT",
    "Sun, 06 Nov 1994 25:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37 +0200",
    "Wed, 31 Dec 1969 23:59:59 GMT",
    "Wed, 20 Nov 2286 17:46:40 GMT",
  ])("is not known from a Last-Modified of %j", (text) => {
    expect(pinnedTime(line(text))).toBeUndefined();
  });

  it("is not known where upstream says nothing or there is no file", () => {
    expect(pinnedTime(line())).toBeUndefined();
    expect(pinnedTime(undefined)).toBeUndefined();
    expect(pinnedTime({ url: line().url, absent: true })).toBeUndefined();
  });

  it("may be the first and the last second that a cpio archive can hold", () => {
    expect(pinnedTime(line("Thu, 01 Jan 1970 00:00:00 GMT"))).toBe(0);
    expect(pinnedTime(line("Sun, 07 Feb 2106 06:28:15 GMT"))).toBe(0xffff_ffff);
  });
});

it("a server's Retry-After in the form of asctime is in UTC too", () => {
  const now = Date.UTC(2026, 10, 27, 6, 0, 0);
  expect(parseRetryAfter("Fri Nov 27 06:00:05 2026", now)).toBe(5000);
  expect(parseRetryAfter("soon", now)).toBeUndefined();
});
