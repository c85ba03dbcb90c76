/** A question to git, and git's answer. */

/** What git printed, and why it failed if it did: its error code or exit status, and the first line that says "fatal". */
export interface GitAnswer {
  readonly text: string;
  readonly failure?: { readonly code: string | number; readonly sentence: string };
}

export type AskGit = (args: readonly string[]) => Promise<GitAnswer>;
