/** Which command lines need no project around them. */
import type { Taskfile } from "../../engine/index.ts";
import { UsageError } from "../../errors/index.ts";
import { programCommands } from "./program-command.ts";
import { targetNamed } from "./target-name.ts";

/** Throws `UsageError` when `words`, a command and what follows it, need a project; the Taskfile is the program's own. */
export function requireProject(words: readonly string[], taskfile: Taskfile): void {
  const [first = "", ...rest] = words;
  if (programCommands.some(({ name, anywhere }) => name === first && anywhere === true)) return;
  const target = targetNamed(first, taskfile);
  if (target?.kind === "command" && target.needsProject?.(rest) === false) return;
  throw new UsageError("neither this directory nor one above it has a Taskfile.ts", {
    code: "no-project",
    hint: "change into a project's directory, or create a project: task init DIRECTORY",
  });
}
