/**
 * The command line, made from what the Taskfile declares: parameters become options, variants become switches.
 * Parsing is commander's; this module knows what is asked for, not how it is done.
 */
import path from "node:path";
import { Command, CommanderError, Option } from "commander";
import type { GivenValues, Parameter, Target, Task, Taskfile } from "../engine/index.ts";
import { didYouMean, UsageError } from "../errors/index.ts";
import { readConfigFile } from "./config-file.ts";
import type { Io } from "./io.ts";

export interface Request {
  /** Words that are not options: targets, or a command of the program and its arguments. */
  readonly words: readonly string[];
  readonly variant: string;
  readonly given: GivenValues;
  readonly verbose: boolean;
  readonly quiet: boolean;
  readonly json: boolean;
  readonly dryRun: boolean;
  readonly keepGoing: boolean;
  readonly jobs: number | undefined;
  readonly force: ReadonlySet<string> | "all";
  readonly format: string | undefined;
  readonly audit: "off" | "report" | "strict";
  readonly trace: string | undefined;
  readonly summary: string | undefined;
  readonly since: string | undefined;
  /** Answers to options that are accepted and no longer do anything. */
  readonly notes: readonly string[];
}

/** What the command line asked for instead of a build. */
export type Parsed =
  | { readonly kind: "request"; readonly request: Request }
  | { readonly kind: "help"; readonly text: string };

/** Every parameter that a target of the Taskfile uses, in the order of the pipeline. */
export function parametersOf(taskfile: Taskfile): readonly Parameter<unknown>[] {
  const found = new Map<string, Parameter<unknown>>();
  const add = (parameter: Parameter<unknown>): void => {
    if (!found.has(parameter.name)) found.set(parameter.name, parameter);
  };
  for (const target of taskfile.targets) {
    for (const parameter of Object.values(target.params)) add(parameter);
    if (target.kind === "command") continue;
    for (const need of Object.values(target.needs)) {
      if (need.kind === "conditional" && need.condition.kind === "parameter")
        add(need.condition.parameter as Parameter<unknown>);
    }
    for (const input of Object.values(target.inputs)) {
      const named = input.kind === "file" ? input.path : input.root;
      if (typeof named !== "string") add(named as Parameter<unknown>);
    }
  }
  if (taskfile.version !== undefined) add(taskfile.version as Parameter<unknown>);
  return [...found.values()];
}

interface CoreOptions {
  readonly config?: string;
  readonly verbose?: true;
  readonly quiet?: true;
  readonly json?: true;
  readonly dryRun?: true;
  readonly keepGoing?: true;
  readonly jobs?: string;
  readonly force?: readonly string[] | true;
  readonly format?: string;
  readonly audit?: true;
  readonly strict?: true;
  readonly trace?: string;
  readonly summary?: string;
  readonly since?: string;
}

