/** How many words a command of the program takes behind its name. What they mean it does not know. */
import { UsageError } from "../../errors/index.ts";

export function oneWord(words: readonly string[], usage: string): string {
  const [word] = words;
  if (word === undefined || words.length > 1)
    throw new UsageError(`\`${usage.split(" ")[0]}\` needs exactly one target`, {
      code: "usage",
      hint: `usage: task ${usage}`,
    });
  return word;
}

export function noWords(words: readonly string[], name: string): void {
  if (words.length > 0)
    throw new UsageError(`\`${name}\` takes no arguments`, {
      code: "usage",
      hint: "remove the extra arguments",
    });
}
