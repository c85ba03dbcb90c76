/** Asking git about the workspace, in one process a question and nothing of the user's configuration changed. */
import { execFile } from "node:child_process";

/** What git prints, trimmed; undefined when there is no git, no repository, or git says no. */
export function askGit(workspace: string, args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile("git", ["-C", workspace, ...args], { env: gitEnvironment() }, (error, stdout) => {
      resolve(error === null ? stdout.trim() : undefined);
    });
  });
}

/** Optional locks off: looking must not write to the repository. */
function gitEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, LC_ALL: "C", GIT_OPTIONAL_LOCKS: "0" };
}