/** Parses `argv` (without node and script). Throws `UsageError` for anything that is not understood. */
export function parseCommandLine(
  argv: readonly string[],
  taskfile: Taskfile,
  programVersion: string,
  { env, cwd }: Pick<Io, "env" | "cwd">,
): Parsed {
  const parameters = parametersOf(taskfile);
  const program = describeProgram(taskfile, parameters, programVersion);
  let help = "";
  program.exitOverride().configureOutput({ writeOut: (text) => (help += text), writeErr: () => {} });
  try {
    program.parse([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: "help", text: help };
    throw usageError(
      error,
      program.options.flatMap((option) => option.long ?? []),
    );
  }
  const options = program.opts<CoreOptions & Record<string, unknown>>();
  const config =
    options.config === undefined
      ? new Map<string, string>()
      : readConfigFile(options.config, configKeys(taskfile, parameters));
  const words = [...program.args];
  const variant = chosenVariant(taskfile, program, config, env);
  const given = givenValues(parameters, program, config, env, cwd);
  // Also for what the named targets do not use: a value that is ignored is worse than one that is refused.
  for (const parameter of parameters) {
    const text = given.get(parameter.name);
    if (text !== undefined) parameter.check?.(text, variant);
  }
  const force = forcedTasks(options.force, words, taskfile);
  return {
    kind: "request",
    request: {
      words,
      variant,
      given,
      verbose: options.verbose === true,
      quiet: options.quiet === true,
      json: options.json === true,
      dryRun: options.dryRun === true,
      keepGoing: options.keepGoing === true,
      jobs: parseJobs(options.jobs),
      force,
      format: options.format,
      audit: options.strict === true ? "strict" : options.audit === true ? "report" : "off",
      trace: options.trace,
      summary: options.summary,
      since: options.since,
      notes: (taskfile.retired ?? [])
        .filter((option) => program.getOptionValue(new Option(option.flags).attributeName()) !== undefined)
        .map((option) => option.answer),
    },
  };
}

/** The targets as they are listed to users: name, other names, one line. */
export function targetLines(taskfile: Taskfile): readonly (readonly [name: string, description: string])[] {
  return taskfile.targets
    .filter((target) => target.kind === "command" || !target.internal)
    .map((target) => {
      const aliases = aliasesOf(target, taskfile);
      const takes = target.kind === "command" && target.takes !== undefined ? ` ${target.takes}` : "";
      return [
        aliases.length === 0 ? `${target.name}${takes}` : `${target.name} (${aliases.join(", ")})${takes}`,
        target.description,
      ] as const;
    });
}

function aliasesOf(target: Target, taskfile: Taskfile): readonly string[] {
  return Object.entries(taskfile.aliases ?? {}).flatMap(([alias, of]) => (of === target ? [alias] : []));
}

/** The target with this name or alias. Throws `UsageError` with what is close. */
export function findTarget(name: string, taskfile: Taskfile, otherWords: readonly string[] = []): Target {
  const found = taskfile.aliases?.[name] ?? taskfile.targets.find((target) => target.name === name);
  if (found !== undefined) return found;
  const names = [
    ...taskfile.targets.map((target) => target.name),
    ...Object.keys(taskfile.aliases ?? {}),
    ...otherWords,
  ];
  const hint = didYouMean(name, names) ?? `targets: ${names.join(", ")}`;
  throw new UsageError(`there is no target "${name}"`, { code: "target-unknown", hint });
}

/** As `findTarget`, for what only tasks can do. */
export function findTask(name: string, taskfile: Taskfile): Task {
  const target = findTarget(name, taskfile);
  if (target.kind === "task") return target;
  throw new UsageError(`${target.name} is a command: it always runs and makes nothing`, {
    code: "target-command",
  });
}

/** Words that are commands of the program itself, with what follows them. */
export const builtinCommands = {
  "why <target>": "say what would rerun, and every reason",
  list: "list the targets (--json for programs)",
  "graph [target]": "print the task graph (--format dot, mermaid, json, svg)",
  affected: "list the targets that a range of commits concerns (--since REVISION)",
  "cache <stats|gc|verify|clear>": "show the cache's size, shrink it, check it, or empty it",
} as const;

function describeProgram(
  taskfile: Taskfile,
  parameters: readonly Parameter<unknown>[],
  version: string,
): Command {
  const program = new Command("task");
  program
    .usage("[options] [target...]")
    .argument("[target...]")
    .version(`razor-mk ${version}`, "-V, --version", "print the program's version")
    .helpOption("-h, --help", "print this help")
    .showSuggestionAfterError(false);
  for (const parameter of parameters) for (const option of optionsFor(parameter)) program.addOption(option);
  for (const [name, variant] of Object.entries(taskfile.variants)) {
    for (const option of variantOptions(name, variant)) program.addOption(option);
  }
  program
    .option("-c, --config <FILE>", "read options from KEY=value lines")
    .option("-j, --jobs <N>", "run at most N tasks at once (default: one for each core)")
    .option("-k, --keep-going", "after a failure go on with what does not depend on it")
    .option("-f, --force [TASK]", "run TASK, or all, although nothing changed", collect)
    .option("-n, --dry-run", "say what would run and why, and do nothing")
    .option("-v, --verbose", "show what tasks and commands print, and stacks of internal errors")
    .option("-q, --quiet", "print errors and the result only")
    .option("--json", "print events as one JSON object a line")
    .option("--audit", "trace the tasks' commands, and say what they touch without declaring it")
    .option("--strict", "as --audit, and fail the task")
    .option("--trace <FILE>", "write a trace for chrome://tracing: tasks, processes, downloads")
    .option("--summary <FILE>", "write what happened as one JSON document")
    .option("--since <REVISION>", "with affected: the revision to compare with")
    .option("--format <FORMAT>", "format of `graph`: dot, mermaid, json, svg");
  for (const option of taskfile.retired ?? [])
    program.addOption(new Option(option.flags, option.answer).hideHelp());
  return program.addHelpText("after", () => helpAfter(taskfile));
}

function optionsFor(parameter: Parameter<unknown>): readonly Option[] {
  const value = parameter.kind === "switch" ? "" : ` <${parameter.value ?? "VALUE"}>`;
  const short = parameter.short === undefined ? "" : `-${parameter.short}, `;
  const shown = new Option(`${short}--${parameter.name}${value}`, parameter.description);
  const others = (parameter.aliases ?? []).map((alias) => new Option(`--${alias}${value}`).hideHelp());
  return [shown, ...others];
}

function variantOptions(
  name: string,
  variant: { readonly flags: readonly string[]; readonly description: string },
) {
  const short = variant.flags.find((flag) => !flag.startsWith("--"));
  return variant.flags
    .filter((flag) => flag.startsWith("--"))
    .map((flag, index) =>
      index === 0
        ? new Option(
            short === undefined ? flag : `${short}, ${flag}`,
            `the ${name} variant: ${variant.description}`,
          )
        : new Option(flag).hideHelp(),
    );
}

function helpAfter(taskfile: Taskfile): string {
  const rows: (readonly [string, string])[] = [...targetLines(taskfile)];
  const builtin = Object.entries(builtinCommands);
  const width = Math.max(...[...rows, ...builtin].map(([name]) => name.length)) + 2;
  const show = (list: readonly (readonly [string, string])[]): string =>
    list.map(([name, text]) => `  ${name.padEnd(width)}${text}`).join("\n");
  return `
Targets:
${show(rows)}

Commands:
${show(builtin)}

Options may also stand in a file (--config) or in the environment, as MK_BUNDLE_* values;
the command line wins over the file, the file over the environment.

Examples:
  task iso --source sample       an ISO from this distribution's own packages
  task iso --prod                a production ISO: no ssh, no password
  task bundle -b my.lst -t pass  a bundle with a list of your own
  task why iso                   what would rerun, and why
`;
}

/** `flags` are all long options, those that help does not list included. */
function usageError(error: CommanderError, flags: readonly string[]): UsageError {
  const text = error.message.replace(/^error: /, "");
  const [what = text, ...more] = text.split("\n");
  const hint = more
    .join(" ")
    .trim()
    .replace(/^\(|\)$/g, "");
  const option = /unknown option '(--[^'=]*)/.exec(what)?.[1];
  const meant = option === undefined ? undefined : didYouMean(option, flags);
  return new UsageError(what, {
    code: error.code,
    hint: meant ?? (hint === "" ? "`task --help` lists the options" : hint),
  });
}

