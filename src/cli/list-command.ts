/** `task list`: the targets, for people or for programs. It writes nothing. */
import { noWords } from "./command-words.ts";
import type { Session } from "./session.ts";
import { targetLines } from "./target-name.ts";

export function listCommand({ io, request, workspace }: Session, words: readonly string[]): number {
  noWords(words, "list");
  const { taskfile } = workspace;
  if (request.json) {
    const targets = taskfile.targets.map((target) => ({
      name: target.name,
      kind: target.kind,
      description: target.description,
      aliases: Object.entries(taskfile.aliases ?? {}).flatMap(([alias, of]) =>
        of === target ? [alias] : [],
      ),
      ...(target.kind === "task" ? { internal: target.internal } : {}),
    }));
    io.stdout.write(`${JSON.stringify(targets, undefined, 2)}\n`);
    return 0;
  }
  const lines = targetLines(taskfile);
  const width = Math.max(...lines.map(([name]) => name.length)) + 2;
  for (const [name, description] of lines) io.stdout.write(`${name.padEnd(width)}${description}\n`);
  return 0;
}
