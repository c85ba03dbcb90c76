/** The words after `--` on a command line, which are arguments of the tasks before it. */
import { argumentsName, type Task, type Taskfile } from "../../engine/index.ts";
import { UsageError } from "../../errors/index.ts";
import { isProgramWord } from "./program-command.ts";
import { targetNamed } from "./target-name.ts";

/** Splits the command line at the first `--`; `after` is undefined where there is none. */
export function atDashes(argv: readonly string[]): {
  readonly options: readonly string[];
  readonly after?: readonly string[];
} {
  const at = argv.indexOf("--");
  return at === -1 ? { options: argv } : { options: argv.slice(0, at), after: argv.slice(at + 1) };
}

/** The tasks among the words, also after a built-in command such as `why`. */
export function namedTasks(words: readonly string[], taskfile: Taskfile): readonly Task[] {
  const [first = "", ...rest] = words;
  const targets = isProgramWord(first) ? rest : words;
  return targets.flatMap((word) => {
    const target = targetNamed(word, taskfile);
    return target?.kind === "task" ? [target] : [];
  });
}

/** The arguments as a given value. Throws `UsageError` when none of the tasks takes any. */
export function taskArguments(
  after: readonly string[],
  tasks: readonly Task[],
): readonly [name: string, text: string] {
  if (!tasks.some(takesArguments)) {
    throw new UsageError(`${tasks.map(({ name }) => name).join(" and ")} takes no arguments after \`--\``, {
      code: "arguments-unexpected",
      hint: "write options before the `--`; a task takes arguments if it declares param.arguments({ … })",
    });
  }
  return [argumentsName, JSON.stringify(after)];
}

export function takesArguments(task: Task): boolean {
  return Object.values(task.params).some(({ kind }) => kind === "arguments");
}
