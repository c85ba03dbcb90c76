/** Lists the paths that git's answers about a checkout depend on. */
import { homedir } from "node:os";
import path from "node:path";
import type { ParameterHost, PathDependencies } from "../../src/engine/index.ts";
import type { AskGit } from "./git-answer.ts";

/**
 * Every path that decides what commit is checked out in `directory` (absolute), what its tags are and whether a tracked file was
 * changed (gitrepository-layout(5), git-config(1)): heads and tags, the index, the configuration, the tracked files. Not whole
 * where submodules have repositories of their own, or references are kept in other ways.
 */
export async function pathsThatGitReads(
  directory: string,
  env: ParameterHost["env"],
  git: AskGit,
): Promise<PathDependencies> {
  const home = env.HOME ?? homedir();
  const configuration = [
    env.GIT_CONFIG_SYSTEM ?? "/etc/gitconfig",
    ...(env.GIT_CONFIG_GLOBAL === undefined
      ? [
          path.join(home, ".gitconfig"),
          path.join(env.XDG_CONFIG_HOME ?? path.join(home, ".config"), "git", "config"),
        ]
      : [env.GIT_CONFIG_GLOBAL]),
    // The git program itself, and the places where another one would be found first.
    ...(env.PATH ?? "").split(":").map((one) => path.join(one, "git")),
  ];
  const ask = async (...args: readonly string[]): Promise<string | undefined> => {
    const { text, failure } = await git(args);
    return failure === undefined ? text : undefined;
  };
  const asked = ["rev-parse", "--path-format=absolute", "--show-toplevel", "--git-dir", "--git-common-dir"];
  const answer = await ask(...asked);
  // Without a repository, all places where one may be created count: in this directory or any above it.
  if (answer === undefined) {
    return { paths: [...configuration, ...repositoriesAbove(directory, undefined)], isWhole: true };
  }
  const [top = "", own = "", common = ""] = answer.split("\n");
  const heads = ["HEAD", "index", "config.worktree"].map((name) => path.join(own, name));
  // A linked work tree has a file there that says where its repository is.
  if (own !== path.join(top, ".git")) heads.push(path.join(top, ".git"));
  const shared = ["config", "packed-refs", "shallow", "info/grafts"].map((name) => path.join(common, name));
  const references = await ask("for-each-ref", "--format=%(refname)", "refs/tags");
  const head = (await ask("symbolic-ref", "-q", "HEAD"))?.trim() ?? "";
  const tracked = await ask("-C", top, "ls-files", "-z", "--stage");
  const plain = (await ask("config", "extensions.refStorage")) === undefined;

  // A reference is written beside and renamed, so that its directory changes with it.
  const names = [...(references ?? "").split("\n"), head].filter((name) => name !== "");
  const directories = new Set(["refs/tags", ...names.map((name) => path.dirname(name))]);
  const files: string[] = [];
  let isWhole = references !== undefined && tracked !== undefined && plain;
  for (const entry of (tracked ?? "").split("\0")) {
    if (entry === "") continue;
    if (entry.startsWith("160000 ")) isWhole = false;
    files.push(path.join(top, entry.slice(entry.indexOf("\t") + 1)));
  }
  return {
    paths: [
      ...configuration,
      ...repositoriesAbove(directory, top),
      ...heads,
      ...shared,
      ...[...directories].map((name) => path.join(common, name)),
      ...(head === "" ? [] : [path.join(common, head)]),
      ...files,
    ],
    isWhole,
  };
}

/** Where git would look for a repository before it finds the one whose work tree is at `top`. */
function repositoriesAbove(workspace: string, top: string | undefined): readonly string[] {
  const candidates: string[] = [];
  for (let directory = workspace; directory !== top; directory = path.dirname(directory)) {
    candidates.push(path.join(directory, ".git"));
    if (directory === path.dirname(directory)) break;
  }
  return candidates;
}
