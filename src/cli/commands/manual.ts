/**
 * What there is to know of the program, of a target or of a command, as sections: `--help` and the manual page are two
 * ways to write the same down. It knows neither.
 */
import {
  type Example,
  neededTask,
  type Parameter,
  type Target,
  type Task,
  type Taskfile,
} from "../../engine/index.ts";
import {
  flagsOf,
  type OptionEntry,
  optionsOf,
  parameterOptions,
  parametersOf,
  parametersOfTargets,
} from "../options/option-table.ts";
import { type ProgramCommand, programCommands } from "../options/program-command.ts";
import { aliasesOf, findTarget, targetLinesByGroup } from "../options/target-name.ts";
import { takesArguments } from "../options/task-arguments.ts";

export interface Manual {
  /** How it is called: `task why <target>`. */
  readonly synopsis: readonly string[];
  /** One sentence without a full stop. */
  readonly summary: string;
  readonly examples: readonly Example[];
  readonly sections: readonly ManualSection[];
}

interface ManualSection {
  readonly title: string;
  /** A paragraph before the rows. */
  readonly text?: string;
  readonly rows: readonly ManualRow[];
}

export type ManualRow = readonly [term: string, text: string];

/** The manual of what the first word names, or of the program. Throws `UsageError` for an unknown word. */
export function manualFor(words: readonly string[], taskfile: Taskfile): Manual {
  const [first] = words;
  if (first === undefined) return programManual(taskfile);
  const command = programCommands.find(({ name }) => name === first);
  return command === undefined
    ? targetManual(findTarget(first, taskfile), taskfile)
    : commandManual(command, taskfile);
}

function programManual(taskfile: Taskfile): Manual {
  const options = optionsOf(taskfile).filter(({ hidden }) => !hidden);
  const group = (name: OptionEntry["group"]) => options.filter((entry) => entry.group === name).map(rowOf);
  return {
    synopsis: ["task [options] [target...]", "task [options] <command> [argument...]"],
    summary: "build targets incrementally",
    examples: [...(taskfile.examples ?? []), ...programCommands.flatMap(({ examples }) => examples)],
    sections: [
      ...targetLinesByGroup(taskfile).map(({ title, lines }) => ({
        title: title === undefined ? "Targets" : `Targets: ${title}`,
        rows: lines,
      })),
      { title: "Commands", rows: programCommands.map((command) => [usageOf(command), command.description]) },
      { title: "Variants", rows: group("variant") },
      { title: "Options", rows: group("program") },
      {
        title: "Values",
        text:
          "A file of KEY=value lines (--config) or the environment can set them, too, under the names in brackets. The" +
          " command line overrides the file, which overrides the environment.",
        rows: group("value"),
      },
      {
        title: "Exit status",
        rows: [
          ["0", "success: all targets are up to date"],
          ["1", "failure; earlier results are kept"],
          ["2", "wrong usage"],
          ["130, 143", "interrupted by Ctrl-C or SIGTERM"],
          ["129, 141", "stopped because the terminal or the reader of the output closed"],
        ],
      },
    ],
  };
}

function usageOf({ name, takes }: ProgramCommand): string {
  return takes === undefined ? name : `${name} ${takes}`;
}

function rowOf(entry: OptionEntry): ManualRow {
  const named = entry.env === undefined ? "" : ` [${entry.env}]`;
  return [flagsOf(entry), `${entry.description}${named}`];
}

function commandManual(command: ProgramCommand, taskfile: Taskfile): Manual {
  const rows = optionsOf(taskfile)
    .filter(({ long }) => command.options.includes(long))
    .map(rowOf);
  return {
    synopsis: [`task ${usageOf(command)}`],
    summary: command.description,
    examples: command.examples,
    sections: rows.length === 0 ? [] : [{ title: "Options", rows }],
  };
}

