/** Settings that keep a repository's own filters (gitattributes(5), `filter`) from being run when git compares its files. */
import path from "node:path";
import type { AskGit } from "./git-answer.ts";

/** How many submodules are looked into, one below another counted too. */
const mostSubmodules = 1000;

/** Arguments that name the directory to ask in, relative to the repository, and settings, before the question itself. */
type Ask = (directory: string, args: readonly string[]) => ReturnType<AskGit>;

/**
 * Variables (git-config(1), GIT_CONFIG_COUNT) that empty each filter which the repository in `directory` (absolute) or one
 * of its submodules defines: git compares what is in the files instead. Filters of the user's and the machine's configuration
 * stay as they are there. Undefined when there are more submodules than anybody has.
 */
export async function withoutFilters(
  directory: string,
  ask: Ask,
): Promise<Readonly<Record<string, string>> | undefined> {
  const settings = new Map<string, string>();
  const tops = new Set<string>();
  const directories = [directory];
  for (let next = 0; next < directories.length; next += 1) {
    if (next > mostSubmodules) return undefined;
    const at = directories[next] ?? directory;
    const top = (await ask(at, ["rev-parse", "--show-toplevel"])).text.trim();
    // In the directory of a submodule that was not fetched, git answers for the repository around it.
    if (top === "" || tops.has(top)) continue;
    tops.add(top);
    const defined = await ask(at, ["config", "--null", "--show-scope", "--get-regexp", "^filter\\."]);
    for (const [key, value] of overrides(defined.text)) settings.set(key, value);
    const tracked = await ask(at, ["ls-files", "--full-name", "--stage", "-z", "--", ":/"]);
    for (const entry of tracked.text.split("\0")) {
      if (entry.startsWith("160000 ")) directories.push(path.join(top, entry.slice(entry.indexOf("\t") + 1)));
    }
  }
  const variables: Record<string, string> = { GIT_CONFIG_COUNT: String(settings.size) };
  for (const [index, [key, value]] of [...settings].entries()) {
    variables[`GIT_CONFIG_KEY_${index}`] = key;
    variables[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  return variables;
}

/** What each setting of a filter has to be so that only those count which the repository did not make. */
function overrides(text: string): ReadonlyMap<string, string> {
  const own = new Set<string>();
  const others = new Map<string, string>();
  const parts = text.split("\0");
  for (let index = 0; index + 1 < parts.length; index += 2) {
    const [key = "", ...lines] = (parts[index + 1] ?? "").split("\n");
    if (parts[index] === "local" || parts[index] === "worktree") own.add(key);
    else others.set(key, lines.length === 0 ? "true" : lines.join("\n"));
  }
  const neutral = (key: string): string => (key.endsWith(".required") ? "false" : "");
  return new Map([...own].map((key) => [key, others.get(key) ?? neutral(key)]));
}
