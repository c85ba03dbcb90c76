/** Asking git about the workspace, in one process a question and nothing of the user's configuration changed. */
import { execFile } from "node:child_process";
import { homedir } from "node:os";
import path from "node:path";
import type { ParameterHost } from "../../src/engine/index.ts";

/** What git prints about the workspace, trimmed; undefined when there is no git, no repository, or git says no. */
export function askGit(host: ParameterHost, args: readonly string[]): Promise<string | undefined> {
  host.lookedAt("git", () => pathsThatGitReads(host));
  return run(host.root, args).then((text) => text?.trim());
}

function run(folder: string, args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    const options = { env: gitEnvironment(), maxBuffer: 64 * 1024 ** 2 };
    execFile("git", ["-C", folder, ...args], options, (error, stdout) => {
      resolve(error === null ? stdout : undefined);
    });
  });
}

/** Optional locks off: looking must not write to the repository. */
function gitEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, LC_ALL: "C", GIT_OPTIONAL_LOCKS: "0" };
}

/**
 * Every path that decides what commit is checked out, what its tags are and whether a tracked file was changed
 * (gitrepository-layout(5), git-config(1)): heads and tags, the index, the configuration, the tracked files. Undefined
 * where that is not all: submodules have repositories of their own, and references may be kept in other ways.
 */
async function pathsThatGitReads({
  root: workspace,
  env,
}: ParameterHost): Promise<readonly string[] | undefined> {
  const home = env.HOME ?? homedir();
  const configuration = [
    "/etc/gitconfig",
    path.join(home, ".gitconfig"),
    path.join(env.XDG_CONFIG_HOME ?? path.join(home, ".config"), "git", "config"),
    // Which git is asked: one in another place, or another one in the same.
    ...(env.PATH ?? "").split(":").map((folder) => path.join(folder, "git")),
  ];
  const asked = ["rev-parse", "--path-format=absolute", "--show-toplevel", "--git-dir", "--git-common-dir"];
  const answer = await run(workspace, asked);
  // Without a repository, the one that may come to be counts: in this folder or any above it.
  if (answer === undefined) return [...configuration, ...repositoriesAbove(workspace, undefined)];

  const [top = "", own = "", common = ""] = answer.split("\n");
  const heads = ["HEAD", "index", "config.worktree"].map((name) => path.join(own, name));
  // A linked work tree has a file there that says where its repository is.
  if (own !== path.join(top, ".git")) heads.push(path.join(top, ".git"));
  const shared = ["config", "packed-refs", "shallow", "info/grafts"].map((name) => path.join(common, name));
  const references = await run(workspace, ["for-each-ref", "--format=%(refname)", "refs/tags"]);
  const head = await run(workspace, ["symbolic-ref", "-q", "HEAD"]);
  const tracked = await run(top, ["ls-files", "-z", "--stage"]);
  const plain = (await run(workspace, ["config", "extensions.refStorage"])) === undefined;
  if (references === undefined || tracked === undefined || !plain) return undefined;

  // A reference is written beside and renamed, so that its folder changes with it.
  const names = [...references.split("\n"), head?.trim() ?? ""].filter((name) => name !== "");
  const folders = new Set(["refs/tags", ...names.map((name) => path.dirname(name))]);
  const files: string[] = [];
  for (const entry of tracked.split("\0")) {
    if (entry === "") continue;
    if (entry.startsWith("160000 ")) return undefined;
    files.push(path.join(top, entry.slice(entry.indexOf("\t") + 1)));
  }
  return [
    ...configuration,
    ...repositoriesAbove(workspace, top),
    ...heads,
    ...shared,
    ...[...folders].map((folder) => path.join(common, folder)),
    ...files,
  ];
}

/** Where git would look for a repository before it finds the one whose work tree is at `top`. */
function repositoriesAbove(workspace: string, top: string | undefined): readonly string[] {
  const candidates: string[] = [];
  for (let folder = workspace; folder !== top; folder = path.dirname(folder)) {
    candidates.push(path.join(folder, ".git"));
    if (folder === path.dirname(folder)) break;
  }
  return candidates;
}
