/**
 * Reading the command line: words and flags become a request. Parsing is commander's, the options are those of
 * option-table.ts; this module knows what is asked for, not how it is done.
 */
import path from "node:path";
import { Command, CommanderError, Option } from "commander";
import type { LateText, OptionValues, Taskfile } from "../../engine/index.ts";
import { didYouMean, type ErrorCode, UsageError } from "../../errors/index.ts";
import type { Io } from "../terminal/io.ts";
import { noConfigFile, readConfigFile } from "./config-file.ts";
import { type ExecutorOptions, type ExecutorSettings, executorSettings } from "./executor.ts";
import { flagsOf, type OptionEntry, optionsOf, parametersOf } from "./option-table.ts";
import { chosenVariant, configKeys, optionValues } from "./option-value.ts";
import { type RemoteCacheOptions, type RemoteCacheSettings, remoteCacheSettings } from "./remote-cache.ts";
import { secretValues } from "./secret-value.ts";
import { findTask } from "./target-name.ts";
import { atDashes, namedTasks, taskArguments } from "./task-arguments.ts";
import { defaultsOf } from "./taskfile-defaults.ts";
import { originOf, originOfVariant } from "./value-origin.ts";
import type { ValueOrigin } from "./value-sources.ts";
import { checkVariables } from "./variable-name.ts";

export interface Request {
  /** Words that are not options: targets, or a command of the program and its arguments. */
  readonly words: readonly string[];
  readonly variant: string;
  readonly given: OptionValues;
  /** Who said what each option's value is. */
  readonly origins: ReadonlyMap<string, ValueOrigin>;
  readonly variantOrigin: ValueOrigin;
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
  /** A file for the report of the build. */
  readonly report: string | undefined;
  readonly summary: string | undefined;
  readonly since: string | undefined;
  /** A result on a server to compare with. */
  readonly against: string | undefined;
  /** Axes of a matrix, each as `NAME=VALUE,VALUE`. */
  readonly over: readonly string[];
  /** What a new project begins with. */
  readonly template: string | undefined;
  readonly flavour: string | undefined;
  readonly watch: boolean;
  /** A command line for the shell, to be run after each success of a watch. */
  readonly onSuccess: string | undefined;
  /** The same, after each failure. */
  readonly onFailure: string | undefined;
  /** Boot the image after each success of a watch. */
  readonly boot: boolean;
  /** Where results are shared with other machines. */
  readonly remoteCache: RemoteCacheSettings | undefined;
  /** Other machines that run tasks. */
  readonly executor: ExecutorSettings | undefined;
  /** Answers to options that are accepted and no longer do anything. */
  readonly notes: readonly string[];
  /** Absolute paths of the files that were read to understand the command line. */
  readonly read: readonly string[];
}

/** What the command line asks for. */
type Parsed =
  | { readonly kind: "request"; readonly request: Request }
  | { readonly kind: "version" }
  /** Help, of the program or of what the first word names. */
  | { readonly kind: "help"; readonly words: readonly string[] };

interface CoreOptions extends RemoteCacheOptions, ExecutorOptions {
  readonly help?: true;
  readonly version?: true;
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
  readonly report?: string;
  readonly summary?: string;
  readonly since?: string;
  readonly against?: string;
  readonly over?: readonly string[];
  readonly template?: string;
  readonly flavour?: string;
  readonly watch?: true;
  readonly onSuccess?: string;
  readonly onFailure?: string;
  readonly boot?: true;
}

/** The environment without some variables; only those are looked up that are asked for, since the record of a build names them. */
function withoutVariables(env: NodeJS.ProcessEnv, names: ReadonlySet<string>): NodeJS.ProcessEnv {
  const isHidden = (name: string | symbol): boolean => typeof name === "string" && names.has(name);
  return new Proxy(env, {
    get: (all, name) => (isHidden(name) ? undefined : Reflect.get(all, name)),
    has: (all, name) => !isHidden(name) && Reflect.has(all, name),
  });
}

