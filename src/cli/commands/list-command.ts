/** `task list`: the targets, for people or for programs. It writes nothing. */
import { noWords } from "../options/command-words.ts";
import { targetLines, targetLinesByGroup } from "../options/target-name.ts";
import type { Session } from "../session.ts";

export function listCommand({ io, request, workspace }: Session, words: readonly string[]): number {
  noWords(words, "list");
  const { taskfile } = workspace;
  if (request.json) {
    const targets = taskfile.targets.map((target) => ({
      name: target.name,
      kind: target.kind,
      description: target.description,
      ...(target.group === undefined ? {} : { group: target.group }),
      aliases: Object.entries(taskfile.aliases ?? {}).flatMap(([alias, of]) =>
        of === target ? [alias] : [],
      ),
      ...(target.kind === "task" ? { internal: target.internal } : {}),
    }));
    io.stdout.write(`${JSON.stringify(targets, undefined, 2)}\n`);
    return 0;
  }
  const width = Math.max(...targetLines(taskfile).map(([name]) => name.length)) + 2;
  const blocks = targetLinesByGroup(taskfile).map(({ title, lines }) => {
    const rows = lines.map(([name, description]) => `${name.padEnd(width)}${description}\n`);
    return `${title === undefined ? "" : `${title}:\n`}${rows.join("")}`;
  });
  io.stdout.write(blocks.join("\n"));
  return 0;
}