function attributeOf(flag: string): string {
  return new Option(flag).attributeName();
}

function chosenVariant(
  taskfile: Taskfile,
  program: Command,
  config: ReadonlyMap<string, string>,
  env: NodeJS.ProcessEnv,
): string {
  const names = Object.keys(taskfile.variants);
  const chosen = names.filter((name) =>
    taskfile.variants[name]?.flags.some(
      (flag) => flag.startsWith("--") && program.getOptionValue(attributeOf(flag)) === true,
    ),
  );
  if (chosen.length > 1) {
    throw new UsageError(`an image is either ${chosen.join(" or ")}, not both`, {
      code: "variant-conflict",
      hint: `leave out ${chosen
        .slice(1)
        .map((name) => taskfile.variants[name]?.flags.find((flag) => flag.startsWith("--")))
        .join(", ")}`,
    });
  }
  const key = taskfile.variantEnv;
  const named = chosen[0] ?? (key === undefined ? undefined : (config.get(key) ?? env[key]));
  if (named === undefined || named === "") return names[0] ?? "default";
  if (!names.includes(named)) {
    throw new UsageError(`${key} is "${named}", but must be one of: ${names.join(", ")}`, {
      code: "variant-unknown",
    });
  }
  return named;
}

function configKeys(taskfile: Taskfile, parameters: readonly Parameter<unknown>[]): ReadonlySet<string> {
  const keys = parameters.map((parameter) => parameter.env).filter((key) => key !== undefined);
  return new Set(taskfile.variantEnv === undefined ? keys : [...keys, taskfile.variantEnv]);
}

function givenValues(
  parameters: readonly Parameter<unknown>[],
  program: Command,
  config: ReadonlyMap<string, string>,
  env: NodeJS.ProcessEnv,
  cwd: string,
): GivenValues {
  const given = new Map<string, string>();
  for (const parameter of parameters) {
    const onCommandLine = [parameter.name, ...(parameter.aliases ?? [])]
      .map((name) => program.getOptionValue(attributeOf(`--${name}`)) as string | true | undefined)
      .find((value) => value !== undefined);
    const value = onCommandLine ?? fromConfigOrEnv(parameter, config, env);
    if (value === undefined) continue;
    const text = value === true ? "1" : value;
    given.set(parameter.name, parameter.kind === "path" ? path.resolve(cwd, text) : text);
  }
  return given;
}

function fromConfigOrEnv(
  parameter: Parameter<unknown>,
  config: ReadonlyMap<string, string>,
  env: NodeJS.ProcessEnv,
): string | undefined {
  if (parameter.env === undefined) return undefined;
  return config.get(parameter.env) ?? (env[parameter.env] === "" ? undefined : env[parameter.env]);
}

/** The values of an option that may be given again. */
function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}

function forcedTasks(
  force: readonly string[] | true | undefined,
  words: string[],
  taskfile: Taskfile,
): ReadonlySet<string> | "all" {
  if (force === undefined) return new Set();
  if (force === true) return "all";
  // `--force iso` alone means: build iso, and run it whatever its stamp says.
  if (words.length === 0) words.push(...force);
  return new Set(force.map((name) => findTask(name, taskfile).name));
}

function parseJobs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const jobs = Number(text);
  if (!Number.isInteger(jobs) || jobs < 1) {
    throw new UsageError(`--jobs is "${text}", but must be a whole number from 1 on`, {
      code: "jobs-invalid",
    });
  }
  return jobs;
}
