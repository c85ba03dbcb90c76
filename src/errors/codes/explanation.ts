/** What docs/errors.md says about one error code. */
export interface Explanation {
  /** What went wrong, in one or two sentences. A value that the message names stands as `{name}`. */
  readonly meaning: string;
  /** What the user can do about it. */
  readonly remedy: string;
}

/** The error codes of one area. */
export type ErrorArea = Readonly<Record<string, Explanation>>;
