/**
 * The words of a download: what is asked for and what comes back. It does nothing.
 */
import type { ContentKind } from "./content-kind.ts";
import type { SettingNames } from "./setting-names.ts";

/** What upstream said about a version of a file, to ask later whether it still holds. */
export interface Validators {
  readonly etag?: string;
  readonly lastModified?: string;
}

export interface DownloadRequest {
  /** What messages and events call it. */
  readonly name: string;
  /** http(s) or file: URL, or an absolute path. Credentials in it are used and never shown. */
  readonly url: string;
  readonly kind: ContentKind;
  /** 404 means "there is none" rather than an error. */
  readonly optional?: boolean;
  /** Ask only for something newer than this. */
  readonly validators?: Validators;
  /** Who wants it, as `file:line`, for messages. */
  readonly where?: string;
  /** Bytes, at most. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
  /** Uses a single connection. */
  readonly inOneGo?: boolean;
  /** It, and all of its parts, comes before other files. */
  readonly urgent?: boolean;
  /** Asked before another attempt: whether the bytes were had elsewhere meanwhile, so that none is worth while. */
  readonly isElsewhere?: () => Promise<boolean>;
}

/** What is known of bytes that have arrived. */
export interface Received extends Validators {
  readonly size: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  readonly md5: string;
  /** Where they were asked for, without credentials. */
  readonly url: string;
  /** Whether the bytes come from more than one response. */
  readonly isAssembled?: boolean;
}

export type DownloadOutcome =
  | ({ readonly status: "fetched" } & Received)
  /** The validators still hold. */
  | { readonly status: "unchanged" }
  /** An optional file that the source does not have. */
  | { readonly status: "absent" };

export interface TransportLimits {
  /** Downloads at once. */
  readonly overall: number;
  readonly perOrigin: number;
  /** Milliseconds to connect; milliseconds without a byte. */
  readonly connectMs: number;
  readonly idleMs: number;
  /** Minimum rate in bytes a second, on average over `rateMs` milliseconds; 0 for none. */
  readonly leastRate: number;
  readonly rateMs: number;
  /** Tries in all, the first one included. */
  readonly attempts: number;
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
  /** A server that asks to wait longer than this is given up. */
  readonly maxRetryAfterMs: number;
  readonly maxRedirects: number;
  /** Files of at least four times this many bytes are fetched in parts of no less than it where connections are free. */
  readonly partBytes: number;
  /** Bytes of one file on disk, and of one read into memory. */
  readonly maxBytes: number;
  readonly maxMemoryBytes: number;
  /** Bytes of one file of text, wherever it goes. */
  readonly maxTextBytes: number;
  /** Names in one index of a mirror. */
  readonly maxIndexNames: number;
  /** How the user changes these limits, for hints. */
  readonly settings: SettingNames;
}

export const defaultLimits: TransportLimits = {
  overall: 8,
  perOrigin: 6,
  connectMs: 10_000,
  idleMs: 30_000,
  // A tenth of what one of eight downloads gets on the slowest of mobile lines.
  leastRate: 100,
  rateMs: 60_000,
  attempts: 4,
  backoffMs: 500,
  maxBackoffMs: 15_000,
  maxRetryAfterMs: 120_000,
  maxRedirects: 5,
  partBytes: 512 * 1024,
  maxBytes: 4 * 1024 ** 3,
  maxMemoryBytes: 64 * 1024 ** 2,
  maxTextBytes: 16 * 1024 ** 2,
  // Tiny Core's largest directories have some 4,000 extensions.
  maxIndexNames: 100_000,
  settings: {},
};
