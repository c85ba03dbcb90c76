/** `task log [TARGET]`: what the last build in which anything ran did, why, and what its tasks printed. It builds nothing. */
import { printableName, UsageError, UserError } from "../../errors/index.ts";
import { findTask } from "../options/target-name.ts";
import { linesOf, nameOf } from "../output/plain-reporter.ts";
import { readRunLog, type TaskLog } from "../output/run-log.ts";
import { capturedLine } from "../output/terminal-text.ts";
import type { Session } from "../session.ts";
import { formatSeconds, hasColours, type Style, styleFor } from "../terminal/style.ts";

export function logCommand(session: Session, words: readonly string[]): number {
  const { io, request, workspace } = session;
  if (words.length > 1)
    throw new UsageError("`log` takes one target at most", {
      code: "usage",
      hint: "usage: task log [target]",
    });
  const [word] = words;
  const name = word === undefined ? undefined : findTask(word, workspace.taskfile).name;
  const log = readRunLog(workspace.state);
  if (log === undefined)
    throw new UserError("there is no log: nothing has run in this workspace yet", {
      code: "log-missing",
      hint: "build something first: task TARGET",
    });
  const tasks = name === undefined ? log.tasks : log.tasks.filter(({ task }) => nameOf(task) === name);
  if (name !== undefined && tasks.length === 0)
    throw new UserError(`${name} was not part of the last build: ${log.command}`, {
      code: "log-missing",
      hint: "`task log` shows what was",
    });
  if (request.json) {
    io.stdout.write(`${JSON.stringify({ ...log, tasks }, undefined, 2)}\n`);
    return 0;
  }
  const style = styleFor(io.stdout, io.env);
  io.stdout.write(`${style.bold(printableName(log.command))}: ${log.outcome}, ${log.ended}\n`);
  for (const task of tasks) io.stdout.write(describe(task, style));
  return 0;
}

function describe({ task, verdict, seconds, reasons, output, error }: TaskLog, style: Style): string {
  const name = nameOf(task);
  const took = seconds === 0 ? "" : ` (${formatSeconds(seconds)})`;
  const lines = [`${style.bold(name)}: ${verdict}${took}`];
  for (const reason of reasons) lines.push(`  because ${printableName(reason)}`);
  if (output !== "")
    for (const line of linesOf(output))
      lines.push(`  ${style.dim("|")} ${capturedLine(line, hasColours(style))}`);
  if (error !== undefined) lines.push(`  ${style.red("error:")} ${printableName(error)}`);
  return `${lines.join("\n")}\n`;
}
