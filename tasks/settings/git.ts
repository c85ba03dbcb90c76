/** Asks git about the repository around the workspace; a git that fails is an error. */
import { execFile } from "node:child_process";
import { existsSync, lstatSync } from "node:fs";
import path from "node:path";
import type { ParameterHost } from "../../src/engine/index.ts";
import { UserError } from "../../src/errors/index.ts";
import { gitCommand } from "../../src/host/index.ts";
import type { AskGit, GitAnswer } from "./git-answer.ts";
import { withoutFilters } from "./git-filters.ts";
import { pathsThatGitReads } from "./git-paths.ts";

/**
 * What git prints about the project: the checkout that holds `overlay` (absolute, or relative to the workspace), where that
 * is another one than the workspace's; else the workspace's own. Undefined where there is no repository, or none with a commit.
 * Throws a `UserError` with git's sentence when git fails.
 */
export async function askProject(
  host: ParameterHost,
  overlay: string,
  args: readonly string[],
): Promise<string | undefined> {
  const directory = path.resolve(host.root, overlay);
  const other = isOfAnotherRepository(directory, host.root) ? await askGit(host, directory, args) : undefined;
  return other ?? (await askGit(host, host.root, args));
}

/** Whether git would find another repository around `directory` than around the workspace, or at least might. */
export function isOfAnotherRepository(directory: string, workspace: string): boolean {
  if (!existsSync(directory)) return false;
  for (let at = directory; at !== workspace; at = path.dirname(at)) {
    if (existsSync(path.join(at, ".git")) || at === path.dirname(at)) return true;
  }
  return false;
}

/** What git prints when asked in an absolute directory, trimmed; undefined and errors as for `askProject`. */
export async function askGit(
  host: ParameterHost,
  directory: string,
  args: readonly string[],
): Promise<string | undefined> {
  const git = gitIn(host, directory);
  host.dependsOn(`git in ${directory}`, () => pathsThatGitReads(directory, host.env, git));
  const answer = await git(args);
  if (answer.failure === undefined) return answer.text.trim();
  await refuseFailure(directory, answer.failure, git);
  return undefined;
}

/**
 * Git in a directory. A workspace's Taskfile is run anyway, so its repository may name filters; another repository, such as
 * that of a given overlay, only brings files, and no program of its choice is run.
 */
function gitIn(host: ParameterHost, directory: string): AskGit {
  if (directory === host.root) return (args) => runGit(host, directory, args, {});
  let filters: ReturnType<typeof withoutFilters> | undefined;
  return async (args) => {
    filters ??= withoutFilters(directory, (at, question) => runGit(host, at, question, {}));
    const variables = await filters;
    if (variables !== undefined) return await runGit(host, directory, args, variables);
    return { text: "", failure: { code: "", sentence: "the repository has too many submodules" } };
  };
}

function runGit(
  host: ParameterHost,
  directory: string,
  args: readonly string[],
  variables: Readonly<Record<string, string>>,
): Promise<GitAnswer> {
  return new Promise((resolve) => {
    const command = gitCommand(directory, args, host.env);
    const options = { env: { ...command.env, ...variables }, maxBuffer: 64 * 1024 ** 2 };
    execFile("git", command.args, options, (error, stdout, stderr) => {
      if (error === null) return resolve({ text: stdout });
      const lines = stderr.trim().split("\n");
      const said = lines.find((line) => line.startsWith("fatal:")) ?? lines[0] ?? "";
      const sentence = said.replace(/^fatal: /, "") || error.message;
      return resolve({ text: stdout, failure: { code: error.code ?? "", sentence } });
    });
  });
}

/** Throws where git failed; returns where there is no repository or no commit. */
async function refuseFailure(
  directory: string,
  { code, sentence }: NonNullable<GitAnswer["failure"]>,
  git: AskGit,
): Promise<void> {
  const repository = repositoryAround(directory);
  const instead = "or set --iso-version and --source-date-epoch";
  if (code === "ENOENT" || code === "EACCES") {
    if (repository === undefined) return;
    throw new UserError("the project is a git checkout, but git is not installed", {
      code: "git-missing",
      where: repository,
      hint: `install git, which provides the image's version and time, ${instead}`,
    });
  }
  if (/dubious ownership/.test(sentence)) {
    throw new UserError(`git cannot determine the version: ${sentence}`, {
      code: "git-ownership",
      where: directory,
      hint: `if you trust it: git config --global --add safe.directory "${path.dirname(repository ?? directory)}"; ${instead}`,
    });
  }
  if (repository === undefined && /^not a git repository/.test(sentence)) return;
  if (await hasNoCommitYet(git)) return;
  throw new UserError(`git cannot determine the version: ${sentence}`, {
    code: "git-failed",
    where: repository ?? directory,
    hint: `repair the repository (see git status), ${instead}`,
  });
}

/** Absolute path of the nearest `.git`, a directory or a file. */
function repositoryAround(directory: string): string | undefined {
  for (let at = directory; ; at = path.dirname(at)) {
    const found = path.join(at, ".git");
    if (lstatSync(found, { throwIfNoEntry: false }) !== undefined) return found;
    if (at === path.dirname(at)) return undefined;
  }
}

/** Whether the repository has no commit, so that HEAD names an unborn branch. */
async function hasNoCommitYet(git: AskGit): Promise<boolean> {
  const references = await git(["for-each-ref", "--count=1"]);
  const log = await git(["rev-parse", "--path-format=absolute", "--git-path", "logs/HEAD"]);
  if (references.failure !== undefined || log.failure !== undefined) return false;
  return references.text === "" && !existsSync(log.text.trim());
}