/** Parses `argv` (without node and script). Throws `UsageError` for anything that is not understood. */
export function parseCommandLine(
  argv: readonly string[],
  taskfile: Taskfile,
  { env, variables, cwd, askSecret }: Pick<Io, "env" | "variables" | "cwd" | "askSecret">,
): Parsed {
  const entries = optionsOf(taskfile);
  const program = commanderFor(entries);
  const { options: before, after } = atDashes(argv);
  try {
    program.parse([...before], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    throw usageError(
      error,
      entries.map(({ long }) => long),
    );
  }
  const options = program.opts<CoreOptions & Record<string, unknown>>();
  const words = [...program.args];
  const takers = after === undefined ? [] : namedTasks(words, taskfile);
  // Without a task before it, `--` only ends the options, as usual.
  if (after !== undefined && takers.length === 0) words.push(...after);
  if (options.help === true) return { kind: "help", words };
  if (options.version === true) return { kind: "version" };

  const parameters = parametersOf(taskfile);
  const keys = configKeys(taskfile, parameters);
  checkVariables(taskfile, keys, variables);
  const {
    values: config,
    unset,
    places,
  } = options.config === undefined
    ? noConfigFile
    : readConfigFile(options.config, keys, taskfile.configFormats);
  const flag = (long: string): unknown => program.getOptionValue(new Option(long).attributeName());
  const sources = {
    ...{ flag, config, places, defaults: defaultsOf(taskfile, parameters) },
    env: withoutVariables(env, unset),
    configDirectory:
      options.config === undefined ? undefined : path.resolve(cwd, path.dirname(options.config)),
  };
  const variant = chosenVariant(taskfile, sources);
  const given = new Map<string, string | LateText>([
    ...(after !== undefined && takers.length > 0 ? [taskArguments(after, takers)] : []),
    ...optionValues(parameters, sources, cwd),
    ...secretValues(parameters, sources, cwd, askSecret),
  ]);
  const notes: string[] = [];
  const origins = new Map(parameters.map((parameter) => [parameter.name, originOf(parameter, sources)]));
  // Also for what the named targets do not use: a value that is ignored is worse than one that is refused.
  for (const parameter of parameters) {
    try {
      if (given.has(parameter.name)) parameter.check?.(variant);
    } catch (error) {
      const origin = origins.get(parameter.name);
      // One configuration file serves all variants.
      if (origin?.from !== "file" || !(error instanceof UsageError)) throw error;
      given.delete(parameter.name);
      origins.delete(parameter.name);
      notes.push(`${origin.where}: ${error.message}; the line is not used`);
    }
  }
  const remoteCache = remoteCacheSettings(options, taskfile, env);
  const force = forcedTasks(options.force, words, taskfile);
  return {
    kind: "request",
    request: {
      words,
      variant,
      given,
      origins,
      variantOrigin: originOfVariant(taskfile, sources),
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
      report: options.report,
      summary: options.summary,
      since: options.since,
      against: options.against,
      over: options.over ?? [],
      template: options.template,
      flavour: options.flavour,
      watch:
        options.watch === true ||
        options.onSuccess !== undefined ||
        options.onFailure !== undefined ||
        options.boot === true,
      onSuccess: options.onSuccess,
      onFailure: options.onFailure,
      boot: options.boot === true,
      remoteCache,
      executor: executorSettings(options, taskfile, env, remoteCache),
      read: options.config === undefined ? [] : [path.resolve(cwd, options.config)],
      notes: [
        ...notes,
        ...(taskfile.deprecated ?? [])
          .filter(({ flags, env: name = "" }) => flag(flags) !== undefined || places.has(name) || name in env)
          .map(({ answer }) => answer),
      ],
    },
  };
}

function commanderFor(entries: readonly OptionEntry[]): Command {
  const program = new Command("task")
    .argument("[word...]")
    .helpOption(false)
    .showSuggestionAfterError(false)
    .exitOverride()
    .configureOutput({ writeOut: () => {}, writeErr: () => {} });
  for (const entry of entries) {
    const option = new Option(flagsOf(entry), entry.description);
    if (entry.again === true) option.argParser(collect);
    program.addOption(option);
  }
  return program;
}

/** The errors of commander that have a code of their own here; any other one is wrong usage. */
const codes: Readonly<Record<string, ErrorCode>> = {
  "commander.unknownOption": "option-unknown",
  "commander.optionMissingArgument": "option-value-missing",
};

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
    code: codes[error.code] ?? "usage",
    hint: meant ?? (hint === "" ? "`task --help` lists the options" : hint),
  });
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
    throw new UsageError(`--jobs is "${text}", but must be a positive integer`, {
      code: "jobs-invalid",
      hint: "omit it to use one job per core",
    });
  }
  return jobs;
}
