/** Targets that are done for their effect: they have no outputs and always run. */
import type { Shell } from "../../host/index.ts";
import type { BuildFacts } from "./build-facts.ts";
import type { OutputPaths, Outputs } from "./declared-output.ts";
import type { Task } from "./declared-task.ts";
import type { Parameter, Params } from "./parameter.ts";
import type { Share } from "./shared.ts";
import { callers, type SourceLocation } from "./source-location.ts";
import type { BlobAccess, Concatenation, Progress } from "./task-context-types.ts";

/** A target that is done for its effect, has no outputs and always runs. */
export interface Command<P extends Params = Params> {
  readonly kind: "command";
  readonly name: string;
  readonly description: string;
  /** Heading under which the menu, `list` and help show it, after the targets without one. */
  readonly group?: string;
  readonly params: P;
  /** What the words behind its name are: `[NAME...]`. Without it such words are other targets. */
  readonly takes?: string;
  /** What completion offers for them. */
  readonly offers?: "files" | "directories";
  /** Whether it needs a project around it, for these words behind its name; without it, it does. */
  readonly needsProject?: (words: readonly string[]) => boolean;
  /**
   * For a command that goes on until it is ended, such as a server: the task whose outputs it uses. Other commands cannot be
   * watched.
   */
  readonly serves?: Task;
  /** Exit status when it fails, for a command whose status 1 says something else, as that of diff(1). */
  readonly failureStatus?: number;
  /** Formats of its result that `--format` may name; the first one is the default. */
  readonly formats?: readonly string[];
  /** Whether `--against` names something to compare with. */
  readonly takesAgainst?: true;
  /** Returns the exit status where it is not 0. */
  readonly run: CommandRun;
  /** Runs with --dry-run instead: it tells what the command would do, and changes nothing. */
  readonly dryRun?: CommandRun;
  readonly definedAt: readonly SourceLocation[];
}

type CommandRun =
  | ((context: CommandContext) => Promise<void> | void)
  | ((context: CommandContext) => Promise<number>);

export interface CommandContext {
  /** The words behind the command's name. */
  readonly words: readonly string[];
  readonly value: <T>(parameter: Parameter<T>) => Promise<T>;
  /** The one of the command's `formats` that the user wants; empty for a command without any. */
  readonly format: string;
  /** What `--against` names. */
  readonly against: string | undefined;
  /** Absolute path of the file that `--report` names, when a build asks for its report. */
  readonly reportFile: string | undefined;
  /** What is known of the last builds, and of the graph of these tasks. */
  readonly buildFacts: (targets: readonly Task[]) => Promise<BuildFacts>;
  readonly variant: string;
  /** Prints a line of the command's result to standard output. */
  readonly print: (line: string) => void;
  /** Prints the whole result: the lines, or with --json the value as one document. */
  readonly show: (value: unknown, lines: readonly string[]) => void;
  /** Writes bytes to standard output as they are; a `UsageError` with --json. */
  readonly write: (bytes: AsyncIterable<Uint8Array>) => Promise<void>;
  /** Removes every artifact and output of the graph's tasks, or with `all` the whole cache; returns what went. */
  readonly removeProducts: (options: { readonly all: boolean }) => Promise<readonly string[]>;
  /** Absolute path of the workspace. */
  readonly workspace: string;
  /** Absolute path of the directory in which the command was given. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** A line for the user on standard error: warnings and facts that matter. */
  readonly note: (message: string) => void;
  /** Brings a task up to date, and returns the absolute paths of its outputs. */
  readonly build: <O extends Outputs>(task: Task<O>) => Promise<OutputPaths<O>>;
  /**
   * Brings the task that the command serves up to date and calls `use`, with --watch again after each build that did something.
   * Resolves with the exit status when the user ends the command.
   */
  readonly serve: (use: () => Promise<void>) => Promise<number>;
  /** What `make` returned when this was called first. A watch that goes on with changed sources keeps it. */
  readonly keep: <T>(make: () => Promise<T>) => Promise<T>;
  /** Names of the variants. */
  readonly variants: readonly string[];
  /**
   * The outputs that the last build in a variant left in the cache, whatever changed since; undefined where one of them is
   * missing. The outputs must have fixed paths.
   */
  readonly builtOutputs: <O extends Outputs>(
    task: Task<O>,
    variant: string,
  ) => Promise<BuiltOutputs<O> | undefined>;
  /**
   * Absolute paths of the files that a task and all it needs read, in byte order; without code, and without files outside of the
   * workspace that no option names.
   */
  readonly inputsOf: (task: Task) => Promise<readonly string[]>;
  /** What a build of a task would do with each task that it reaches, in the order of the graph; it runs nothing. */
  readonly forecast: (task: Task) => Promise<readonly Forecasted[]>;
  /** The options that were given for this command, with their values as text; without secrets. */
  readonly given: () => Promise<readonly GivenOption[]>;
  /** Does work while no build runs in this workspace; never to be used within itself or around `build`. */
  readonly alone: <T>(work: (bench: ExclusiveContext) => Promise<T>) => Promise<T>;
}

/** What a build would do with a task. */
interface Forecasted {
  readonly name: string;
  /** `maybe`: it depends on a result that is not there yet; `unknown`: it cannot be decided, as an input is missing. */
  readonly verdict: "fresh" | "restore" | "run" | "maybe" | "unknown";
}

/** Outputs on disk. */
export interface BuiltOutputs<O extends Outputs> {
  /** Absolute paths by slot. */
  readonly paths: OutputPaths<O>;
  /** The files: size in bytes and sha256 in hex by absolute path. */
  readonly files: ReadonlyMap<string, Concatenation>;
}

/** An option that the command line, a file, the environment or the Taskfile sets. */
export interface GivenOption {
  /** `--source`. */
  readonly option: string;
  /** The variable and key of a configuration file that says the same. */
  readonly env?: string;
  /** As it may be written down; paths are relative to the workspace. True for a switch. */
  readonly value: string | true;
}

/** What a command has while it works alone. */
export interface ExclusiveContext {
  readonly share: Share;
  /** An empty directory, removed afterwards. */
  readonly scratch: string;
  readonly blobs: BlobAccess;
  readonly progress: (progress: Progress) => void;
  /** Runs these tools, in the scratch directory; throws a `UserError` when one is not installed. */
  readonly shell: (tools: readonly string[], env?: Readonly<Record<string, string>>) => Promise<Shell>;
}

export function command<const P extends Params>(
  definition: Omit<Command<P>, "kind" | "definedAt">,
): Command<P> {
  return { kind: "command", ...definition, definedAt: callers(command) };
}

export type Target = Task | Command;
