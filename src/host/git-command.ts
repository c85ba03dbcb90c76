/** Runs git on the repository around a directory, unaffected by variables that name another one. */
import { homedir } from "node:os";

type Variables = Readonly<Record<string, string | undefined>>;

export interface GitCommand {
  /** The arguments of `git`. */
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Variables that say where git's own files are and how far it looks for a repository, but not which one it is. The rest
 * of GIT_* speaks of another repository or command, such as the one whose hook runs this build (githooks(5)).
 */
const kept = [
  ...["GIT_EXEC_PATH", "GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM"],
  ...["GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"],
];

/**
 * Settings under which no question runs a program that the repository names (git-config(1)). A file system monitor would
 * also be left running, and hold the pipe open. `git describe --dirty` writes the index and calls a hook although
 * optional locks are off.
 */
const harmless = ["core.fsmonitor=false", "core.hooksPath=/dev/null"].flatMap((one) => ["-c", one]);

/**
 * The command that asks git in `directory` (absolute) with these arguments; `given` are the variables that are known to count.
 * It runs no monitor, no hook and no transport; the filters of gitattributes(5) do run.
 */
export function gitCommand(directory: string, args: readonly string[], given: Variables): GitCommand {
  return {
    args: ["-C", directory, ...harmless, ...trustedDirectories(given), ...args],
    env: environment(given),
  };
}

function environment(given: Variables): NodeJS.ProcessEnv {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_")));
  for (const name of [...kept, "HOME", "XDG_CONFIG_HOME", "PATH"]) {
    const value = given[name];
    if (value === undefined) delete env[name];
    else env[name] = value;
  }
  // Optional locks off: looking must not write to the repository. An object that a partial clone lacks is not fetched:
  // a transport is a program that the repository's configuration names (git(1), GIT_ALLOW_PROTOCOL).
  const quiet = { GIT_OPTIONAL_LOCKS: "0", GIT_NO_LAZY_FETCH: "1", GIT_ALLOW_PROTOCOL: "" };
  return { ...env, HOME: given.HOME ?? homedir(), LC_ALL: "C", ...quiet };
}

/** The `safe.directory` settings that the caller gives in variables (git-config(1), GIT_CONFIG_COUNT) are kept. */
function trustedDirectories(given: Variables): readonly string[] {
  const count = Math.min(Number(given.GIT_CONFIG_COUNT ?? 0) || 0, 1000);
  return Array.from({ length: count }, (_, index) => index)
    .filter((index) => given[`GIT_CONFIG_KEY_${index}`]?.toLowerCase() === "safe.directory")
    .flatMap((index) => ["-c", `safe.directory=${given[`GIT_CONFIG_VALUE_${index}`] ?? ""}`]);
}
