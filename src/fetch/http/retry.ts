/**
 * Which failures of a download are worth another try, and after how long. It does not know how a request is
 * made.
 */
import { type ErrorCode, systemErrorCode } from "../../errors/index.ts";
import { parseHttpDate } from "./http-date.ts";

/** The kinds of failure that another try may not meet. */
type TransientCode = Extract<
  ErrorCode,
  "unreachable" | "cut-off" | "too-slow" | "server-error" | "rate-limited"
>;

/** Why a try failed, when another one may succeed. */
export class TransientFailure extends Error {
  override readonly name = "TransientFailure";
  /** Code of the UserError that this becomes when the last try failed as well. */
  readonly code: TransientCode;
  /** What the server asked to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(
    message: string,
    options: {
      readonly code: TransientCode;
      readonly retryAfterMs?: number | undefined;
      readonly cause?: unknown;
    },
  ) {
    super(message, { cause: options.cause });
    this.code = options.code;
    this.retryAfterMs = options.retryAfterMs;
  }
}

const unreachable: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the connection was refused",
  ENOTFOUND: "the host name does not exist",
  EAI_AGAIN: "the host name could not be resolved",
  EHOSTUNREACH: "there is no route to the host",
  ENETUNREACH: "the network is unreachable",
  ETIMEDOUT: "connecting timed out",
  UND_ERR_CONNECT_TIMEOUT: "connecting timed out",
};

const broken: Readonly<Record<string, string>> = {
  ECONNRESET: "the connection was reset",
  EPIPE: "the connection was closed",
  UND_ERR_SOCKET: "the connection was closed too early",
  UND_ERR_HEADERS_TIMEOUT: "the server did not answer in time",
  UND_ERR_BODY_TIMEOUT: "no data arrived for too long",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "fewer bytes arrived than announced",
  // undici's name for "the socket ended in the middle of a message".
  UND_ERR_INFO: "the connection was closed too early",
};

/** Recognises connection errors of Node and undici; anything else is not transient and gives undefined. */
export function transientFailure(error: unknown): TransientFailure | undefined {
  if (error instanceof TransientFailure) return error;
  const code = systemErrorCode(error);
  // undici's parser errors come with and without a code of their own.
  if (error instanceof Error && error.name === "HTTPParserError") {
    return new TransientFailure("the answer was not valid HTTP", { code: "cut-off", cause: error });
  }
  if (code === undefined) {
    // A host with several addresses fails with one AggregateError for all of them.
    if (error instanceof AggregateError) {
      return error.errors.map(transientFailure).find((failure) => failure !== undefined);
    }
    return error instanceof Error && error.cause !== undefined ? transientFailure(error.cause) : undefined;
  }
  const noConnection = unreachable[code];
  if (noConnection !== undefined)
    return new TransientFailure(noConnection, { code: "unreachable", cause: error });
  const cutOff = broken[code];
  return cutOff === undefined ? undefined : new TransientFailure(cutOff, { code: "cut-off", cause: error });
}

/** The statuses that a later request may not get: 408, 429 and the 5xx. */
export function isTransientStatus(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status <= 599);
}

interface BackoffLimits {
  /** Milliseconds: the first wait, and what none exceeds. */
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
}

/**
 * Milliseconds to wait after try number `attempt` (from 1) failed: doubled each time, of which the upper half
 * is random (0 ≤ `random` < 1) so that clients do not come back all at once.
 */
export function backoffDelay(attempt: number, limits: BackoffLimits, random: number): number {
  const full = Math.min(limits.maxBackoffMs, limits.backoffMs * 2 ** (attempt - 1));
  return Math.round(full / 2 + (full / 2) * random);
}

/** `Retry-After` (RFC 9110 10.2.3: seconds, or an HTTP date) in milliseconds from `now`, or undefined. */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1000, Number.MAX_SAFE_INTEGER);
  const date = parseHttpDate(text, now);
  return date === undefined ? undefined : Math.max(0, date - now);
}
