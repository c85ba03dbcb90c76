/** Decides from response headers whether parts belong to the same version of a file. */
import type { Validators } from "./download.ts";
import type { Answer } from "./exchange.ts";
import { parseHttpDate } from "./http-date.ts";

/** The version of a file, as described by the first response of a download. */
export interface Version extends Validators {
  /** Bytes of the whole file, where the server said. */
  readonly total: number | undefined;
  /** The strong validator for `If-Range`; undefined where there is none. */
  readonly rangeToken: string | undefined;
}

/** The version in a response with status 200. */
export function versionOf(answer: Answer): Version {
  const etag = answer.header("etag");
  const lastModified = answer.header("last-modified");
  const rangeToken = etag ?? lastModified;
  return {
    ...(etag === undefined ? {} : { etag }),
    ...(lastModified === undefined ? {} : { lastModified }),
    total: contentLength(answer),
    rangeToken: isStrong(answer, etag, lastModified) ? rangeToken : undefined,
  };
}

/**
 * RFC 9110 13.1.5: a weak entity tag must not be used, nor a date where there is any entity tag. A date is strong only when the
 * answer was made at least a second later (8.8.2.2): within the same second the file could have changed once more.
 */
function isStrong(answer: Answer, etag: string | undefined, lastModified: string | undefined): boolean {
  if (etag !== undefined) return /^"[^"]*"$/.test(etag);
  const modified = lastModified === undefined ? undefined : parseHttpDate(lastModified);
  const answered = parseHttpDate(answer.header("date") ?? "");
  return modified !== undefined && answered !== undefined && answered - modified >= 1000;
}

/** `Content-Length`, in bytes. */
function contentLength(answer: Answer): number | undefined {
  const value = answer.header("content-length");
  return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}

interface ContentRange {
  /** Positions of the first and the last byte, both included. */
  readonly first: number;
  readonly last: number;
  /** Bytes of the whole file, where the server said. */
  readonly total: number | undefined;
}

/** RFC 9110 14.4: Content-Range = "bytes" first "-" last "/" ( complete-length | "*" ). */
export function contentRange(answer: Answer): ContentRange | undefined {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(answer.header("content-range") ?? "");
  if (match === null) return undefined;
  const total = match[3] === "*" ? undefined : Number(match[3]);
  return { first: Number(match[1]), last: Number(match[2]), total };
}

/**
 * Whether a 206 brings a part of this version. Parts may be combined only when they share a strong validator (RFC 9110
 * 15.3.7.3). A server must send the entity tag with each part, if it has one; it may leave out the date (15.3.7).
 */
export function isPartOf(version: Version, answer: Answer): boolean {
  return (
    (version.etag === undefined || answer.header("etag") === version.etag) &&
    isSame(version.lastModified, answer.header("last-modified")) &&
    isSame(version.total, contentRange(answer)?.total)
  );
}

/** A value that one of the responses lacks does not contradict the other. */
function isSame<T>(before: T | undefined, after: T | undefined): boolean {
  return before === undefined || after === undefined || before === after;
}
