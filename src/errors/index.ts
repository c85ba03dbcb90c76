/**
 * The error class for everything that a user can cause or fix, the codes of all errors, and suggestions for misspelt names.
 *
 * Terminals are not known here: the printing code chooses colours and decides whether to show a cause.
 */
import type { ErrorCode } from "./codes/index.ts";

export type { ErrorCode } from "./codes/index.ts";
export { printable, printableName } from "./printable.ts";
export { shellWord } from "./shell-word.ts";
export { didYouMean, editDistance, nearest } from "./suggestion.ts";

export interface UserErrorOptions {
  /** The kind of failure. A task of a project uses `project-error`. */
  readonly code: ErrorCode;
  /** Where it went wrong: `file:line`, a URL (without credentials), an archive member. */
  readonly where?: string;
  /** What the user can do about it, as one sentence. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** Tasks of the same pool still run after it, so that all failures of its kind are reported at once. */
  readonly isCollected?: boolean;
}

/**
 * A failure that is explained by its message alone: it is printed bare, without a stack.
 * `message` says what failed and why; `where` and `hint` say the rest.
 */
export class UserError extends Error {
  override readonly name: string = "UserError";
  readonly code: ErrorCode;
  readonly where: string | undefined;
  readonly hint: string | undefined;
  readonly isCollected: boolean;

  constructor(message: string, options: UserErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.where = options.where;
    this.hint = options.hint;
    this.isCollected = options.isCollected === true;
  }
}

/** Wrong usage of a command line or a definition: exit status 2 instead of 1. */
export class UsageError extends UserError {
  override readonly name = "UsageError";
}

/** The `code` of a Node system error (`ENOENT`, `ENOSPC`, …), or undefined. */
export function systemErrorCode(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Why a call of the system failed: `no such file or directory`, without the call and its path. */
export function systemReason(error: unknown): string {
  return messageOf(error).replace(/^E[A-Z0-9]+: (.*?), \w+(?: '.*)?$/s, "$1");
}