/** Which options a target takes, from its declaration. */
function targetManual(target: Target, taskfile: Taskfile): Manual {
  const aliases = aliasesOf(target, taskfile);
  const { tasks, parameters } = reachOf(target, taskfile);
  const rows = inOrder([...parametersOfTargets(tasks), ...parameters], taskfile)
    .flatMap(parameterOptions)
    .filter(({ hidden }) => !hidden)
    .map(rowOf);
  const own = programOptionsOf(target);
  const isPlain = target.kind === "command" && target.serves === undefined;
  const group = (name: OptionEntry["group"], kind?: Target["kind"]): readonly ManualRow[] =>
    optionsOf(taskfile)
      .filter(
        ({ hidden, long, concerns }) =>
          !hidden && (kind === undefined || concerns !== "other" || own.has(long)),
      )
      .filter(({ long, concerns }) => kind === undefined || !isPlain || concerns === "all" || own.has(long))
      .filter((entry) => entry.group === name)
      .map(rowOf);
  const takes = takenWords(target);
  const names = new Set([target.name, ...aliases]);
  return {
    synopsis: [target.name, ...aliases].map((name) => `task ${name} [options]${takes}`),
    summary: target.description,
    examples: (taskfile.examples ?? []).filter(({ command }) => names.has(command.split(" ")[0] ?? "")),
    sections: [
      ...(target.kind === "command" ? [] : factsOf(target)),
      ...(rows.length === 0 ? [] : [{ title: "Options it depends on", rows }]),
      ...(isPlain ? [] : [{ title: "Variants", rows: group("variant") }]),
      { title: "Options", rows: group("program", target.kind) },
    ],
  };
}

/** Options of the program that a command of the Taskfile uses in its own way. */
function programOptionsOf(target: Target): ReadonlySet<string> {
  if (target.kind !== "command") return new Set();
  const { formats, takesAgainst } = target;
  return new Set([
    ...(formats === undefined ? [] : ["--format"]),
    ...(takesAgainst === undefined ? [] : ["--against"]),
  ]);
}

/** What may follow the target's name and options. */
function takenWords(target: Target): string {
  if (target.kind === "command") return target.takes === undefined ? "" : ` ${target.takes}`;
  return takesArguments(target) ? " [-- ARGUMENT...]" : "";
}

/** In the Taskfile's order of all parameters. */
function inOrder(used: readonly Parameter<unknown>[], taskfile: Taskfile): readonly Parameter<unknown>[] {
  const names = new Set(used.map(({ name }) => name));
  return parametersOf(taskfile).filter(({ name }) => names.has(name));
}

function factsOf(task: Task): readonly ManualSection[] {
  const needs = Object.values(task.needs).map(neededTask);
  const tools = [...new Set([...reach(task)].flatMap((one) => one.tools))].sort();
  const rows: ManualRow[] = [];
  if (needs.length > 0) rows.push(["needs", needs.map(({ name }) => name).join(", ")]);
  const reads = Object.values(task.inputs).map((input) => {
    const named = input.kind === "file" ? input.path : input.root;
    const text = typeof named === "string" ? named : `--${named.name}`;
    return input.kind === "file" ? text : `${text}/`;
  });
  if (reads.length > 0) rows.push(["reads", reads.join(", ")]);
  if (tools.length > 0) rows.push(["runs", tools.join(", ")]);
  return rows.length === 0 ? [] : [{ title: "Inputs", rows }];
}

/** The targets that a build of this one may run, and parameters that decide which of them it does. */
function reachOf(
  target: Target,
  { alsoBuilds = [], replacements = [] }: Taskfile,
): { readonly tasks: Iterable<Target>; readonly parameters: readonly Parameter<unknown>[] } {
  if (target.kind === "command")
    return { tasks: [target, ...(target.serves === undefined ? [] : reach(target.serves))], parameters: [] };
  const tasks = reach(target);
  const parameters: Parameter<unknown>[] = [];
  for (const [asked, brings, wanted] of alsoBuilds) {
    if (asked !== target) continue;
    reach(brings, tasks);
    if (wanted !== undefined) parameters.push(wanted as Parameter<unknown>);
  }
  for (const { of, use } of replacements) if (of === target) reach(use, tasks);
  return { tasks, parameters };
}

/** The task and all that it may need. */
function reach(task: Task, found: Set<Task> = new Set()): Set<Task> {
  if (found.has(task)) return found;
  found.add(task);
  for (const need of Object.values(task.needs)) reach(neededTask(need), found);
  return found;
}
