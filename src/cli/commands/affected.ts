/**
 * Which targets a range of commits would make run again: those that read a changed file, whose code changed, and all
 * that need them. It looks at names only: a build may still find that nothing came out differently.
 */
import { execFile } from "node:child_process";
import path from "node:path";
import { bind, inputCovers, needsOf, type TaskId } from "../../engine/index.ts";
import { UsageError } from "../../errors/index.ts";
import { type GitCommand, gitCommand } from "../../host/index.ts";
import { allTasks } from "../options/target-name.ts";
import type { Session } from "../session.ts";
import type { Io } from "../terminal/io.ts";

/** Prints the affected targets, one a line (or as JSON), in the order of the graph. */
export async function affectedCommand(session: Session, words: readonly string[]): Promise<number> {
  const { workspace, request, values, io } = session;
  if (words.length > 0 || request.since === undefined) {
    throw new UsageError("`affected` needs a revision, and takes no target", {
      code: "usage",
      hint: "usage: task affected --since REVISION",
    });
  }
  const root = workspace.state.workspace;
  const changed = await changedFiles(root, request.since, io.env);
  const targets = allTasks(workspace.taskfile, request.given);
  const graph = await bind(workspace, { targets, variant: request.variant, values });
  const affected = new Map<TaskId, readonly string[]>();
  for (const [id, bound] of graph) {
    const modules = new Set(workspace.code.modulesOf(bound.task.definedAt));
    const inputs = Object.values(bound.task.inputs);
    const reasons: string[] = changed.filter((file) => modules.has(file));
    for (const file of changed) {
      const covers = await Promise.all(
        inputs.map((input) => inputCovers(input, path.join(root, file), root, bound)),
      );
      if (covers.includes(true)) reasons.push(file);
    }
    reasons.push(...needsOf(bound).filter((need) => affected.has(need)));
    if (reasons.length > 0) affected.set(id, reasons);
  }
  const shown = [...affected].filter(([id]) => graph.get(id)?.task.internal === false);
  if (request.json) {
    const rows = shown.map(([id, because]) => ({ task: graph.get(id)?.task.name, because }));
    io.stdout.write(`${JSON.stringify(rows, undefined, 2)}\n`);
  } else {
    for (const [id] of shown) io.stdout.write(`${graph.get(id)?.task.name}\n`);
  }
  return 0;
}

/** Paths relative to the workspace that differ between the revision and the working tree, new files included. */
async function changedFiles(root: string, since: string, env: Io["env"]): Promise<readonly string[]> {
  if (since.startsWith("-"))
    throw new UsageError(`"${since}" is not a revision`, {
      code: "revision-unknown",
      hint: "name a commit, branch or tag of this repository",
    });
  const changed = await git(
    gitCommand(root, ["diff", "--no-ext-diff", "--name-only", "--relative", "-z", since, "--"], env),
    since,
  );
  const added = await git(gitCommand(root, ["ls-files", "--others", "--exclude-standard", "-z"], env), since);
  return [...new Set([...changed.split("\0"), ...added.split("\0")])].filter((name) => name !== "").sort();
}

function git({ args, env }: GitCommand, since: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile("git", args, { env, maxBuffer: 256 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const why = stderr.trim().split("\n")[0] ?? error.message;
      reject(
        new UsageError(`git cannot compare with "${since}": ${why}`, {
          code: "revision-unknown",
          hint: "name a commit, branch or tag of this repository",
        }),
      );
    });
  });
}
