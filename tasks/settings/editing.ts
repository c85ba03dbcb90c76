/** Editing a file of the project with the user's editor, and what a build then would do. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { type CommandContext, type Parameter, param, type Task } from "../../src/engine/index.ts";
import { systemReason, UserError } from "../../src/errors/index.ts";

export const edit: Parameter<boolean> = param.switch({
  name: "edit",
  description: "with readme and comps: edit the file, then show what a build would run",
  default: false,
});

/**
 * Opens a file (relative to the workspace) in the editor that git would take (git-var(1), GIT_EDITOR): the command of VISUAL or EDITOR,
 * as a shell reads it, else vi. A file that does not exist begins as `first`. Then prints the tasks of `target` that a build would run.
 * @throws UserError `editor-failed`
 */
export async function editFile(
  context: CommandContext,
  name: string,
  first: string,
  target: Task,
): Promise<void> {
  const { workspace, env, note, print } = context;
  const file = path.join(workspace, name);
  if (!existsSync(file)) {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, first, { flag: "wx" });
    note(`${name} did not exist: it begins with an example`);
  }
  await runEditor(env.VISUAL || env.EDITOR || "vi", file, env);
  const stale = (await context.forecast(target)).filter(({ verdict }) => verdict !== "fresh");
  if (stale.length === 0) return print(`a build would run nothing`);
  print("a build would run:");
  for (const { name: step, verdict } of stale) print(`  ${step}${remarks[verdict] ?? ""}`);
}

const remarks: Readonly<Record<string, string>> = {
  restore: " (from the cache)",
  maybe: " (if what it needs changes)",
  unknown: " (an input is missing)",
};

async function runEditor(command: string, file: string, env: CommandContext["env"]): Promise<void> {
  const words = ["-c", `${command} "$@"`, command, file];
  const failed = (reason: string, cause?: unknown): UserError =>
    new UserError(`the editor "${command}" failed: ${reason}`, {
      code: "editor-failed",
      where: file,
      hint: "set VISUAL or EDITOR to the command of an editor",
      ...(cause === undefined ? {} : { cause }),
    });
  await new Promise<void>((resolve, reject) => {
    const child = spawn("sh", words, { env, stdio: "inherit" });
    child.once("error", (cause) => reject(failed(systemReason(cause), cause)));
    child.once("close", (status, signal) =>
      status === 0 ? resolve() : reject(failed(signal ?? `status ${status}`)),
    );
  });
}
